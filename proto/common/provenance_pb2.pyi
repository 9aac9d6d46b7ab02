from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Provenance(_message.Message):
    __slots__ = ("query", "definition_version", "position", "as_of", "complete", "lag_ms", "correlation_id")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_VERSION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    LAG_MS_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    query: str
    definition_version: int
    position: str
    as_of: int
    complete: bool
    lag_ms: int
    correlation_id: str
    def __init__(self, query: _Optional[str] = ..., definition_version: _Optional[int] = ..., position: _Optional[str] = ..., as_of: _Optional[int] = ..., complete: _Optional[bool] = ..., lag_ms: _Optional[int] = ..., correlation_id: _Optional[str] = ...) -> None: ...
