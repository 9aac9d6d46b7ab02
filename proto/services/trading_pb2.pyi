from analytics import performance_data_pb2 as _performance_data_pb2
from common import provenance_pb2 as _provenance_pb2
from common import read_scope_pb2 as _read_scope_pb2
from trading import trading_signals_pb2 as _trading_signals_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetTradingMetricsRequest(_message.Message):
    __slots__ = ("scope", "by")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    by: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., by: _Optional[_Iterable[str]] = ...) -> None: ...

class TradingGroup(_message.Message):
    __slots__ = ("dimensions", "metrics", "short_sample")
    class DimensionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    SHORT_SAMPLE_FIELD_NUMBER: _ClassVar[int]
    dimensions: _containers.ScalarMap[str, str]
    metrics: _performance_data_pb2.TradingMetrics
    short_sample: bool
    def __init__(self, dimensions: _Optional[_Mapping[str, str]] = ..., metrics: _Optional[_Union[_performance_data_pb2.TradingMetrics, _Mapping]] = ..., short_sample: _Optional[bool] = ...) -> None: ...

class GetTradingMetricsResponse(_message.Message):
    __slots__ = ("groups", "provenance")
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    groups: _containers.RepeatedCompositeFieldContainer[TradingGroup]
    provenance: _provenance_pb2.Provenance
    def __init__(self, groups: _Optional[_Iterable[_Union[TradingGroup, _Mapping]]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetStrategyBreakdownRequest(_message.Message):
    __slots__ = ("scope", "order_by", "limit")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    order_by: str
    limit: int
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., order_by: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class GetStrategyBreakdownResponse(_message.Message):
    __slots__ = ("strategies", "provenance")
    STRATEGIES_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    strategies: _containers.RepeatedCompositeFieldContainer[TradingGroup]
    provenance: _provenance_pb2.Provenance
    def __init__(self, strategies: _Optional[_Iterable[_Union[TradingGroup, _Mapping]]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetSymbolBreakdownRequest(_message.Message):
    __slots__ = ("scope", "order_by", "limit")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    order_by: str
    limit: int
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., order_by: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class GetSymbolBreakdownResponse(_message.Message):
    __slots__ = ("symbols", "provenance")
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    symbols: _containers.RepeatedCompositeFieldContainer[TradingGroup]
    provenance: _provenance_pb2.Provenance
    def __init__(self, symbols: _Optional[_Iterable[_Union[TradingGroup, _Mapping]]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetTimeAnalysisRequest(_message.Message):
    __slots__ = ("scope", "grid")
    class Grid(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        GRID_UNSPECIFIED: _ClassVar[GetTimeAnalysisRequest.Grid]
        HOUR_BY_WEEKDAY: _ClassVar[GetTimeAnalysisRequest.Grid]
        MONTH_BY_YEAR: _ClassVar[GetTimeAnalysisRequest.Grid]
    GRID_UNSPECIFIED: GetTimeAnalysisRequest.Grid
    HOUR_BY_WEEKDAY: GetTimeAnalysisRequest.Grid
    MONTH_BY_YEAR: GetTimeAnalysisRequest.Grid
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    GRID_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    grid: GetTimeAnalysisRequest.Grid
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., grid: _Optional[_Union[GetTimeAnalysisRequest.Grid, str]] = ...) -> None: ...

class GetTimeAnalysisResponse(_message.Message):
    __slots__ = ("cells", "provenance")
    class Cell(_message.Message):
        __slots__ = ("row", "column", "metrics", "row_unknown", "short_sample")
        ROW_FIELD_NUMBER: _ClassVar[int]
        COLUMN_FIELD_NUMBER: _ClassVar[int]
        METRICS_FIELD_NUMBER: _ClassVar[int]
        ROW_UNKNOWN_FIELD_NUMBER: _ClassVar[int]
        SHORT_SAMPLE_FIELD_NUMBER: _ClassVar[int]
        row: int
        column: int
        metrics: _performance_data_pb2.TradingMetrics
        row_unknown: bool
        short_sample: bool
        def __init__(self, row: _Optional[int] = ..., column: _Optional[int] = ..., metrics: _Optional[_Union[_performance_data_pb2.TradingMetrics, _Mapping]] = ..., row_unknown: _Optional[bool] = ..., short_sample: _Optional[bool] = ...) -> None: ...
    CELLS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    cells: _containers.RepeatedCompositeFieldContainer[GetTimeAnalysisResponse.Cell]
    provenance: _provenance_pb2.Provenance
    def __init__(self, cells: _Optional[_Iterable[_Union[GetTimeAnalysisResponse.Cell, _Mapping]]] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class GetEquityCurveRequest(_message.Message):
    __slots__ = ("scope", "basis")
    class Basis(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        BASIS_UNSPECIFIED: _ClassVar[GetEquityCurveRequest.Basis]
        MARKED: _ClassVar[GetEquityCurveRequest.Basis]
        EQUITY: _ClassVar[GetEquityCurveRequest.Basis]
        PNL: _ClassVar[GetEquityCurveRequest.Basis]
    BASIS_UNSPECIFIED: GetEquityCurveRequest.Basis
    MARKED: GetEquityCurveRequest.Basis
    EQUITY: GetEquityCurveRequest.Basis
    PNL: GetEquityCurveRequest.Basis
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    basis: GetEquityCurveRequest.Basis
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., basis: _Optional[_Union[GetEquityCurveRequest.Basis, str]] = ...) -> None: ...

class EquityPoint(_message.Message):
    __slots__ = ("day", "equity", "flows", "day_return", "drawdown", "drawdown_money", "pnl", "equity_index", "reasons", "currency")
    class ReasonsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DAY_FIELD_NUMBER: _ClassVar[int]
    EQUITY_FIELD_NUMBER: _ClassVar[int]
    FLOWS_FIELD_NUMBER: _ClassVar[int]
    DAY_RETURN_FIELD_NUMBER: _ClassVar[int]
    DRAWDOWN_FIELD_NUMBER: _ClassVar[int]
    DRAWDOWN_MONEY_FIELD_NUMBER: _ClassVar[int]
    PNL_FIELD_NUMBER: _ClassVar[int]
    EQUITY_INDEX_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    day: int
    equity: str
    flows: str
    day_return: float
    drawdown: float
    drawdown_money: str
    pnl: str
    equity_index: float
    reasons: _containers.ScalarMap[str, str]
    currency: str
    def __init__(self, day: _Optional[int] = ..., equity: _Optional[str] = ..., flows: _Optional[str] = ..., day_return: _Optional[float] = ..., drawdown: _Optional[float] = ..., drawdown_money: _Optional[str] = ..., pnl: _Optional[str] = ..., equity_index: _Optional[float] = ..., reasons: _Optional[_Mapping[str, str]] = ..., currency: _Optional[str] = ...) -> None: ...

class GetEquityCurveResponse(_message.Message):
    __slots__ = ("points", "basis", "reason", "provenance")
    POINTS_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    points: _containers.RepeatedCompositeFieldContainer[EquityPoint]
    basis: GetEquityCurveRequest.Basis
    reason: str
    provenance: _provenance_pb2.Provenance
    def __init__(self, points: _Optional[_Iterable[_Union[EquityPoint, _Mapping]]] = ..., basis: _Optional[_Union[GetEquityCurveRequest.Basis, str]] = ..., reason: _Optional[str] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...

class ListTradesRequest(_message.Message):
    __slots__ = ("scope", "page")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    scope: _read_scope_pb2.ReadScope
    page: _read_scope_pb2.PageRequest
    def __init__(self, scope: _Optional[_Union[_read_scope_pb2.ReadScope, _Mapping]] = ..., page: _Optional[_Union[_read_scope_pb2.PageRequest, _Mapping]] = ...) -> None: ...

class Trade(_message.Message):
    __slots__ = ("trade_id", "user_id", "account_id", "symbol", "strategy", "side", "quantity", "entry_price", "exit_price", "pnl", "fees", "currency", "opened_at", "closed_at", "exit_reason", "tags")
    TRADE_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    ENTRY_PRICE_FIELD_NUMBER: _ClassVar[int]
    EXIT_PRICE_FIELD_NUMBER: _ClassVar[int]
    PNL_FIELD_NUMBER: _ClassVar[int]
    FEES_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    OPENED_AT_FIELD_NUMBER: _ClassVar[int]
    CLOSED_AT_FIELD_NUMBER: _ClassVar[int]
    EXIT_REASON_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    trade_id: str
    user_id: str
    account_id: str
    symbol: str
    strategy: str
    side: _trading_signals_pb2.Side
    quantity: str
    entry_price: str
    exit_price: str
    pnl: str
    fees: str
    currency: str
    opened_at: int
    closed_at: int
    exit_reason: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, trade_id: _Optional[str] = ..., user_id: _Optional[str] = ..., account_id: _Optional[str] = ..., symbol: _Optional[str] = ..., strategy: _Optional[str] = ..., side: _Optional[_Union[_trading_signals_pb2.Side, str]] = ..., quantity: _Optional[str] = ..., entry_price: _Optional[str] = ..., exit_price: _Optional[str] = ..., pnl: _Optional[str] = ..., fees: _Optional[str] = ..., currency: _Optional[str] = ..., opened_at: _Optional[int] = ..., closed_at: _Optional[int] = ..., exit_reason: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ...) -> None: ...

class ListTradesResponse(_message.Message):
    __slots__ = ("trades", "next_cursor", "provenance")
    TRADES_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    trades: _containers.RepeatedCompositeFieldContainer[Trade]
    next_cursor: str
    provenance: _provenance_pb2.Provenance
    def __init__(self, trades: _Optional[_Iterable[_Union[Trade, _Mapping]]] = ..., next_cursor: _Optional[str] = ..., provenance: _Optional[_Union[_provenance_pb2.Provenance, _Mapping]] = ...) -> None: ...
