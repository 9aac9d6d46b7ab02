from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Provenance(_message.Message):
    __slots__ = ("query", "definition_version", "position", "as_of", "complete", "lag_ms", "correlation_id", "from_time", "to_time", "limited", "unknown", "calendar")
    class UnknownEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class Calendar(_message.Message):
        __slots__ = ("time_zone", "week_starts_on", "fiscal_year_starts", "trading_days")
        TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
        WEEK_STARTS_ON_FIELD_NUMBER: _ClassVar[int]
        FISCAL_YEAR_STARTS_FIELD_NUMBER: _ClassVar[int]
        TRADING_DAYS_FIELD_NUMBER: _ClassVar[int]
        time_zone: str
        week_starts_on: str
        fiscal_year_starts: int
        trading_days: str
        def __init__(self, time_zone: _Optional[str] = ..., week_starts_on: _Optional[str] = ..., fiscal_year_starts: _Optional[int] = ..., trading_days: _Optional[str] = ...) -> None: ...
    QUERY_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_VERSION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    LAG_MS_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    TO_TIME_FIELD_NUMBER: _ClassVar[int]
    LIMITED_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    CALENDAR_FIELD_NUMBER: _ClassVar[int]
    query: str
    definition_version: int
    position: str
    as_of: int
    complete: bool
    lag_ms: int
    correlation_id: str
    from_time: int
    to_time: int
    limited: _containers.RepeatedScalarFieldContainer[str]
    unknown: _containers.ScalarMap[str, str]
    calendar: Provenance.Calendar
    def __init__(self, query: _Optional[str] = ..., definition_version: _Optional[int] = ..., position: _Optional[str] = ..., as_of: _Optional[int] = ..., complete: _Optional[bool] = ..., lag_ms: _Optional[int] = ..., correlation_id: _Optional[str] = ..., from_time: _Optional[int] = ..., to_time: _Optional[int] = ..., limited: _Optional[_Iterable[str]] = ..., unknown: _Optional[_Mapping[str, str]] = ..., calendar: _Optional[_Union[Provenance.Calendar, _Mapping]] = ...) -> None: ...
