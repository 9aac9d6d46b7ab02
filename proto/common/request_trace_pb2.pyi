from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TraceContext(_message.Message):
    __slots__ = ("trace_id", "span_id", "flags", "baggage", "state")
    class BaggageEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    BAGGAGE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    trace_id: str
    span_id: str
    flags: int
    baggage: _containers.ScalarMap[str, str]
    state: str
    def __init__(self, trace_id: _Optional[str] = ..., span_id: _Optional[str] = ..., flags: _Optional[int] = ..., baggage: _Optional[_Mapping[str, str]] = ..., state: _Optional[str] = ...) -> None: ...

class RequestTrace(_message.Message):
    __slots__ = ("correlation_id", "request_id", "received_at", "trace_context")
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    TRACE_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    correlation_id: str
    request_id: str
    received_at: int
    trace_context: TraceContext
    def __init__(self, correlation_id: _Optional[str] = ..., request_id: _Optional[str] = ..., received_at: _Optional[int] = ..., trace_context: _Optional[_Union[TraceContext, _Mapping]] = ...) -> None: ...
