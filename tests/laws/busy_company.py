"""A company of which every registered query has something to tell, over the first months of 2025."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from domain.configuration.registry import write_body
from eventlog.publish.builders import (
    account_equity,
    alert_transition,
    audit_event,
    config_event,
    exchange_rate,
    market_bar,
    prediction,
    system_metric,
    trading_result,
)
from eventlog.publish.event import Event
from tests.projections.small_company import at, company, did, traded
from tests.support.any_configuration import EVENTS

FIRST, DAYS = datetime(2025, 1, 20, tzinfo=UTC), 100
OF: dict[str, Any] = {"company_id": "acme"}


@cache
def busy_company() -> Sequence[Event]:
    """What happened, and what goes on after the moment that is asked about."""
    daily = [event for number in range(DAYS) for event in _of_day(number)]
    return [*company(), *daily, *_configured(), *_predicted(), *_alerted()]


def _of_day(number: int) -> list[Event]:
    noon = FIRST + timedelta(days=number, hours=12)
    when, ms = noon.strftime("%Y-%m-%dT%H:%M:%S"), int(noon.timestamp() * 1000)
    price = 100.0 + number % 7
    return [
        traded(1_000 + number, f"u{number % 3}", float(number % 7) - 2.5, "AAPL", when),
        *(_lost(f"{number}-{again}", ms) for again in range(4)),
        did(f"u{number % 5}", "feature_used", when, feature="chart", session_id=f"v{number}"),
        account_equity(user_id="u1", account_id="a-u1", equity=1_000.0 + number, at=ms, timestamp=ms, **OF),
        market_bar(
            symbol="AAPL", interval="1d", start=ms - 43_200_000, open=price, high=price + 1, low=price - 1,
            close=price, volume=10.0, timestamp=ms, **OF,
        ),
        exchange_rate(base="EUR", quote="USD", rate=1.0 + number / DAYS, source="ecb", timestamp=ms, **OF),
        system_metric(service="api", metric="cpu", value=number / DAYS, timestamp=ms, **OF),
        audit_event(subject="ann", action="query", outcome="ok", door="http", timestamp=ms, **OF),
    ]  # fmt: skip


def _lost(trade: str, closed_at: int) -> Event:
    """A trade of a strategy that there is something to say about."""
    return trading_result(
        user_id="u4", account_id="a-u4", trade_id=trade, symbol="MSFT", strategy="loser", side="short", quantity=1.0,
        entry_price=100.0, exit_price=104.0, pnl=-4.0, fees=1.0, closed_at=closed_at, timestamp=closed_at, **OF,
    )  # fmt: skip


def _configured() -> list[Event]:
    created = {event.topic: event for event in EVENTS if event.topic.endswith(".created")}
    return [
        config_event(
            topic=topic, aggregate_id=topic, aggregate_version=1, body=write_body(event).decode(), actor="ann",
            role="admin", timestamp=at("2025-02-01T00:00:00"), **OF,
        )
        for topic, event in created.items()
    ]  # fmt: skip


def _predicted() -> list[Event]:
    return [
        prediction(
            what="total_pnl", method="theta", method_version=1, horizon_days=1, value=1.0, low_80=0.0, high_80=2.0,
            low_95=-1.0, high_95=3.0, naive_error=1.0, due_at=at(f"2025-{month}-10T00:00:00"),
            timestamp=at(f"2025-{month}-09T00:00:00"), **OF,
        )
        for month in ("02", "03", "04")
    ]  # fmt: skip


def _alerted() -> list[Event]:
    ends = [at(f"2025-03-{day}T12:00:00") for day in (10, 11, 24)]
    states = ("pending", "firing", "normal")
    return [
        alert_transition(
            rule_id="r1", rule="Errors", severity="critical", series='{"service":"api"}', before=before, after=after,
            at=end, since=ends[0], value="0.1", condition="above 0.05", every_seconds=300, timestamp=end, **OF,
        )
        for before, after, end in zip(("normal", *states), states, ends, strict=False)
    ]  # fmt: skip
