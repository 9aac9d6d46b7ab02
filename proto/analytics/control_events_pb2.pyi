from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class ConfigEvent(_message.Message):
    __slots__ = ("topic", "aggregate_id", "aggregate_version", "body", "actor", "role")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_ID_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    topic: str
    aggregate_id: str
    aggregate_version: int
    body: str
    actor: str
    role: str
    def __init__(self, topic: _Optional[str] = ..., aggregate_id: _Optional[str] = ..., aggregate_version: _Optional[int] = ..., body: _Optional[str] = ..., actor: _Optional[str] = ..., role: _Optional[str] = ...) -> None: ...

class AuditEvent(_message.Message):
    __slots__ = ("subject", "role", "action", "target", "outcome", "position", "code", "door", "count", "correlation")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    DOOR_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_FIELD_NUMBER: _ClassVar[int]
    subject: str
    role: str
    action: str
    target: str
    outcome: str
    position: str
    code: str
    door: str
    count: int
    correlation: str
    def __init__(self, subject: _Optional[str] = ..., role: _Optional[str] = ..., action: _Optional[str] = ..., target: _Optional[str] = ..., outcome: _Optional[str] = ..., position: _Optional[str] = ..., code: _Optional[str] = ..., door: _Optional[str] = ..., count: _Optional[int] = ..., correlation: _Optional[str] = ...) -> None: ...

class Prediction(_message.Message):
    __slots__ = ("what", "subject", "filters", "method", "method_version", "due_at", "horizon_days", "probability", "value", "low_80", "high_80", "low_95", "high_95", "naive_error")
    WHAT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    FILTERS_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    METHOD_VERSION_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    HORIZON_DAYS_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    LOW_80_FIELD_NUMBER: _ClassVar[int]
    HIGH_80_FIELD_NUMBER: _ClassVar[int]
    LOW_95_FIELD_NUMBER: _ClassVar[int]
    HIGH_95_FIELD_NUMBER: _ClassVar[int]
    NAIVE_ERROR_FIELD_NUMBER: _ClassVar[int]
    what: str
    subject: str
    filters: str
    method: str
    method_version: int
    due_at: int
    horizon_days: int
    probability: float
    value: float
    low_80: float
    high_80: float
    low_95: float
    high_95: float
    naive_error: float
    def __init__(self, what: _Optional[str] = ..., subject: _Optional[str] = ..., filters: _Optional[str] = ..., method: _Optional[str] = ..., method_version: _Optional[int] = ..., due_at: _Optional[int] = ..., horizon_days: _Optional[int] = ..., probability: _Optional[float] = ..., value: _Optional[float] = ..., low_80: _Optional[float] = ..., high_80: _Optional[float] = ..., low_95: _Optional[float] = ..., high_95: _Optional[float] = ..., naive_error: _Optional[float] = ...) -> None: ...

class AlertTransition(_message.Message):
    __slots__ = ("rule_id", "rule", "severity", "series", "before", "after", "at", "since", "value", "condition", "reason", "every_seconds")
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    SERIES_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EVERY_SECONDS_FIELD_NUMBER: _ClassVar[int]
    rule_id: str
    rule: str
    severity: str
    series: str
    before: str
    after: str
    at: int
    since: int
    value: str
    condition: str
    reason: str
    every_seconds: int
    def __init__(self, rule_id: _Optional[str] = ..., rule: _Optional[str] = ..., severity: _Optional[str] = ..., series: _Optional[str] = ..., before: _Optional[str] = ..., after: _Optional[str] = ..., at: _Optional[int] = ..., since: _Optional[int] = ..., value: _Optional[str] = ..., condition: _Optional[str] = ..., reason: _Optional[str] = ..., every_seconds: _Optional[int] = ...) -> None: ...

class QuarantinedEvent(_message.Message):
    __slots__ = ("code", "reason", "stream", "origin", "raw")
    CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    RAW_FIELD_NUMBER: _ClassVar[int]
    code: str
    reason: str
    stream: str
    origin: str
    raw: bytes
    def __init__(self, code: _Optional[str] = ..., reason: _Optional[str] = ..., stream: _Optional[str] = ..., origin: _Optional[str] = ..., raw: _Optional[bytes] = ...) -> None: ...
