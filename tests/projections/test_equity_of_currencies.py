"""Equity of accounts in several currencies, in the company's own."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from domain.metrics.value import Reason
from eventlog.publish.builders import account_equity, account_flow
from projections.engine.query.no_amount import NoAmount
from tests.projections.harness import ReadModels
from tests.projections.test_currencies import JANUARY, MIXED, RATES, in_currency
from tests.projections.test_exchange_rates import rate
from tests.projections.test_user_activity import moment, ms


async def test_equity_of_several_currencies(models: ReadModels) -> None:
    """By hand: of flows, 100 USD are 80 EUR; of values, an account that comes later brings its first one along."""
    who: dict[str, Any] = {"company_id": "acme", "user_id": "u1"}
    first, second = (ms(moment(when)) for when in (JANUARY, "2025-01-07T10:00:00"))
    funded = account_flow(**who, account_id="a1", amount=100, kind="deposit", currency="USD", timestamp=first - 1)
    models.given([*MIXED, *RATES, in_currency("EUR"), funded])
    *_, day = await models.rows("trading_equity", from_="2025-01-06", to="2025-01-07")
    assert (day["equity"], day["pnl"], day["currency"]) == ("73", "-7", "EUR")
    values = [
        account_equity(**who, account_id=account, currency=currency, equity=equity, at=at, timestamp=at)
        for account, currency, equity, at in (
            ("a1", "USD", 100, first), ("a2", "JPY", 3_000, second), ("a1", "USD", 110, second),
        )
    ]  # fmt: skip
    models.given([rate("2025-01-07T14:00:00", "USD", 1.25), *values])
    days = await models.rows("trading_equity", from_="2025-01-06", to="2025-01-08")
    assert [(each["equity"], each["pnl"]) for each in days] == [("80", "0"), ("108", "8")]


@pytest.mark.parametrize("reason", [Reason.NO_RATE, Reason.NO_REPORTING_CURRENCY, Reason.MIXED_CURRENCIES])
def test_why_there_is_no_amount_reaches_another_process(reason: Reason) -> None:
    """The past is told by a worker: what it raises comes back as it was."""
    error = NoAmount(reason)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.code, again.suggested_actions) == (
        NoAmount, str(error), str(reason), error.suggested_actions,
    )  # fmt: skip
