"""The event catalogue: every event type of the platform, its stream, its messages, and what a good one must have.

One table, two readers: `domain/events/validation.py` checks one event in Python at the doors, the projection engine
checks whole batches as columns. Both follow the same rules, and a property test holds them to it.

Rules that hold for every type and are not repeated in the table:
every double must be finite and lie within what `domain/decimals.py` keeps, and is changed by that by one part in a
million at most, unless it is `measured`; every text is at most `MAX_TEXT` bytes, a document at
most `MAX_DOCUMENT`; every time lies in [`EARLIEST`, `LATEST`), but not in `SECONDS`, unless it is optional and absent
(0); and, but for those that are `ahead`, at most `MOST_AHEAD` beyond the time at which the log took the event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import inf
from types import MappingProxyType

from analytics import business_events_pb2 as business
from analytics import control_events_pb2 as control
from analytics import performance_data_pb2 as performance
from analytics import user_analytics_pb2 as users
from google.protobuf.message import Message
from trading import trading_signals_pb2 as trading

from domain.events.products import Product

EARLIEST = 1  # ms since 1970 UTC: 0 means "absent" on the wire
LATEST = 4_102_444_800_000  # 2100-01-01 UTC; fixed, because a fold must not look at a clock
SECONDS = (1_000_000_000, LATEST // 1_000)  # a time in here is one of 2001 to 2100 that was given in seconds
MOST_AHEAD = 86_400_000  # ms that an event may lie beyond the time at which the log took it
MAX_TEXT = 4_096  # bytes of one text field
MAX_DOCUMENT = 262_144  # bytes of a text field that holds a whole document
MAX_EVENT = 1_048_576  # bytes of one serialised envelope
MAX_FACTS = 10_000  # facts in one batch event
COMPANY_ID = r"^[A-Za-z0-9_-]{1,64}$"  # it is a token of NATS subjects and the first part of log keys
MAX_ID = 256  # bytes of user_id, event_id, correlation_id and other envelope texts

STREAMS = (
    "trading-events",
    "user-behavior",
    "performance-data",
    "business-events",
    "config-events",
    "audit-events",
    "insight-events",
    "quarantine",
)


@dataclass(frozen=True, slots=True)
class Scale:
    """Where a number that is there lies: within `low` and `high`, of `whole` ones between them; where `of`, an enum,
    is that `value`, always where it is empty.
    """

    field: str
    low: float
    high: float
    of: str = ""
    value: int = 0
    whole: bool = False


@dataclass(frozen=True)
class EventType:
    """One row of the catalogue.

    `required`: fields that must be present and not empty (enums: not UNSPECIFIED; doubles are `optional` in the proto
    files, so that 0 is a value and absence is not). `times`: int64 ms fields, of which
    those in `required` must be set. `event_time`: the field that is the event's time; "timestamp" is the envelope's.
    `ahead`: those of `times` that tell of what is still to come.
    `choices`: text fields with a closed set of values. `documents`: text fields that hold a whole document.
    `positive`/`not_negative`: doubles with that bound. `scales`: narrower ones, which another field may choose.
    `currencies`: texts that are codes of currencies.
    `rising`: pairs of fields of which the first, where both are there, is not above the second.
    `measured`: doubles that are rounded however fine they are. `products`: columns that follow from several of them.
    `identity`: fields by which two events of a company report the same fact: the last report counts. Where one is
    empty, the event stands for itself. `takes_back`: the type whose facts, of the same identity, count no more.
    `schema_version`: the newest one known; older ones are read through `domain/events/upcasting.py`.
    """

    name: str
    stream: str
    message: type[Message]
    batch: type[Message] | None = None
    required: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    ahead: tuple[str, ...] = ()
    event_time: str = "timestamp"
    choices: tuple[tuple[str, tuple[str, ...]], ...] = ()
    positive: tuple[str, ...] = ()
    not_negative: tuple[str, ...] = ()
    scales: tuple[Scale, ...] = ()
    rising: tuple[tuple[str, str], ...] = ()
    measured: tuple[str, ...] = ()
    products: tuple[Product, ...] = ()
    currencies: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    of_user: bool = False
    identity: tuple[str, ...] = ()
    takes_back: str = ""
    schema_version: int = 1

    @cached_property
    def batch_name(self) -> str:
        """Message type of the batch form."""
        return f"{self.name}_batch"


ALERT_STATES = ("normal", "pending", "firing", "recovering", "no_data", "error")
LEGS = ("entry_price", "exit_price")
TRADED = (
    Product("price_gain", LEGS, ("quantity", "multiplier")),
    Product("turnover", LEGS, ("quantity", "multiplier"), total=True),
)
INTERVALS = ("1m", "5m", "15m", "1h", "1d")
BILLED = business.SubscriptionEvent
CENTURY = {BILLED.DAY: 36_500, BILLED.WEEK: 5_200, BILLED.MONTH: 1_200, BILLED.QUARTER: 400, BILLED.YEAR: 100}
SURVEYS = {
    business.SurveyResponse.NPS: (0, 10),
    business.SurveyResponse.CSAT: (1, 5),
    business.SurveyResponse.CES: (1, 7),
}

CATALOGUE: tuple[EventType, ...] = (
    EventType(
        "trading_result",
        "trading-events",
        trading.TradingResult,
        trading.TradingResultBatch,
        required=("trade_id", "account_id", "symbol", "side", "quantity", "entry_price", "exit_price", "closed_at"),
        times=("opened_at", "closed_at"),
        event_time="closed_at",
        positive=("quantity",),
        scales=(
            Scale("multiplier", 1e-12, 1e12),
            Scale("max_adverse_excursion", -inf, 0),
            Scale("max_favourable_excursion", 0, inf),
        ),
        rising=(("opened_at", "closed_at"),),
        products=TRADED,
        of_user=True,
        identity=("trade_id",),
    ),
    EventType(
        "trade_cancelled",
        "trading-events",
        trading.TradeCancelled,
        trading.TradeCancelledBatch,
        required=("trade_id",),
        identity=("trade_id",),
        takes_back="trading_result",
    ),
    EventType(
        "trading_signal",
        "trading-events",
        trading.TradingSignal,
        trading.TradingSignalBatch,
        required=("signal_id", "symbol", "side"),
        scales=(Scale("strength", 0, 1),),
        measured=("strength",),
    ),
    EventType(
        "account_flow",
        "trading-events",
        trading.AccountFlow,
        trading.AccountFlowBatch,
        required=("account_id", "amount"),
        of_user=True,
        identity=("flow_id",),
    ),
    EventType(
        "flow_cancelled",
        "trading-events",
        trading.FlowCancelled,
        trading.FlowCancelledBatch,
        required=("flow_id",),
        identity=("flow_id",),
        takes_back="account_flow",
    ),
    EventType(
        "account_equity",
        "trading-events",
        trading.AccountEquity,
        trading.AccountEquityBatch,
        required=("account_id", "equity"),
        times=("at",),
        event_time="at",
        of_user=True,
        identity=("account_id", "at"),
    ),
    EventType(
        "market_bar",
        "trading-events",
        trading.MarketBar,
        trading.MarketBarBatch,
        required=("symbol", "interval", "start", "open", "high", "low", "close"),
        times=("start",),
        event_time="start",
        choices=(("interval", INTERVALS),),
        not_negative=("volume",),
        rising=(("low", "high"), ("low", "open"), ("low", "close"), ("open", "high"), ("close", "high")),
        identity=("symbol", "interval", "start"),
    ),
    EventType(
        "user_event",
        "user-behavior",
        users.UserEvent,
        users.UserEventBatch,
        required=("name",),
        of_user=True,
    ),
    EventType(
        "system_metric",
        "performance-data",
        performance.SystemMetric,
        performance.SystemMetricBatch,
        required=("service", "metric", "value"),
        measured=("value",),
    ),
    EventType(
        "performance_data",
        "performance-data",
        performance.PerformanceData,
        performance.PerformanceDataBatch,
        required=("service", "operation", "duration_ms"),
        measured=("duration_ms",),
        not_negative=("duration_ms",),
    ),
    EventType(
        "subscription",
        "business-events",
        business.SubscriptionEvent,
        business.SubscriptionEventBatch,
        required=("event", "customer_id", "subscription_id"),
        times=("effective_at", "recorded_at"),
        ahead=("effective_at",),
        event_time="effective_at",
        not_negative=("unit_amount", "quantity", "discount_pct"),
        scales=(
            Scale("discount_pct", 0, 100),
            Scale("interval_count", 0, CENTURY[BILLED.MONTH], "interval", BILLED.INTERVAL_UNSPECIFIED, whole=True),
            *(Scale("interval_count", 0, most, "interval", unit, whole=True) for unit, most in CENTURY.items()),
        ),
        identity=("customer_id", "change_id"),
    ),
    EventType(
        "subscription_change_cancelled",
        "business-events",
        business.SubscriptionChangeCancelled,
        business.SubscriptionChangeCancelledBatch,
        required=("customer_id", "change_id"),
        identity=("customer_id", "change_id"),
        takes_back="subscription",
    ),
    EventType(
        "payment",
        "business-events",
        business.PaymentEvent,
        business.PaymentEventBatch,
        required=("customer_id", "kind", "amount"),
        not_negative=("amount", "fee"),
        identity=("payment_id",),
    ),
    EventType(
        "payment_cancelled",
        "business-events",
        business.PaymentCancelled,
        business.PaymentCancelledBatch,
        required=("payment_id",),
        identity=("payment_id",),
        takes_back="payment",
    ),
    EventType(
        "acquisition_cost",
        "business-events",
        business.AcquisitionCost,
        business.AcquisitionCostBatch,
        required=("channel", "cost"),
        not_negative=("cost",),
        identity=("cost_id",),
    ),
    EventType(
        "cost_cancelled",
        "business-events",
        business.CostCancelled,
        business.CostCancelledBatch,
        required=("cost_id",),
        identity=("cost_id",),
        takes_back="acquisition_cost",
    ),
    EventType(
        "exchange_rate",
        "business-events",
        business.ExchangeRate,
        business.ExchangeRateBatch,
        required=("base", "quote", "rate"),
        times=("at",),
        event_time="at",
        positive=("rate",),
        currencies=("base", "quote"),
    ),
    EventType(
        "survey_response",
        "business-events",
        business.SurveyResponse,
        business.SurveyResponseBatch,
        required=("survey", "score", "respondent_id"),
        not_negative=("score",),
        scales=tuple(Scale("score", *ends, "survey", survey, whole=True) for survey, ends in SURVEYS.items()),
        identity=("response_id",),
    ),
    EventType(
        "response_cancelled",
        "business-events",
        business.ResponseCancelled,
        business.ResponseCancelledBatch,
        required=("response_id",),
        identity=("response_id",),
        takes_back="survey_response",
    ),
    EventType(
        "support_ticket",
        "business-events",
        business.SupportTicketEvent,
        business.SupportTicketEventBatch,
        required=("ticket_id", "event"),
        identity=("step_id",),
    ),
    EventType(
        "ticket_step_cancelled",
        "business-events",
        business.TicketStepCancelled,
        business.TicketStepCancelledBatch,
        required=("step_id",),
        identity=("step_id",),
        takes_back="support_ticket",
    ),
    EventType(
        "config_event",
        "config-events",
        control.ConfigEvent,
        required=("topic", "aggregate_id"),
        documents=("body",),
    ),
    EventType("audit_event", "audit-events", control.AuditEvent, required=("subject", "action", "outcome")),
    EventType(
        "prediction",
        "insight-events",
        control.Prediction,
        required=("what", "method", "due_at"),
        measured=("probability", "value", "low_80", "high_80", "low_95", "high_95", "naive_error"),
        times=("due_at",),
        ahead=("due_at",),
    ),
    EventType(
        "alert_transition",
        "insight-events",
        control.AlertTransition,
        required=("rule_id", "before", "after", "at", "since"),
        times=("at", "since"),
        event_time="at",
        choices=(("before", ALERT_STATES), ("after", ALERT_STATES)),
        documents=("series",),
    ),
    EventType("quarantined_event", "quarantine", control.QuarantinedEvent, required=("code",)),
)

BY_NAME: Mapping[str, EventType] = MappingProxyType({t.name: t for t in CATALOGUE})
BATCHES: Mapping[str, EventType] = MappingProxyType({t.batch_name: t for t in CATALOGUE if t.batch is not None})


def event_type(message_type: str) -> EventType | None:
    """The catalogue's entry for a message type, in its single or batch form; None if there is none."""
    return BY_NAME.get(message_type) or BATCHES.get(message_type)


def longest_text(kind: EventType, field: str) -> int:
    """Bytes that a text field of the type may have."""
    return MAX_DOCUMENT if field in kind.documents else MAX_TEXT


def is_time(value: int) -> bool:
    """Whether a number is a time in ms since 1970 UTC, and none that was given in seconds."""
    return EARLIEST <= value < LATEST and not SECONDS[0] <= value < SECONDS[1]


def log_key(company_id: str, user_id: str) -> bytes:
    """Key that orders events in the log: one user's events stay in one partition, a large tenant still spreads."""
    return f"{company_id}:{user_id}".encode() if user_id else company_id.encode()
