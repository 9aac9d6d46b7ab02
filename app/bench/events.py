"""Made-up events for measuring: the same ones for the same number, of every type that comes from outside.

10,000 users of 20 companies act within one hour: sessions of some 20 events, 100 series of metrics, 200 symbols.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from random import Random

from analytics.business_events_pb2 import (
    AcquisitionCost,
    PaymentEvent,
    SubscriptionEvent,
    SupportTicketEvent,
    SurveyResponse,
)
from analytics.performance_data_pb2 import PerformanceData, SystemMetric
from analytics.user_analytics_pb2 import UserEvent
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from google.protobuf.message import Message
from trading.trading_signals_pb2 import LONG, SHORT, AccountEquity, AccountFlow, MarketBar, TradingResult

from domain.events.catalogue import BY_NAME, log_key
from domain.ports import Record

BEGIN = 1_760_000_400_000  # 2025-10-09 09:00 UTC, a full hour
SPAN = 3_600_000  # ms
USERS, COMPANIES, SYMBOLS = 10_000, 20, 200
FACTS = 50  # in one batch event
PRODUCER = "bench"

NAMES = ("page_view", "page_view", "page_view", "impression", "click", "feature_used", "feature_used", "conversion")


def _user_event(chance: Random, number: int, at: int) -> Message:
    name = "session_started" if number % 20 == 0 else chance.choice(NAMES)
    feature = f"feature-{number % 7}" if name == "feature_used" else ""
    return UserEvent(name=name, session_id=f"s{at // 600_000}", page=f"/page/{number % 40}", feature=feature)


def _trading_result(chance: Random, number: int, at: int) -> Message:
    price = chance.randrange(1_000, 50_000) / 100
    return TradingResult(
        trade_id=f"t{number}",
        account_id=f"a{number % 3}",
        symbol=f"SYM{chance.randrange(SYMBOLS)}",
        strategy=f"strategy-{number % 5}",
        side=LONG if number % 2 else SHORT,
        quantity=10,
        entry_price=price,
        exit_price=price + chance.randrange(-200, 210) / 100,
        pnl=chance.randrange(-200, 210) / 10,
        fees=1,
        currency="USD",
        opened_at=at - 600_000,
        closed_at=at,
    )


def _system_metric(chance: Random, number: int, at: int) -> Message:
    value = round(chance.lognormvariate(3, 1), 3)
    return SystemMetric(service=f"service-{number % 20}", metric=f"metric-{number // 20 % 5}", value=value, unit="ms")


def _performance_data(chance: Random, number: int, at: int) -> Message:
    took = round(chance.lognormvariate(3, 1), 3)
    outcome = PerformanceData.ERROR if number % 50 == 0 else PerformanceData.OK
    return PerformanceData(
        service=f"service-{number % 20}", operation=f"op-{number // 20 % 5}", duration_ms=took, outcome=outcome
    )


def _market_bar(chance: Random, number: int, at: int) -> Message:
    price = chance.randrange(1_000, 50_000) / 100
    return MarketBar(
        symbol=f"SYM{number % SYMBOLS}",
        interval="1m",
        start=at // 60_000 * 60_000,
        open=price,
        high=price + 1,
        low=price - 1,
        close=price + 0.5,
        volume=1_000,
    )


def _account_flow(chance: Random, number: int, at: int) -> Message:
    return AccountFlow(account_id=f"a{number % 3}", amount=chance.randrange(-500, 1_000), currency="USD")


def _account_equity(chance: Random, number: int, at: int) -> Message:
    equity = chance.randrange(1_000, 90_000)
    return AccountEquity(account_id=f"a{number % 3}", equity=equity, balance=equity, currency="USD", at=at)


def _payment(chance: Random, number: int, at: int) -> Message:
    return PaymentEvent(
        payment_id=f"p{number}",
        customer_id=f"c{number}",
        invoice_id=f"i{number}",
        kind=PaymentEvent.SUCCEEDED,
        amount=49,
        fee=1.7,
        currency="USD",
    )


def _subscription(chance: Random, number: int, at: int) -> Message:
    return SubscriptionEvent(
        event=SubscriptionEvent.STARTED if number % 2 else SubscriptionEvent.CHANGED,
        customer_id=f"c{number // 4}",
        subscription_id=f"sub{number // 4}",
        plan=f"plan-{number % 3}",
        tier="PRO",
        interval=SubscriptionEvent.MONTH,
        interval_count=1,
        unit_amount=49,
        quantity=1 + number % 4,
        currency="USD",
        effective_at=at,
    )


def _acquisition_cost(chance: Random, number: int, at: int) -> Message:
    return AcquisitionCost(channel=f"channel-{number % 5}", campaign=f"c{number % 20}", cost=12.5, currency="USD")


def _survey_response(chance: Random, number: int, at: int) -> Message:
    return SurveyResponse(survey=SurveyResponse.NPS, score=chance.randrange(11), respondent_id=f"r{number}")


def _support_ticket(chance: Random, number: int, at: int) -> Message:
    return SupportTicketEvent(step_id=f"s{number}", ticket_id=f"t{number // 2}", event=TICKET[number % 2])


TICKET = (SupportTicketEvent.OPENED, SupportTicketEvent.RESOLVED)


# event type → (share in a hundred, how a fact of it is made)
MIX: dict[str, tuple[int, Callable[[Random, int, int], Message]]] = {
    "user_event": (37, _user_event),
    "trading_result": (25, _trading_result),
    "system_metric": (15, _system_metric),
    "performance_data": (10, _performance_data),
    "market_bar": (4, _market_bar),
    "account_flow": (2, _account_flow),
    "account_equity": (2, _account_equity),
    "payment": (1, _payment),
    "subscription": (1, _subscription),
    "acquisition_cost": (1, _acquisition_cost),
    "survey_response": (1, _survey_response),
    "support_ticket": (1, _support_ticket),
}


def envelopes(
    count: int,
    types: Sequence[str] = tuple(MIX),
    *,
    facts: int = 1,
    producer: str = PRODUCER,
    begin: int = BEGIN,
    span: int = SPAN,
) -> Iterator[AnalyticsProcessingEnvelope]:
    """So many events of these types in their shares, in order of time within `span` ms; stamped by a given producer."""
    chance = Random(7)
    ends = list(accumulate(MIX[name][0] for name in types))
    for number in range(count):
        name = chance.choices(types, cum_weights=ends)[0]
        at = begin + number * span // count
        user = chance.randrange(USERS)
        envelope = AnalyticsProcessingEnvelope(
            message_type=name,
            company_id=f"company-{user % COMPANIES}",
            user_id=f"user-{user}",
            timestamp=at,
            service_source="bench",
            event_id=f"0199c8aa-0000-7000-8000-{number:012x}",
            producer_id=producer,
            producer_seq=number + 1 if producer else 0,
        )
        if facts > 1:
            envelope.message_type = BY_NAME[name].batch_name
        envelope.payload = _payload(chance, name, number, at, facts)
        yield envelope


def _payload(chance: Random, name: str, number: int, at: int, facts: int) -> bytes:
    make = MIX[name][1]
    if facts == 1:
        return make(chance, number, at).SerializeToString()
    kind = BY_NAME[name]
    assert kind.batch is not None
    several = kind.batch()
    several.items.extend(make(chance, number * facts + i, at) for i in range(facts))  # type: ignore[attr-defined]  # all have it
    return several.SerializeToString()


def record(envelope: AnalyticsProcessingEnvelope) -> Record:
    """The log's record of an event, as a publisher makes it but without headers."""
    kind = BY_NAME[envelope.message_type.removesuffix("_batch")]
    key = log_key(envelope.company_id, envelope.user_id)
    return Record(kind.stream, key, envelope.SerializeToString(), envelope.timestamp)


def pieces(events: Iterator[AnalyticsProcessingEnvelope], size: int = 5_000) -> Iterator[list[Record]]:
    """Records in pieces of the size that a publisher appends."""
    piece: list[Record] = []
    for envelope in events:
        piece.append(record(envelope))
        if len(piece) == size:
            yield piece
            piece = []
    if piece:
        yield piece
