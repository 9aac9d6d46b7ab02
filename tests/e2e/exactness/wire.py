"""How a producer puts an event on the wire: as a line of NDJSON, or as an envelope; and how it can go wrong."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from analytics import business_events_pb2 as business
from analytics import performance_data_pb2 as performance
from analytics import user_analytics_pb2 as users
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from google.protobuf.message import Message
from trading import trading_signals_pb2 as trading

from tests.e2e.exactness.stream import Event

MESSAGES: dict[str, Callable[..., Message]] = {
    "trading_result": trading.TradingResult,
    "trading_result_batch": trading.TradingResultBatch,
    "account_flow": trading.AccountFlow,
    "account_equity": trading.AccountEquity,
    "market_bar": trading.MarketBar,
    "user_event": users.UserEvent,
    "user_event_batch": users.UserEventBatch,
    "system_metric": performance.SystemMetric,
    "performance_data": performance.PerformanceData,
    "subscription": business.SubscriptionEvent,
    "payment": business.PaymentEvent,
    "acquisition_cost": business.AcquisitionCost,
    "survey_response": business.SurveyResponse,
    "support_ticket": business.SupportTicketEvent,
    "exchange_rate": business.ExchangeRate,
}
ENUMS = ("side", "outcome", "kind", "event", "survey")
YEAR_9999 = 253_370_764_800_000


def line(event: Event) -> bytes:
    """The event as a line of NDJSON, without the end of the line."""
    members = {
        "message_type": event.kind,
        "event_id": event.id,
        "company_id": event.company,
        "user_id": event.user,
        "timestamp": event.timestamp,
        "payload": event.payload,
    }
    return json.dumps(members).encode()


def envelope(event: Event) -> AnalyticsProcessingEnvelope:
    """The event as an envelope."""
    payload = MESSAGES[event.kind](**_fields(event.kind, event.payload))
    return AnalyticsProcessingEnvelope(
        message_type=event.kind,
        event_id=event.id,
        company_id=event.company,
        user_id=event.user,
        timestamp=event.timestamp,
        payload=payload.SerializeToString(),
    )


def _fields(kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    if kind.endswith("_batch"):
        return {"items": [_fields(kind.removesuffix("_batch"), item) for item in payload["items"]]}
    enums = (*ENUMS, "interval") if kind == "subscription" else ENUMS
    return {name: value.upper() if name in enums else value for name, value in payload.items()}


def _without(event: Event, name: str) -> Event:
    return event._replace(payload={k: v for k, v in event.payload.items() if k != name})


BAD_LINES: tuple[Callable[[Event], bytes], ...] = (
    lambda event: line(event)[:-40],  # cut off by a producer that died
    lambda event: line(_without(event, next(iter(event.payload)))),  # the first field of every payload is required
    lambda event: line(event._replace(timestamp=YEAR_9999)),
    lambda event: line(event._replace(kind="trading_resolt")),
    lambda event: line(event._replace(company="not a company")),
    lambda event: line(event).replace(event.id.encode(), event.id.encode() + b"\xff"),
    lambda event: line(event._replace(payload={**event.payload, next(iter(event.payload)): {"a": [event.id]}})),
    lambda event: event.id.encode() + b" is no JSON",
)


def bad_line(event: Event, chance: random.Random) -> bytes:
    """A line that cannot be taken; the event's id makes it a line that no other is equal to."""
    return chance.choice(BAD_LINES)(event)


def bad_envelope(event: Event, chance: random.Random) -> AnalyticsProcessingEnvelope:
    """An envelope that cannot be taken."""
    spoiled = envelope(event)
    flaw = chance.randrange(4)
    if flaw == 0:
        spoiled.payload = spoiled.payload + b"\xff\xff"
    elif flaw == 1:
        spoiled.company_id = ""
    elif flaw == 2:
        spoiled.timestamp = YEAR_9999
    else:
        spoiled.message_type = "trading_result"
        spoiled.user_id = "u1"
        spoiled.payload = trading.TradingResult(trade_id=event.id, quantity=float("nan")).SerializeToString()
    return spoiled
