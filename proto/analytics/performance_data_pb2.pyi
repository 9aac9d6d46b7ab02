from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SystemMetric(_message.Message):
    __slots__ = ("service", "metric", "value", "unit", "labels")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    service: str
    metric: str
    value: float
    unit: str
    labels: _containers.ScalarMap[str, str]
    def __init__(self, service: _Optional[str] = ..., metric: _Optional[str] = ..., value: _Optional[float] = ..., unit: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ...) -> None: ...

class SystemMetricBatch(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[SystemMetric]
    def __init__(self, items: _Optional[_Iterable[_Union[SystemMetric, _Mapping]]] = ...) -> None: ...

class PerformanceData(_message.Message):
    __slots__ = ("service", "operation", "duration_ms", "outcome")
    class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OUTCOME_UNSPECIFIED: _ClassVar[PerformanceData.Outcome]
        OK: _ClassVar[PerformanceData.Outcome]
        ERROR: _ClassVar[PerformanceData.Outcome]
    OUTCOME_UNSPECIFIED: PerformanceData.Outcome
    OK: PerformanceData.Outcome
    ERROR: PerformanceData.Outcome
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    service: str
    operation: str
    duration_ms: float
    outcome: PerformanceData.Outcome
    def __init__(self, service: _Optional[str] = ..., operation: _Optional[str] = ..., duration_ms: _Optional[float] = ..., outcome: _Optional[_Union[PerformanceData.Outcome, str]] = ...) -> None: ...

class PerformanceDataBatch(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[PerformanceData]
    def __init__(self, items: _Optional[_Iterable[_Union[PerformanceData, _Mapping]]] = ...) -> None: ...

class TradingMetrics(_message.Message):
    __slots__ = ("total_trades", "winning_trades", "losing_trades", "breakeven_trades", "total_pnl", "gross_profit", "gross_loss", "total_fees", "turnover", "largest_win", "largest_loss", "win_rate", "average_win", "average_loss", "payoff_ratio", "profit_factor", "expectancy", "sharpe_ratio", "sortino_ratio", "max_drawdown", "calmar_ratio", "reasons", "currency")
    class ReasonsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TOTAL_TRADES_FIELD_NUMBER: _ClassVar[int]
    WINNING_TRADES_FIELD_NUMBER: _ClassVar[int]
    LOSING_TRADES_FIELD_NUMBER: _ClassVar[int]
    BREAKEVEN_TRADES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_PNL_FIELD_NUMBER: _ClassVar[int]
    GROSS_PROFIT_FIELD_NUMBER: _ClassVar[int]
    GROSS_LOSS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FEES_FIELD_NUMBER: _ClassVar[int]
    TURNOVER_FIELD_NUMBER: _ClassVar[int]
    LARGEST_WIN_FIELD_NUMBER: _ClassVar[int]
    LARGEST_LOSS_FIELD_NUMBER: _ClassVar[int]
    WIN_RATE_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_WIN_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_LOSS_FIELD_NUMBER: _ClassVar[int]
    PAYOFF_RATIO_FIELD_NUMBER: _ClassVar[int]
    PROFIT_FACTOR_FIELD_NUMBER: _ClassVar[int]
    EXPECTANCY_FIELD_NUMBER: _ClassVar[int]
    SHARPE_RATIO_FIELD_NUMBER: _ClassVar[int]
    SORTINO_RATIO_FIELD_NUMBER: _ClassVar[int]
    MAX_DRAWDOWN_FIELD_NUMBER: _ClassVar[int]
    CALMAR_RATIO_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    total_trades: int
    winning_trades: int
    losing_trades: int
    breakeven_trades: int
    total_pnl: str
    gross_profit: str
    gross_loss: str
    total_fees: str
    turnover: str
    largest_win: str
    largest_loss: str
    win_rate: float
    average_win: str
    average_loss: str
    payoff_ratio: float
    profit_factor: float
    expectancy: str
    sharpe_ratio: float
    sortino_ratio: float
    max_drawdown: float
    calmar_ratio: float
    reasons: _containers.ScalarMap[str, str]
    currency: str
    def __init__(self, total_trades: _Optional[int] = ..., winning_trades: _Optional[int] = ..., losing_trades: _Optional[int] = ..., breakeven_trades: _Optional[int] = ..., total_pnl: _Optional[str] = ..., gross_profit: _Optional[str] = ..., gross_loss: _Optional[str] = ..., total_fees: _Optional[str] = ..., turnover: _Optional[str] = ..., largest_win: _Optional[str] = ..., largest_loss: _Optional[str] = ..., win_rate: _Optional[float] = ..., average_win: _Optional[str] = ..., average_loss: _Optional[str] = ..., payoff_ratio: _Optional[float] = ..., profit_factor: _Optional[float] = ..., expectancy: _Optional[str] = ..., sharpe_ratio: _Optional[float] = ..., sortino_ratio: _Optional[float] = ..., max_drawdown: _Optional[float] = ..., calmar_ratio: _Optional[float] = ..., reasons: _Optional[_Mapping[str, str]] = ..., currency: _Optional[str] = ...) -> None: ...

class UserBehaviorMetrics(_message.Message):
    __slots__ = ("events", "sessions", "active_users", "new_users", "page_views", "impressions", "clicks", "feature_uses", "conversions", "click_through_rate", "conversion_rate", "sessions_per_user", "median_session_minutes", "reasons")
    class ReasonsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_USERS_FIELD_NUMBER: _ClassVar[int]
    NEW_USERS_FIELD_NUMBER: _ClassVar[int]
    PAGE_VIEWS_FIELD_NUMBER: _ClassVar[int]
    IMPRESSIONS_FIELD_NUMBER: _ClassVar[int]
    CLICKS_FIELD_NUMBER: _ClassVar[int]
    FEATURE_USES_FIELD_NUMBER: _ClassVar[int]
    CONVERSIONS_FIELD_NUMBER: _ClassVar[int]
    CLICK_THROUGH_RATE_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_RATE_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_PER_USER_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_SESSION_MINUTES_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    events: int
    sessions: int
    active_users: int
    new_users: int
    page_views: int
    impressions: int
    clicks: int
    feature_uses: int
    conversions: int
    click_through_rate: float
    conversion_rate: float
    sessions_per_user: float
    median_session_minutes: float
    reasons: _containers.ScalarMap[str, str]
    def __init__(self, events: _Optional[int] = ..., sessions: _Optional[int] = ..., active_users: _Optional[int] = ..., new_users: _Optional[int] = ..., page_views: _Optional[int] = ..., impressions: _Optional[int] = ..., clicks: _Optional[int] = ..., feature_uses: _Optional[int] = ..., conversions: _Optional[int] = ..., click_through_rate: _Optional[float] = ..., conversion_rate: _Optional[float] = ..., sessions_per_user: _Optional[float] = ..., median_session_minutes: _Optional[float] = ..., reasons: _Optional[_Mapping[str, str]] = ...) -> None: ...
