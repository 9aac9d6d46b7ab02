from common import envelope_pb2 as _envelope_pb2
from common import provenance_pb2 as _provenance_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PublishRequest(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_envelope_pb2.AnalyticsProcessingEnvelope]
    def __init__(self, events: _Optional[_Iterable[_Union[_envelope_pb2.AnalyticsProcessingEnvelope, _Mapping]]] = ...) -> None: ...

class PublishReject(_message.Message):
    __slots__ = ("index", "code", "reason", "event_id")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    index: int
    code: str
    reason: str
    event_id: str
    def __init__(self, index: _Optional[int] = ..., code: _Optional[str] = ..., reason: _Optional[str] = ..., event_id: _Optional[str] = ...) -> None: ...

class PublishResponse(_message.Message):
    __slots__ = ("accepted", "duplicates", "quarantined", "position", "rejects", "rejects_left_off", "correlation_id")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    QUARANTINED_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    REJECTS_FIELD_NUMBER: _ClassVar[int]
    REJECTS_LEFT_OFF_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    accepted: int
    duplicates: int
    quarantined: int
    position: str
    rejects: _containers.RepeatedCompositeFieldContainer[PublishReject]
    rejects_left_off: int
    correlation_id: str
    def __init__(self, accepted: _Optional[int] = ..., duplicates: _Optional[int] = ..., quarantined: _Optional[int] = ..., position: _Optional[str] = ..., rejects: _Optional[_Iterable[_Union[PublishReject, _Mapping]]] = ..., rejects_left_off: _Optional[int] = ..., correlation_id: _Optional[str] = ...) -> None: ...

class EventPlace(_message.Message):
    __slots__ = ("topic", "partition", "offset")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    topic: str
    partition: int
    offset: int
    def __init__(self, topic: _Optional[str] = ..., partition: _Optional[int] = ..., offset: _Optional[int] = ...) -> None: ...

class LoggedEvent(_message.Message):
    __slots__ = ("place", "envelope", "payload_withheld")
    PLACE_FIELD_NUMBER: _ClassVar[int]
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_WITHHELD_FIELD_NUMBER: _ClassVar[int]
    place: EventPlace
    envelope: _envelope_pb2.AnalyticsProcessingEnvelope
    payload_withheld: bool
    def __init__(self, place: _Optional[_Union[EventPlace, _Mapping]] = ..., envelope: _Optional[_Union[_envelope_pb2.AnalyticsProcessingEnvelope, _Mapping]] = ..., payload_withheld: _Optional[bool] = ...) -> None: ...

class StreamEventsRequest(_message.Message):
    __slots__ = ("company_id", "streams", "message_types", "user_id", "correlation_id", "from_position", "to_position", "from_time", "to_time", "follow", "limit")
    COMPANY_ID_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_TYPES_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_POSITION_FIELD_NUMBER: _ClassVar[int]
    TO_POSITION_FIELD_NUMBER: _ClassVar[int]
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    TO_TIME_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    company_id: str
    streams: _containers.RepeatedScalarFieldContainer[str]
    message_types: _containers.RepeatedScalarFieldContainer[str]
    user_id: str
    correlation_id: str
    from_position: str
    to_position: str
    from_time: int
    to_time: int
    follow: bool
    limit: int
    def __init__(self, company_id: _Optional[str] = ..., streams: _Optional[_Iterable[str]] = ..., message_types: _Optional[_Iterable[str]] = ..., user_id: _Optional[str] = ..., correlation_id: _Optional[str] = ..., from_position: _Optional[str] = ..., to_position: _Optional[str] = ..., from_time: _Optional[int] = ..., to_time: _Optional[int] = ..., follow: _Optional[bool] = ..., limit: _Optional[int] = ...) -> None: ...

class StreamEventsResponse(_message.Message):
    __slots__ = ("events", "position", "caught_up", "correlation_id")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    CAUGHT_UP_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[LoggedEvent]
    position: str
    caught_up: bool
    correlation_id: str
    def __init__(self, events: _Optional[_Iterable[_Union[LoggedEvent, _Mapping]]] = ..., position: _Optional[str] = ..., caught_up: _Optional[bool] = ..., correlation_id: _Optional[str] = ...) -> None: ...

class GetEventRequest(_message.Message):
    __slots__ = ("company_id", "event_id", "place", "stream")
    COMPANY_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    company_id: str
    event_id: str
    place: EventPlace
    stream: str
    def __init__(self, company_id: _Optional[str] = ..., event_id: _Optional[str] = ..., place: _Optional[_Union[EventPlace, _Mapping]] = ..., stream: _Optional[str] = ...) -> None: ...

class GetEventResponse(_message.Message):
    __slots__ = ("event", "correlation_id")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    event: LoggedEvent
    correlation_id: str
    def __init__(self, event: _Optional[_Union[LoggedEvent, _Mapping]] = ..., correlation_id: _Optional[str] = ...) -> None: ...

class VerifyLogRequest(_message.Message):
    __slots__ = ("company_id", "streams", "to_position")
    COMPANY_ID_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    TO_POSITION_FIELD_NUMBER: _ClassVar[int]
    company_id: str
    streams: _containers.RepeatedScalarFieldContainer[str]
    to_position: str
    def __init__(self, company_id: _Optional[str] = ..., streams: _Optional[_Iterable[str]] = ..., to_position: _Optional[str] = ...) -> None: ...

class VerificationFinding(_message.Message):
    __slots__ = ("code", "reason", "place", "projection")
    CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    PROJECTION_FIELD_NUMBER: _ClassVar[int]
    code: str
    reason: str
    place: EventPlace
    projection: str
    def __init__(self, code: _Optional[str] = ..., reason: _Optional[str] = ..., place: _Optional[_Union[EventPlace, _Mapping]] = ..., projection: _Optional[str] = ...) -> None: ...

class VerifyLogResponse(_message.Message):
    __slots__ = ("verified", "events", "checksum", "findings", "provenance", "notes")
    VERIFIED_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    verified: bool
    events: int
    checksum: str
    findings: _containers.RepeatedCompositeFieldContainer[VerificationFinding]
    provenance: _provenance_pb2.Provenance
    notes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, verified: _Optional[bool] = ..., events: _Optional[int] = ..., checksum: _Optional[str] = ..., findings: _Optional[_Iterable[_Union[VerificationFinding, _Mapping]]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class GetProjectionStatusRequest(_message.Message):
    __slots__ = ("names",)
    NAMES_FIELD_NUMBER: _ClassVar[int]
    names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, names: _Optional[_Iterable[str]] = ...) -> None: ...

class ProjectionStatus(_message.Message):
    __slots__ = ("name", "version", "state", "position", "lag_events", "lag_seconds", "rate", "error", "failure")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    LAG_EVENTS_FIELD_NUMBER: _ClassVar[int]
    LAG_SECONDS_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: int
    state: str
    position: str
    lag_events: int
    lag_seconds: float
    rate: float
    error: str
    failure: ProjectionFailure
    def __init__(self, name: _Optional[str] = ..., version: _Optional[int] = ..., state: _Optional[str] = ..., position: _Optional[str] = ..., lag_events: _Optional[int] = ..., lag_seconds: _Optional[float] = ..., rate: _Optional[float] = ..., error: _Optional[str] = ..., failure: _Optional[_Union[ProjectionFailure, _Mapping]] = ...) -> None: ...

class ProjectionFailure(_message.Message):
    __slots__ = ("category", "message", "topic", "worker", "since", "position", "event_id", "company_id")
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    WORKER_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    COMPANY_ID_FIELD_NUMBER: _ClassVar[int]
    category: str
    message: str
    topic: str
    worker: str
    since: str
    position: str
    event_id: str
    company_id: str
    def __init__(self, category: _Optional[str] = ..., message: _Optional[str] = ..., topic: _Optional[str] = ..., worker: _Optional[str] = ..., since: _Optional[str] = ..., position: _Optional[str] = ..., event_id: _Optional[str] = ..., company_id: _Optional[str] = ...) -> None: ...

class GetProjectionStatusResponse(_message.Message):
    __slots__ = ("projections", "correlation_id")
    PROJECTIONS_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    projections: _containers.RepeatedCompositeFieldContainer[ProjectionStatus]
    correlation_id: str
    def __init__(self, projections: _Optional[_Iterable[_Union[ProjectionStatus, _Mapping]]] = ..., correlation_id: _Optional[str] = ...) -> None: ...

class HealthCheckRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ComponentHealth(_message.Message):
    __slots__ = ("name", "status", "detail")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    name: str
    status: str
    detail: str
    def __init__(self, name: _Optional[str] = ..., status: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...

class HealthCheckResponse(_message.Message):
    __slots__ = ("live", "ready", "version", "uptime_seconds", "components", "projections", "average_query_ms", "processing_success_rate", "queries_24h", "dashboard_reads_24h", "reports_24h", "average_report_ms", "live_connections", "cache_hit_rates", "completeness", "accuracy", "quarantined", "correlation_id")
    class CacheHitRatesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    LIVE_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    UPTIME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    COMPONENTS_FIELD_NUMBER: _ClassVar[int]
    PROJECTIONS_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_QUERY_MS_FIELD_NUMBER: _ClassVar[int]
    PROCESSING_SUCCESS_RATE_FIELD_NUMBER: _ClassVar[int]
    QUERIES_24H_FIELD_NUMBER: _ClassVar[int]
    DASHBOARD_READS_24H_FIELD_NUMBER: _ClassVar[int]
    REPORTS_24H_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_REPORT_MS_FIELD_NUMBER: _ClassVar[int]
    LIVE_CONNECTIONS_FIELD_NUMBER: _ClassVar[int]
    CACHE_HIT_RATES_FIELD_NUMBER: _ClassVar[int]
    COMPLETENESS_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_FIELD_NUMBER: _ClassVar[int]
    QUARANTINED_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    live: bool
    ready: bool
    version: str
    uptime_seconds: float
    components: _containers.RepeatedCompositeFieldContainer[ComponentHealth]
    projections: _containers.RepeatedCompositeFieldContainer[ProjectionStatus]
    average_query_ms: float
    processing_success_rate: float
    queries_24h: int
    dashboard_reads_24h: int
    reports_24h: int
    average_report_ms: float
    live_connections: int
    cache_hit_rates: _containers.ScalarMap[str, float]
    completeness: float
    accuracy: float
    quarantined: int
    correlation_id: str
    def __init__(self, live: _Optional[bool] = ..., ready: _Optional[bool] = ..., version: _Optional[str] = ..., uptime_seconds: _Optional[float] = ..., components: _Optional[_Iterable[_Union[ComponentHealth, _Mapping]]] = ..., projections: _Optional[_Iterable[_Union[ProjectionStatus, _Mapping]]] = ..., average_query_ms: _Optional[float] = ..., processing_success_rate: _Optional[float] = ..., queries_24h: _Optional[int] = ..., dashboard_reads_24h: _Optional[int] = ..., reports_24h: _Optional[int] = ..., average_report_ms: _Optional[float] = ..., live_connections: _Optional[int] = ..., cache_hit_rates: _Optional[_Mapping[str, float]] = ..., completeness: _Optional[float] = ..., accuracy: _Optional[float] = ..., quarantined: _Optional[int] = ..., correlation_id: _Optional[str] = ...) -> None: ...
