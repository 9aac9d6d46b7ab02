"""A company small enough that every figure of it can be worked out by hand."""

from __future__ import annotations

from typing import Any

from eventlog.publish.builders import (
    account_flow,
    acquisition_cost,
    payment,
    performance_data,
    subscription,
    support_ticket,
    survey_response,
    user_event,
)
from eventlog.publish.event import Event
from tests.projections.test_user_activity import moment, ms
from tests.support.closed_trades import closed_trade


def at(text: str) -> int:
    return ms(moment(text))


def subscribed(customer: str, event: Any, when: str, amount: float, number: int) -> Event:
    return subscription(
        company_id="acme",
        event=event,
        customer_id=customer,
        subscription_id=f"s-{customer}",
        plan="pro" if amount > 50 else "basic",
        interval="month",
        unit_amount=amount,
        quantity=1,
        currency="USD",
        effective_at=at(when),
        recorded_at=at(when),
        sequence=number,
    )


def paid(kind: Any, when: str, amount: float, invoice: str, fee: float = 0) -> Event:
    return payment(
        company_id="acme",
        customer_id="c1",
        invoice_id=invoice,
        kind=kind,
        amount=amount,
        fee=fee,
        currency="USD",
        timestamp=at(when),
    )


def did(user: str, name: str, when: str, **more: Any) -> Event:
    return user_event(company_id="acme", user_id=user, name=name, timestamp=at(when), **more)


def traded(number: int, user: str, pnl: float, symbol: str, when: str) -> Event:
    return closed_trade(
        user_id=user,
        trade_id=f"t{number}",
        account_id=f"a-{user}",
        symbol=symbol,
        strategy="s",
        exit_price=100 + pnl,
        pnl=pnl,
        opened_at=at(when) - 3_600_000,
        closed_at=at(when),
    )


def company() -> list[Event]:
    """All that happened."""
    return [*money_moved(), *users_did(), *services_did()]


def money_moved() -> list[Event]:
    spent: dict[str, Any] = {"company_id": "acme", "channel": "ads", "currency": "USD"}
    return [
        subscribed("c1", "started", "2025-02-01T00:00:00", 50, 1),
        subscribed("c3", "started", "2025-02-01T00:00:00", 40, 1),
        subscribed("c1", "upgraded", "2025-03-10T00:00:00", 60, 2),
        subscribed("c2", "started", "2025-03-12T00:00:00", 90, 1),
        subscribed("c3", "canceled", "2025-03-20T00:00:00", 40, 2),
        paid("succeeded", "2025-03-02T00:00:00", 100, "i1", fee=1.5),
        paid("failed", "2025-03-03T00:00:00", 50, "i2"),
        paid("recovered", "2025-03-04T00:00:00", 50, "i2"),
        paid("refunded", "2025-03-05T00:00:00", 20, "i1"),
        acquisition_cost(cost=30, timestamp=at("2025-02-05T00:00:00"), **spent),
        acquisition_cost(cost=45, timestamp=at("2025-03-05T00:00:00"), **spent),
    ]  # fmt: skip


def users_did() -> list[Event]:
    return [
        did("u0", "page_view", "2025-02-10T10:00:00"),
        did("u1", "signup", "2025-03-05T10:00:00", session_id="v1"),
        did("u1", "session_started", "2025-03-05T10:00:00", session_id="v1"),
        did("u1", "page_view", "2025-03-05T10:30:00", session_id="v1"),
        did("u1", "activated", "2025-03-07T10:00:00"),
        did("u2", "signup", "2025-03-08T10:00:00"),
        did("u2", "feature_used", "2025-03-31T10:00:00", feature="chart"),
        traded(1, "u1", 20.5, "AAPL", "2025-03-03T10:00:00"),
        traded(2, "u1", -10, "AAPL", "2025-03-04T10:00:00"),
        traded(3, "u2", 10, "MSFT", "2025-03-04T11:00:00"),
        traded(4, "u1", 0, "MSFT", "2025-03-05T10:00:00"),
        traded(5, "u1", 7, "MSFT", "2025-02-05T10:00:00"),
        account_flow(
            company_id="acme", user_id="u1", account_id="a-u1", amount=1_000, timestamp=at("2025-02-03T10:00:00")
        ),
    ]  # fmt: skip


def services_did() -> list[Event]:
    asked: dict[str, Any] = {"company_id": "acme", "respondent_id": "r", "timestamp": at("2025-03-05T10:00:00")}
    ran: dict[str, Any] = {
        "company_id": "acme",
        "service": "api",
        "operation": "order",
        "timestamp": at("2025-03-05T10:00:00"),
    }
    return [
        *(performance_data(duration_ms=duration, outcome="ok", **ran) for duration in (10, 20, 30)),
        performance_data(duration_ms=5, outcome="error", **ran),
        *(survey_response(survey="nps", score=score, **asked) for score in (10, 9, 8, 10, 9, 7, 5, 0)),
        *(survey_response(survey="csat", score=score, **asked) for score in (5, 2)),
        support_ticket(company_id="acme", ticket_id="k1", event="opened", timestamp=at("2025-03-06T10:00:00")),
        support_ticket(company_id="acme", ticket_id="k1", event="first_response", timestamp=at("2025-03-06T10:15:00")),
        support_ticket(company_id="acme", ticket_id="k1", event="resolved", timestamp=at("2025-03-06T13:00:00")),
    ]  # fmt: skip
