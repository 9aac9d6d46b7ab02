"""Two days of a company that earns and spends in two currencies, has its own in a third, and rates of both days."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from domain.access.rights import Role
from tests.support.instance import Instance, trade

SEVERAL = "ratesco"
DAY_MS, OCTOBER = 86_400_000, 1_759_276_800_000  # 2025


def in_two_currencies(company: str = SEVERAL) -> Iterator[dict[str, object]]:
    """Its events as lines of NDJSON say them."""
    for day, currency in ((day, currency) for day in (1, 2) for currency in ("USD", "JPY")):
        at, name = OCTOBER + day * DAY_MS, f"{currency}-{day}"
        closed: dict[str, Any] = {"trade_id": name, "opened_at": at - 60_000, "closed_at": at, "currency": currency}
        yield {**trade(company, 0, **closed), "event_id": name, "timestamp": at}
        paid = {"customer_id": currency, "invoice_id": name, "payment_id": name, "kind": "succeeded", "amount": 9}
        plan = {"event": "started", "customer_id": currency, "subscription_id": name, "plan": "pro", "tier": "pro"}
        bill = {"interval": "month", "interval_count": 1, "unit_amount": 29, "quantity": 1, "effective_at": at}
        spent = {"channel": "ads", "campaign": "autumn", "cost": 3}
        rate = {"base": "EUR", "quote": currency, "rate": 1.25 if currency == "USD" else 150, "source": "ecb", "at": at}
        payloads = {
            "payment": {**paid, "currency": currency},
            "subscription": {**plan, **bill, "recorded_at": at, "currency": currency},
            "acquisition_cost": {**spent, "currency": currency},
            "exchange_rate": rate,
        }
        for kind, payload in payloads.items():
            of = {"company_id": company, "user_id": "u1", "timestamp": at, "event_id": f"{kind}-{name}"}
            yield {"message_type": kind, "payload": payload, **of}


@pytest.fixture(scope="session")
def several(filled: Instance) -> Instance:
    """The shared instance, once it has the two days of SEVERAL, which reports in euros."""
    told = httpx.post(
        f"{filled.addresses['command_api']}/api/v1/company/currency",
        json={"currency": "EUR"},
        headers={"Authorization": f"Bearer {filled.signed('ann', SEVERAL, roles=[Role.ADMIN])}"},
    )
    assert told.status_code == 200, told.text
    filled.take(list(in_two_currencies()))
    filled.wait(told.json()["position"])
    return filled
