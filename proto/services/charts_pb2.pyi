from analytics import values_pb2 as _values_pb2
from common import provenance_pb2 as _provenance_pb2
from common import read_scope_pb2 as _read_scope_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BarRange(_message.Message):
    __slots__ = ("symbol", "interval", "from_time", "to_time")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    TO_TIME_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    interval: str
    from_time: int
    to_time: int
    def __init__(self, symbol: _Optional[str] = ..., interval: _Optional[str] = ..., from_time: _Optional[int] = ..., to_time: _Optional[int] = ...) -> None: ...

class ChartBar(_message.Message):
    __slots__ = ("start", "open", "high", "low", "close", "volume", "unfinished")
    START_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    UNFINISHED_FIELD_NUMBER: _ClassVar[int]
    start: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    unfinished: bool
    def __init__(self, start: _Optional[int] = ..., open: _Optional[str] = ..., high: _Optional[str] = ..., low: _Optional[str] = ..., close: _Optional[str] = ..., volume: _Optional[str] = ..., unfinished: _Optional[bool] = ...) -> None: ...

class IndicatorChoice(_message.Message):
    __slots__ = ("key", "settings")
    class SettingsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    KEY_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    key: str
    settings: _containers.ScalarMap[str, float]
    def __init__(self, key: _Optional[str] = ..., settings: _Optional[_Mapping[str, float]] = ...) -> None: ...

class GetChartDataRequest(_message.Message):
    __slots__ = ("company_id", "range", "indicators", "at_position")
    COMPANY_ID_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    INDICATORS_FIELD_NUMBER: _ClassVar[int]
    AT_POSITION_FIELD_NUMBER: _ClassVar[int]
    company_id: str
    range: BarRange
    indicators: _containers.RepeatedCompositeFieldContainer[IndicatorChoice]
    at_position: str
    def __init__(self, company_id: _Optional[str] = ..., range: _Optional[_Union[BarRange, _Mapping]] = ..., indicators: _Optional[_Iterable[_Union[IndicatorChoice, _Mapping]]] = ..., at_position: _Optional[str] = ...) -> None: ...

class GetChartDataResponse(_message.Message):
    __slots__ = ("bars", "indicators", "provenance")
    BARS_FIELD_NUMBER: _ClassVar[int]
    INDICATORS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    bars: _containers.RepeatedCompositeFieldContainer[ChartBar]
    indicators: _containers.RepeatedCompositeFieldContainer[_values_pb2.Series]
    provenance: _provenance_pb2.Provenance
    def __init__(self, bars: _Optional[_Iterable[_Union[ChartBar, _Mapping]]] = ..., indicators: _Optional[_Iterable[_Union[_values_pb2.Series, _Mapping]]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetChartDataStreamRequest(_message.Message):
    __slots__ = ("company_id", "range", "indicators", "resume_token")
    COMPANY_ID_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    INDICATORS_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    company_id: str
    range: BarRange
    indicators: _containers.RepeatedCompositeFieldContainer[IndicatorChoice]
    resume_token: str
    def __init__(self, company_id: _Optional[str] = ..., range: _Optional[_Union[BarRange, _Mapping]] = ..., indicators: _Optional[_Iterable[_Union[IndicatorChoice, _Mapping]]] = ..., resume_token: _Optional[str] = ...) -> None: ...

class GetChartDataStreamResponse(_message.Message):
    __slots__ = ("bars", "indicators", "snapshot", "provenance", "resume_token")
    BARS_FIELD_NUMBER: _ClassVar[int]
    INDICATORS_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    bars: _containers.RepeatedCompositeFieldContainer[ChartBar]
    indicators: _containers.RepeatedCompositeFieldContainer[_values_pb2.Series]
    snapshot: bool
    provenance: _provenance_pb2.Provenance
    resume_token: str
    def __init__(self, bars: _Optional[_Iterable[_Union[ChartBar, _Mapping]]] = ..., indicators: _Optional[_Iterable[_Union[_values_pb2.Series, _Mapping]]] = ..., snapshot: _Optional[bool] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ..., resume_token: _Optional[str] = ...) -> None: ...

class GetTechnicalIndicatorsRequest(_message.Message):
    __slots__ = ("company_id", "range", "indicators", "at_position")
    COMPANY_ID_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    INDICATORS_FIELD_NUMBER: _ClassVar[int]
    AT_POSITION_FIELD_NUMBER: _ClassVar[int]
    company_id: str
    range: BarRange
    indicators: _containers.RepeatedCompositeFieldContainer[IndicatorChoice]
    at_position: str
    def __init__(self, company_id: _Optional[str] = ..., range: _Optional[_Union[BarRange, _Mapping]] = ..., indicators: _Optional[_Iterable[_Union[IndicatorChoice, _Mapping]]] = ..., at_position: _Optional[str] = ...) -> None: ...

class GetTechnicalIndicatorsResponse(_message.Message):
    __slots__ = ("indicators", "provenance")
    INDICATORS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    indicators: _containers.RepeatedCompositeFieldContainer[_values_pb2.Series]
    provenance: _provenance_pb2.Provenance
    def __init__(self, indicators: _Optional[_Iterable[_Union[_values_pb2.Series, _Mapping]]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetTechnicalIndicatorStreamRequest(_message.Message):
    __slots__ = ("company_id", "symbol", "interval", "indicators", "resume_token")
    COMPANY_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    INDICATORS_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    company_id: str
    symbol: str
    interval: str
    indicators: _containers.RepeatedCompositeFieldContainer[IndicatorChoice]
    resume_token: str
    def __init__(self, company_id: _Optional[str] = ..., symbol: _Optional[str] = ..., interval: _Optional[str] = ..., indicators: _Optional[_Iterable[_Union[IndicatorChoice, _Mapping]]] = ..., resume_token: _Optional[str] = ...) -> None: ...

class GetTechnicalIndicatorStreamResponse(_message.Message):
    __slots__ = ("bar", "outputs", "provenance", "resume_token")
    class OutputsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _values_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_values_pb2.Value, _Mapping]] = ...) -> None: ...
    BAR_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    bar: ChartBar
    outputs: _containers.MessageMap[str, _values_pb2.Value]
    provenance: _provenance_pb2.Provenance
    resume_token: str
    def __init__(self, bar: _Optional[_Union[ChartBar, _Mapping]] = ..., outputs: _Optional[_Mapping[str, _values_pb2.Value]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ..., resume_token: _Optional[str] = ...) -> None: ...

class ListIndicatorsRequest(_message.Message):
    __slots__ = ("search",)
    SEARCH_FIELD_NUMBER: _ClassVar[int]
    search: str
    def __init__(self, search: _Optional[str] = ...) -> None: ...

class Indicator(_message.Message):
    __slots__ = ("key", "title", "settings", "outputs", "formula")
    class SettingsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    KEY_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    FORMULA_FIELD_NUMBER: _ClassVar[int]
    key: str
    title: str
    settings: _containers.ScalarMap[str, float]
    outputs: _containers.RepeatedScalarFieldContainer[str]
    formula: str
    def __init__(self, key: _Optional[str] = ..., title: _Optional[str] = ..., settings: _Optional[_Mapping[str, float]] = ..., outputs: _Optional[_Iterable[str]] = ..., formula: _Optional[str] = ...) -> None: ...

class ListIndicatorsResponse(_message.Message):
    __slots__ = ("indicators", "correlation_id")
    INDICATORS_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    indicators: _containers.RepeatedCompositeFieldContainer[Indicator]
    correlation_id: str
    def __init__(self, indicators: _Optional[_Iterable[_Union[Indicator, _Mapping]]] = ..., correlation_id: _Optional[str] = ...) -> None: ...

class GetMarketAnalyticsRequest(_message.Message):
    __slots__ = ("scope", "symbols", "interval")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    symbols: _containers.RepeatedScalarFieldContainer[str]
    interval: str
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., symbols: _Optional[_Iterable[str]] = ..., interval: _Optional[str] = ...) -> None: ...

class GetMarketAnalyticsResponse(_message.Message):
    __slots__ = ("markets", "provenance")
    class Market(_message.Message):
        __slots__ = ("symbol", "last", "change", "volatility", "volume", "max_drawdown", "reasons")
        class ReasonsEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: str
            def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
        SYMBOL_FIELD_NUMBER: _ClassVar[int]
        LAST_FIELD_NUMBER: _ClassVar[int]
        CHANGE_FIELD_NUMBER: _ClassVar[int]
        VOLATILITY_FIELD_NUMBER: _ClassVar[int]
        VOLUME_FIELD_NUMBER: _ClassVar[int]
        MAX_DRAWDOWN_FIELD_NUMBER: _ClassVar[int]
        REASONS_FIELD_NUMBER: _ClassVar[int]
        symbol: str
        last: str
        change: float
        volatility: float
        volume: str
        max_drawdown: float
        reasons: _containers.ScalarMap[str, str]
        def __init__(self, symbol: _Optional[str] = ..., last: _Optional[str] = ..., change: _Optional[float] = ..., volatility: _Optional[float] = ..., volume: _Optional[str] = ..., max_drawdown: _Optional[float] = ..., reasons: _Optional[_Mapping[str, str]] = ...) -> None: ...
    MARKETS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    markets: _containers.RepeatedCompositeFieldContainer[GetMarketAnalyticsResponse.Market]
    provenance: _provenance_pb2.Provenance
    def __init__(self, markets: _Optional[_Iterable[_Union[GetMarketAnalyticsResponse.Market, _Mapping]]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetCorrelationMatrixRequest(_message.Message):
    __slots__ = ("scope", "of", "names", "interval")
    class Of(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OF_UNSPECIFIED: _ClassVar[GetCorrelationMatrixRequest.Of]
        SYMBOLS: _ClassVar[GetCorrelationMatrixRequest.Of]
        STRATEGIES: _ClassVar[GetCorrelationMatrixRequest.Of]
        ACCOUNTS: _ClassVar[GetCorrelationMatrixRequest.Of]
    OF_UNSPECIFIED: GetCorrelationMatrixRequest.Of
    SYMBOLS: GetCorrelationMatrixRequest.Of
    STRATEGIES: GetCorrelationMatrixRequest.Of
    ACCOUNTS: GetCorrelationMatrixRequest.Of
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    OF_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    of: GetCorrelationMatrixRequest.Of
    names: _containers.RepeatedScalarFieldContainer[str]
    interval: str
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., of: _Optional[_Union[GetCorrelationMatrixRequest.Of, str]] = ..., names: _Optional[_Iterable[str]] = ..., interval: _Optional[str] = ...) -> None: ...

class GetCorrelationMatrixResponse(_message.Message):
    __slots__ = ("pairs", "provenance")
    class Pair(_message.Message):
        __slots__ = ("first", "second", "correlation", "observations", "reason")
        FIRST_FIELD_NUMBER: _ClassVar[int]
        SECOND_FIELD_NUMBER: _ClassVar[int]
        CORRELATION_FIELD_NUMBER: _ClassVar[int]
        OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
        REASON_FIELD_NUMBER: _ClassVar[int]
        first: str
        second: str
        correlation: float
        observations: int
        reason: str
        def __init__(self, first: _Optional[str] = ..., second: _Optional[str] = ..., correlation: _Optional[float] = ..., observations: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    pairs: _containers.RepeatedCompositeFieldContainer[GetCorrelationMatrixResponse.Pair]
    provenance: _provenance_pb2.Provenance
    def __init__(self, pairs: _Optional[_Iterable[_Union[GetCorrelationMatrixResponse.Pair, _Mapping]]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...
