"""Signatures of the typed builders; written by `python -m eventlog.publish.signatures`, not by hand."""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal, Unpack

from analytics import business_events_pb2, performance_data_pb2, user_analytics_pb2
from trading import trading_signals_pb2

from eventlog.publish.event import Event, Origin

BUILDERS: dict[str, Callable[..., Event]]

def trading_result(
    *,
    company_id: str,
    user_id: str,
    trade_id: str,
    account_id: str,
    symbol: str,
    side: Literal["long", "short"] | int,
    quantity: float,
    entry_price: float,
    exit_price: float,
    closed_at: int,
    strategy: str | None = ...,
    pnl: float | None = ...,
    fees: float | None = ...,
    currency: str | None = ...,
    opened_at: int | None = ...,
    max_adverse_excursion: float | None = ...,
    max_favourable_excursion: float | None = ...,
    tags: Iterable[str] | None = ...,
    exit_reason: str | None = ...,
    initial_risk: float | None = ...,
    revision: int | None = ...,
    multiplier: float | None = ...,
    quantity_text: str | None = ...,
    entry_price_text: str | None = ...,
    exit_price_text: str | None = ...,
    pnl_text: str | None = ...,
    fees_text: str | None = ...,
    max_adverse_excursion_text: str | None = ...,
    max_favourable_excursion_text: str | None = ...,
    initial_risk_text: str | None = ...,
    multiplier_text: str | None = ...,
    **about: Unpack[Origin],
) -> Event: ...
def trading_result_batch(
    *,
    company_id: str,
    user_id: str,
    items: Iterable[trading_signals_pb2.TradingResult],
    **about: Unpack[Origin],
) -> Event: ...
def trade_cancelled(
    *,
    company_id: str,
    user_id: str = ...,
    trade_id: str,
    revision: int | None = ...,
    reason: str | None = ...,
    **about: Unpack[Origin],
) -> Event: ...
def trade_cancelled_batch(
    *,
    company_id: str,
    user_id: str = ...,
    items: Iterable[trading_signals_pb2.TradeCancelled],
    **about: Unpack[Origin],
) -> Event: ...
def trading_signal(
    *,
    company_id: str,
    user_id: str = ...,
    signal_id: str,
    symbol: str,
    side: Literal["long", "short"] | int,
    strategy: str | None = ...,
    strength: float | None = ...,
    price: float | None = ...,
    stop_price: float | None = ...,
    target_price: float | None = ...,
    tags: Iterable[str] | None = ...,
    **about: Unpack[Origin],
) -> Event: ...
def trading_signal_batch(
    *,
    company_id: str,
    user_id: str = ...,
    items: Iterable[trading_signals_pb2.TradingSignal],
    **about: Unpack[Origin],
) -> Event: ...
def account_flow(
    *,
    company_id: str,
    user_id: str,
    account_id: str,
    amount: float,
    currency: str | None = ...,
    kind: Literal["deposit", "withdrawal", "adjustment"] | int | None = ...,
    amount_text: str | None = ...,
    flow_id: str | None = ...,
    revision: int | None = ...,
    **about: Unpack[Origin],
) -> Event: ...
def account_flow_batch(
    *,
    company_id: str,
    user_id: str,
    items: Iterable[trading_signals_pb2.AccountFlow],
    **about: Unpack[Origin],
) -> Event: ...
def flow_cancelled(
    *,
    company_id: str,
    user_id: str = ...,
    flow_id: str,
    revision: int | None = ...,
    reason: str | None = ...,
    **about: Unpack[Origin],
) -> Event: ...
def flow_cancelled_batch(
    *,
    company_id: str,
    user_id: str = ...,
    items: Iterable[trading_signals_pb2.FlowCancelled],
    **about: Unpack[Origin],
) -> Event: ...
def account_equity(
    *,
    company_id: str,
    user_id: str,
    account_id: str,
    equity: float,
    balance: float | None = ...,
    currency: str | None = ...,
    at: int | None = ...,
    equity_text: str | None = ...,
    balance_text: str | None = ...,
    revision: int | None = ...,
    **about: Unpack[Origin],
) -> Event: ...
def account_equity_batch(
    *,
    company_id: str,
    user_id: str,
    items: Iterable[trading_signals_pb2.AccountEquity],
    **about: Unpack[Origin],
) -> Event: ...
def market_bar(
    *,
    company_id: str,
    user_id: str = ...,
    symbol: str,
    interval: str,
    start: int,
    open: float,
    high: float,
    low: float,
    close: float,
    volume: float | None = ...,
    open_text: str | None = ...,
    high_text: str | None = ...,
    low_text: str | None = ...,
    close_text: str | None = ...,
    volume_text: str | None = ...,
    revision: int | None = ...,
    **about: Unpack[Origin],
) -> Event: ...
def market_bar_batch(
    *,
    company_id: str,
    user_id: str = ...,
    items: Iterable[trading_signals_pb2.MarketBar],
    **about: Unpack[Origin],
) -> Event: ...
def user_event(
    *,
    company_id: str,
    user_id: str,
    name: str,
    session_id: str | None = ...,
    page: str | None = ...,
    feature: str | None = ...,
    properties: Mapping[str, str] | None = ...,
    **about: Unpack[Origin],
) -> Event: ...
def user_event_batch(
    *,
    company_id: str,
    user_id: str,
    items: Iterable[user_analytics_pb2.UserEvent],
    **about: Unpack[Origin],
) -> Event: ...
def system_metric(
    *,
    company_id: str,
    user_id: str = ...,
    service: str,
    metric: str,
    value: float,
    unit: str | None = ...,
    labels: Mapping[str, str] | None = ...,
    **about: Unpack[Origin],
) -> Event: ...
def system_metric_batch(
    *,
    company_id: str,
    user_id: str = ...,
    items: Iterable[performance_data_pb2.SystemMetric],
    **about: Unpack[Origin],
) -> Event: ...
def performance_data(
    *,
    company_id: str,
    user_id: str = ...,
    service: str,
    operation: str,
    duration_ms: float,
    outcome: Literal["ok", "error"] | int | None = ...,
    **about: Unpack[Origin],
) -> Event: ...
def performance_data_batch(
    *,
    company_id: str,
    user_id: str = ...,
    items: Iterable[performance_data_pb2.PerformanceData],
    **about: Unpack[Origin],
) -> Event: ...
def subscription(
    *,
    company_id: str,
    user_id: str = ...,
    event: Literal[
        "trial_started",
        "started",
        "trial_converted",
        "changed",
        "upgraded",
        "downgraded",
        "quantity_changed",
        "cancel_scheduled",
        "canceled",
        "paused",
        "resumed",
        "reactivated",
    ]
    | int,
    customer_id: str,
    subscription_id: str,
    plan: str | None = ...,
    tier: str | None = ...,
    interval: Literal["day", "week", "month", "quarter", "year"] | int | None = ...,
    interval_count: int | None = ...,
    unit_amount: float | None = ...,
    quantity: float | None = ...,
    discount_pct: float | None = ...,
    discount_lasting: bool | None = ...,
    currency: str | None = ...,
    effective_at: int | None = ...,
    recorded_at: int | None = ...,
    sequence: int | None = ...,
    change_id: str | None = ...,
    revision: int | None = ...,
    unit_amount_text: str | None = ...,
    quantity_text: str | None = ...,
    discount_pct_text: str | None = ...,
    **about: Unpack[Origin],
) -> Event: ...
def subscription_batch(
    *,
    company_id: str,
    user_id: str = ...,
    items: Iterable[business_events_pb2.SubscriptionEvent],
    **about: Unpack[Origin],
) -> Event: ...
def subscription_change_cancelled(
    *,
    company_id: str,
    user_id: str = ...,
    customer_id: str,
    change_id: str,
    revision: int | None = ...,
    reason: str | None = ...,
    **about: Unpack[Origin],
) -> Event: ...
def subscription_change_cancelled_batch(
    *,
    company_id: str,
    user_id: str = ...,
    items: Iterable[business_events_pb2.SubscriptionChangeCancelled],
    **about: Unpack[Origin],
) -> Event: ...
def payment(
    *,
    company_id: str,
    user_id: str = ...,
    customer_id: str,
    kind: Literal["succeeded", "failed", "refunded", "recovered"] | int,
    amount: float,
    invoice_id: str | None = ...,
    fee: float | None = ...,
    currency: str | None = ...,
    amount_text: str | None = ...,
    fee_text: str | None = ...,
    payment_id: str | None = ...,
    revision: int | None = ...,
    **about: Unpack[Origin],
) -> Event: ...
def payment_batch(
    *,
    company_id: str,
    user_id: str = ...,
    items: Iterable[business_events_pb2.PaymentEvent],
    **about: Unpack[Origin],
) -> Event: ...
def payment_cancelled(
    *,
    company_id: str,
    user_id: str = ...,
    payment_id: str,
    revision: int | None = ...,
    reason: str | None = ...,
    customer_id: str | None = ...,
    **about: Unpack[Origin],
) -> Event: ...
def payment_cancelled_batch(
    *,
    company_id: str,
    user_id: str = ...,
    items: Iterable[business_events_pb2.PaymentCancelled],
    **about: Unpack[Origin],
) -> Event: ...
def acquisition_cost(
    *,
    company_id: str,
    user_id: str = ...,
    channel: str,
    cost: float,
    campaign: str | None = ...,
    currency: str | None = ...,
    cost_text: str | None = ...,
    cost_id: str | None = ...,
    revision: int | None = ...,
    **about: Unpack[Origin],
) -> Event: ...
def acquisition_cost_batch(
    *,
    company_id: str,
    user_id: str = ...,
    items: Iterable[business_events_pb2.AcquisitionCost],
    **about: Unpack[Origin],
) -> Event: ...
def cost_cancelled(
    *,
    company_id: str,
    user_id: str = ...,
    cost_id: str,
    revision: int | None = ...,
    reason: str | None = ...,
    **about: Unpack[Origin],
) -> Event: ...
def cost_cancelled_batch(
    *,
    company_id: str,
    user_id: str = ...,
    items: Iterable[business_events_pb2.CostCancelled],
    **about: Unpack[Origin],
) -> Event: ...
def exchange_rate(
    *,
    company_id: str,
    user_id: str = ...,
    base: str,
    quote: str,
    rate: float,
    at: int | None = ...,
    source: str | None = ...,
    **about: Unpack[Origin],
) -> Event: ...
def exchange_rate_batch(
    *,
    company_id: str,
    user_id: str = ...,
    items: Iterable[business_events_pb2.ExchangeRate],
    **about: Unpack[Origin],
) -> Event: ...
def survey_response(
    *,
    company_id: str,
    user_id: str = ...,
    survey: Literal["nps", "csat", "ces"] | int,
    score: float,
    respondent_id: str,
    response_id: str | None = ...,
    revision: int | None = ...,
    **about: Unpack[Origin],
) -> Event: ...
def survey_response_batch(
    *,
    company_id: str,
    user_id: str = ...,
    items: Iterable[business_events_pb2.SurveyResponse],
    **about: Unpack[Origin],
) -> Event: ...
def response_cancelled(
    *,
    company_id: str,
    user_id: str = ...,
    response_id: str,
    revision: int | None = ...,
    reason: str | None = ...,
    **about: Unpack[Origin],
) -> Event: ...
def response_cancelled_batch(
    *,
    company_id: str,
    user_id: str = ...,
    items: Iterable[business_events_pb2.ResponseCancelled],
    **about: Unpack[Origin],
) -> Event: ...
def support_ticket(
    *,
    company_id: str,
    user_id: str = ...,
    ticket_id: str,
    event: Literal["opened", "first_response", "resolved", "reopened"] | int,
    step_id: str | None = ...,
    revision: int | None = ...,
    **about: Unpack[Origin],
) -> Event: ...
def support_ticket_batch(
    *,
    company_id: str,
    user_id: str = ...,
    items: Iterable[business_events_pb2.SupportTicketEvent],
    **about: Unpack[Origin],
) -> Event: ...
def ticket_step_cancelled(
    *,
    company_id: str,
    user_id: str = ...,
    step_id: str,
    revision: int | None = ...,
    reason: str | None = ...,
    **about: Unpack[Origin],
) -> Event: ...
def ticket_step_cancelled_batch(
    *,
    company_id: str,
    user_id: str = ...,
    items: Iterable[business_events_pb2.TicketStepCancelled],
    **about: Unpack[Origin],
) -> Event: ...
def config_event(
    *,
    company_id: str,
    user_id: str = ...,
    topic: str,
    aggregate_id: str,
    aggregate_version: int | None = ...,
    body: str | None = ...,
    actor: str | None = ...,
    role: str | None = ...,
    **about: Unpack[Origin],
) -> Event: ...
def audit_event(
    *,
    company_id: str,
    user_id: str = ...,
    subject: str,
    action: str,
    outcome: str,
    role: str | None = ...,
    target: str | None = ...,
    position: str | None = ...,
    code: str | None = ...,
    door: str | None = ...,
    count: int | None = ...,
    correlation: str | None = ...,
    **about: Unpack[Origin],
) -> Event: ...
def prediction(
    *,
    company_id: str,
    user_id: str = ...,
    what: str,
    method: str,
    due_at: int,
    subject: str | None = ...,
    filters: str | None = ...,
    method_version: int | None = ...,
    horizon_days: int | None = ...,
    probability: float | None = ...,
    value: float | None = ...,
    low_80: float | None = ...,
    high_80: float | None = ...,
    low_95: float | None = ...,
    high_95: float | None = ...,
    naive_error: float | None = ...,
    **about: Unpack[Origin],
) -> Event: ...
def alert_transition(
    *,
    company_id: str,
    user_id: str = ...,
    rule_id: str,
    before: str,
    after: str,
    at: int,
    since: int,
    rule: str | None = ...,
    severity: str | None = ...,
    series: str | None = ...,
    value: str | None = ...,
    condition: str | None = ...,
    reason: str | None = ...,
    every_seconds: int | None = ...,
    **about: Unpack[Origin],
) -> Event: ...
def quarantined_event(
    *,
    company_id: str,
    user_id: str = ...,
    code: str,
    reason: str | None = ...,
    stream: str | None = ...,
    origin: str | None = ...,
    raw: bytes | None = ...,
    **about: Unpack[Origin],
) -> Event: ...
