from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Provenance(_message.Message):
    __slots__ = ("query", "definition_version", "position", "as_of", "complete", "lag_ms", "correlation_id", "from_time", "to_time", "limited", "unknown", "calendar", "rates")
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
    class Rates(_message.Message):
        __slots__ = ("policy", "number", "sources", "first_day", "last_day", "used")
        class Rate(_message.Message):
            __slots__ = ("base", "quote", "day", "rate", "source", "own")
            BASE_FIELD_NUMBER: _ClassVar[int]
            QUOTE_FIELD_NUMBER: _ClassVar[int]
            DAY_FIELD_NUMBER: _ClassVar[int]
            RATE_FIELD_NUMBER: _ClassVar[int]
            SOURCE_FIELD_NUMBER: _ClassVar[int]
            OWN_FIELD_NUMBER: _ClassVar[int]
            base: str
            quote: str
            day: str
            rate: str
            source: str
            own: bool
            def __init__(self, base: _Optional[str] = ..., quote: _Optional[str] = ..., day: _Optional[str] = ..., rate: _Optional[str] = ..., source: _Optional[str] = ..., own: _Optional[bool] = ...) -> None: ...
        POLICY_FIELD_NUMBER: _ClassVar[int]
        NUMBER_FIELD_NUMBER: _ClassVar[int]
        SOURCES_FIELD_NUMBER: _ClassVar[int]
        FIRST_DAY_FIELD_NUMBER: _ClassVar[int]
        LAST_DAY_FIELD_NUMBER: _ClassVar[int]
        USED_FIELD_NUMBER: _ClassVar[int]
        policy: str
        number: int
        sources: _containers.RepeatedScalarFieldContainer[str]
        first_day: str
        last_day: str
        used: _containers.RepeatedCompositeFieldContainer[Provenance.Rates.Rate]
        def __init__(self, policy: _Optional[str] = ..., number: _Optional[int] = ..., sources: _Optional[_Iterable[str]] = ..., first_day: _Optional[str] = ..., last_day: _Optional[str] = ..., used: _Optional[_Iterable[_Union[Provenance.Rates.Rate, _Mapping]]] = ...) -> None: ...
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
    RATES_FIELD_NUMBER: _ClassVar[int]
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
    rates: Provenance.Rates
    def __init__(self, query: _Optional[str] = ..., definition_version: _Optional[int] = ..., position: _Optional[str] = ..., as_of: _Optional[int] = ..., complete: _Optional[bool] = ..., lag_ms: _Optional[int] = ..., correlation_id: _Optional[str] = ..., from_time: _Optional[int] = ..., to_time: _Optional[int] = ..., limited: _Optional[_Iterable[str]] = ..., unknown: _Optional[_Mapping[str, str]] = ..., calendar: _Optional[_Union[Provenance.Calendar, _Mapping]] = ..., rates: _Optional[_Union[Provenance.Rates, _Mapping]] = ...) -> None: ...
