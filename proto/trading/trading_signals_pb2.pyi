from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Side(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SIDE_UNSPECIFIED: _ClassVar[Side]
    LONG: _ClassVar[Side]
    SHORT: _ClassVar[Side]
SIDE_UNSPECIFIED: Side
LONG: Side
SHORT: Side

class TradingSignal(_message.Message):
    __slots__ = ("signal_id", "symbol", "strategy", "side", "strength", "price", "stop_price", "target_price", "tags")
    SIGNAL_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    STRENGTH_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    STOP_PRICE_FIELD_NUMBER: _ClassVar[int]
    TARGET_PRICE_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    signal_id: str
    symbol: str
    strategy: str
    side: Side
    strength: float
    price: float
    stop_price: float
    target_price: float
    tags: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, signal_id: _Optional[str] = ..., symbol: _Optional[str] = ..., strategy: _Optional[str] = ..., side: _Optional[_Union[Side, str]] = ..., strength: _Optional[float] = ..., price: _Optional[float] = ..., stop_price: _Optional[float] = ..., target_price: _Optional[float] = ..., tags: _Optional[_Iterable[str]] = ...) -> None: ...

class TradingSignalBatch(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[TradingSignal]
    def __init__(self, items: _Optional[_Iterable[_Union[TradingSignal, _Mapping]]] = ...) -> None: ...

class TradingResult(_message.Message):
    __slots__ = ("trade_id", "account_id", "symbol", "strategy", "side", "quantity", "entry_price", "exit_price", "pnl", "fees", "currency", "opened_at", "closed_at", "max_adverse_excursion", "max_favourable_excursion", "tags", "exit_reason", "initial_risk", "revision", "multiplier", "quantity_text", "entry_price_text", "exit_price_text", "pnl_text", "fees_text", "max_adverse_excursion_text", "max_favourable_excursion_text", "initial_risk_text", "multiplier_text")
    TRADE_ID_FIELD_NUMBER: _ClassVar[int]
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
    MAX_ADVERSE_EXCURSION_FIELD_NUMBER: _ClassVar[int]
    MAX_FAVOURABLE_EXCURSION_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    EXIT_REASON_FIELD_NUMBER: _ClassVar[int]
    INITIAL_RISK_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    MULTIPLIER_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_TEXT_FIELD_NUMBER: _ClassVar[int]
    ENTRY_PRICE_TEXT_FIELD_NUMBER: _ClassVar[int]
    EXIT_PRICE_TEXT_FIELD_NUMBER: _ClassVar[int]
    PNL_TEXT_FIELD_NUMBER: _ClassVar[int]
    FEES_TEXT_FIELD_NUMBER: _ClassVar[int]
    MAX_ADVERSE_EXCURSION_TEXT_FIELD_NUMBER: _ClassVar[int]
    MAX_FAVOURABLE_EXCURSION_TEXT_FIELD_NUMBER: _ClassVar[int]
    INITIAL_RISK_TEXT_FIELD_NUMBER: _ClassVar[int]
    MULTIPLIER_TEXT_FIELD_NUMBER: _ClassVar[int]
    trade_id: str
    account_id: str
    symbol: str
    strategy: str
    side: Side
    quantity: float
    entry_price: float
    exit_price: float
    pnl: float
    fees: float
    currency: str
    opened_at: int
    closed_at: int
    max_adverse_excursion: float
    max_favourable_excursion: float
    tags: _containers.RepeatedScalarFieldContainer[str]
    exit_reason: str
    initial_risk: float
    revision: int
    multiplier: float
    quantity_text: str
    entry_price_text: str
    exit_price_text: str
    pnl_text: str
    fees_text: str
    max_adverse_excursion_text: str
    max_favourable_excursion_text: str
    initial_risk_text: str
    multiplier_text: str
    def __init__(self, trade_id: _Optional[str] = ..., account_id: _Optional[str] = ..., symbol: _Optional[str] = ..., strategy: _Optional[str] = ..., side: _Optional[_Union[Side, str]] = ..., quantity: _Optional[float] = ..., entry_price: _Optional[float] = ..., exit_price: _Optional[float] = ..., pnl: _Optional[float] = ..., fees: _Optional[float] = ..., currency: _Optional[str] = ..., opened_at: _Optional[int] = ..., closed_at: _Optional[int] = ..., max_adverse_excursion: _Optional[float] = ..., max_favourable_excursion: _Optional[float] = ..., tags: _Optional[_Iterable[str]] = ..., exit_reason: _Optional[str] = ..., initial_risk: _Optional[float] = ..., revision: _Optional[int] = ..., multiplier: _Optional[float] = ..., quantity_text: _Optional[str] = ..., entry_price_text: _Optional[str] = ..., exit_price_text: _Optional[str] = ..., pnl_text: _Optional[str] = ..., fees_text: _Optional[str] = ..., max_adverse_excursion_text: _Optional[str] = ..., max_favourable_excursion_text: _Optional[str] = ..., initial_risk_text: _Optional[str] = ..., multiplier_text: _Optional[str] = ...) -> None: ...

class TradingResultBatch(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[TradingResult]
    def __init__(self, items: _Optional[_Iterable[_Union[TradingResult, _Mapping]]] = ...) -> None: ...

class TradeCancelled(_message.Message):
    __slots__ = ("trade_id", "revision", "reason")
    TRADE_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    trade_id: str
    revision: int
    reason: str
    def __init__(self, trade_id: _Optional[str] = ..., revision: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class TradeCancelledBatch(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[TradeCancelled]
    def __init__(self, items: _Optional[_Iterable[_Union[TradeCancelled, _Mapping]]] = ...) -> None: ...

class AccountFlow(_message.Message):
    __slots__ = ("account_id", "amount", "currency", "kind", "amount_text", "flow_id", "revision")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[AccountFlow.Kind]
        DEPOSIT: _ClassVar[AccountFlow.Kind]
        WITHDRAWAL: _ClassVar[AccountFlow.Kind]
        ADJUSTMENT: _ClassVar[AccountFlow.Kind]
    KIND_UNSPECIFIED: AccountFlow.Kind
    DEPOSIT: AccountFlow.Kind
    WITHDRAWAL: AccountFlow.Kind
    ADJUSTMENT: AccountFlow.Kind
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_TEXT_FIELD_NUMBER: _ClassVar[int]
    FLOW_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    amount: float
    currency: str
    kind: AccountFlow.Kind
    amount_text: str
    flow_id: str
    revision: int
    def __init__(self, account_id: _Optional[str] = ..., amount: _Optional[float] = ..., currency: _Optional[str] = ..., kind: _Optional[_Union[AccountFlow.Kind, str]] = ..., amount_text: _Optional[str] = ..., flow_id: _Optional[str] = ..., revision: _Optional[int] = ...) -> None: ...

class FlowCancelled(_message.Message):
    __slots__ = ("flow_id", "revision", "reason")
    FLOW_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    flow_id: str
    revision: int
    reason: str
    def __init__(self, flow_id: _Optional[str] = ..., revision: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class FlowCancelledBatch(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[FlowCancelled]
    def __init__(self, items: _Optional[_Iterable[_Union[FlowCancelled, _Mapping]]] = ...) -> None: ...

class AccountFlowBatch(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[AccountFlow]
    def __init__(self, items: _Optional[_Iterable[_Union[AccountFlow, _Mapping]]] = ...) -> None: ...

class AccountEquity(_message.Message):
    __slots__ = ("account_id", "equity", "balance", "currency", "at", "equity_text", "balance_text", "revision")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    EQUITY_FIELD_NUMBER: _ClassVar[int]
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    EQUITY_TEXT_FIELD_NUMBER: _ClassVar[int]
    BALANCE_TEXT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    equity: float
    balance: float
    currency: str
    at: int
    equity_text: str
    balance_text: str
    revision: int
    def __init__(self, account_id: _Optional[str] = ..., equity: _Optional[float] = ..., balance: _Optional[float] = ..., currency: _Optional[str] = ..., at: _Optional[int] = ..., equity_text: _Optional[str] = ..., balance_text: _Optional[str] = ..., revision: _Optional[int] = ...) -> None: ...

class AccountEquityBatch(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[AccountEquity]
    def __init__(self, items: _Optional[_Iterable[_Union[AccountEquity, _Mapping]]] = ...) -> None: ...

class MarketBar(_message.Message):
    __slots__ = ("symbol", "interval", "start", "open", "high", "low", "close", "volume", "open_text", "high_text", "low_text", "close_text", "volume_text", "revision")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    OPEN_TEXT_FIELD_NUMBER: _ClassVar[int]
    HIGH_TEXT_FIELD_NUMBER: _ClassVar[int]
    LOW_TEXT_FIELD_NUMBER: _ClassVar[int]
    CLOSE_TEXT_FIELD_NUMBER: _ClassVar[int]
    VOLUME_TEXT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    interval: str
    start: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    open_text: str
    high_text: str
    low_text: str
    close_text: str
    volume_text: str
    revision: int
    def __init__(self, symbol: _Optional[str] = ..., interval: _Optional[str] = ..., start: _Optional[int] = ..., open: _Optional[float] = ..., high: _Optional[float] = ..., low: _Optional[float] = ..., close: _Optional[float] = ..., volume: _Optional[float] = ..., open_text: _Optional[str] = ..., high_text: _Optional[str] = ..., low_text: _Optional[str] = ..., close_text: _Optional[str] = ..., volume_text: _Optional[str] = ..., revision: _Optional[int] = ...) -> None: ...

class MarketBarBatch(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[MarketBar]
    def __init__(self, items: _Optional[_Iterable[_Union[MarketBar, _Mapping]]] = ...) -> None: ...
