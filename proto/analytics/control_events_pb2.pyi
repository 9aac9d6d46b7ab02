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
