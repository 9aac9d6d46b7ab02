"""Trading metrics from events to answers: the oracle's crossover, accounts by flows and values, and what is undefined."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

import pytest

from domain.errors import Invalid, LimitExceeded
from domain.metrics.trading.catalogue import STATISTICS
from domain.publishing.builders import account_equity, account_flow, trading_result
from domain.publishing.event import Event
from projections import trading_record
from tests.domain.metrics.oracles import ORACLES, agrees, milliseconds, oracle
from tests.domain.metrics.test_trading_oracles import KEYS
from tests.projections.harness import ReadModels

AAPL = oracle("trading_aapl.json")
DAY = 86_400_000
MONDAY = 1_759_708_800_000  # 6 October 2025
PER_UNIT = {"minutes": 24 * 60}  # the oracles give days
# Equity is kept in millionths of the currency and the file has 10⁻⁸: a month that returned next to nothing loses digits.
ROUNDED = 1e-9


def crossover() -> Iterator[Event]:
    """The trades and the marked values of the oracle, as a trading bot reports them."""
    who = {"company_id": "acme", "user_id": "bot", "account_id": "a1"}
    for row in oracle("trades_aapl.json")["trades"]:
        yield trading_result(
            **who,
            trade_id=str(row["id"]),
            symbol="AAPL",
            strategy="crossover",
            side="long" if row["size"] > 0 else "short",
            quantity=abs(row["size"]),
            entry_price=row["entry_price"],
            exit_price=row["exit_price"],
            pnl=row["pnl"],
            fees=row["commission"],
            opened_at=milliseconds(row["entry_time"]),
            closed_at=milliseconds(row["exit_time"]),
        )
    with (ORACLES / "equity_aapl.csv").open() as lines:
        for value in csv.DictReader(lines):
            at = milliseconds(value["date"])
            yield account_equity(**who, equity=float(value["Equity"]), at=at, timestamp=at)


def trade(number: int, pnl: float, day: int = 0, **more: Any) -> Event:
    """A trade closed on the `day`-th day from a Monday on."""
    closed = MONDAY + day * DAY + number * 1000 + 36_000_000
    given = {"company_id": "acme", "user_id": "ann", "account_id": "a1", "symbol": "X", "side": "long", **more}
    return trading_result(
        **given, trade_id=f"t{number}", quantity=1, entry_price=10, exit_price=11, pnl=pnl, closed_at=closed
    )


def flow(amount: float, day: int = 0, **more: Any) -> Event:
    given = {"company_id": "acme", "user_id": "ann", "account_id": "a1", **more}
    return account_flow(**given, amount=amount, timestamp=MONDAY + day * DAY)


def marked(equity: float, day: int, **more: Any) -> Event:
    given = {"company_id": "acme", "user_id": "ann", "account_id": "a1", **more}
    at = MONDAY + day * DAY + 1
    return account_equity(**given, equity=equity, at=at, timestamp=at)


async def metrics(models: ReadModels, **params: str) -> dict[str, dict[str, Any]]:
    return {row["key"]: row for row in await models.rows("trading_metrics", **params)}


def compared(row: dict[str, Any]) -> Any:
    """A value as the oracles write it."""
    if row["value"] is None:
        return row["reason"]
    return float(row["value"]) / PER_UNIT.get(row["unit"], 1)


async def test_the_crossover_of_the_oracle(models: ReadModels) -> None:
    """Ingested as events and asked over the query: within the tolerance that each reference states."""
    models.given(crossover(), batches_of=(500, 7, 90))
    got = await metrics(models, user_id="bot")
    named = {(part, name): KEYS.get(name, name) for part in ("daily", "trades") for name in AAPL[part]}
    compared_with = {place: key for place, key in named.items() if key in STATISTICS}
    assert len(compared_with) >= 40
    wrong = {}
    for (part, name), key in compared_with.items():
        expected = AAPL[part][name]
        value = expected["value"] if isinstance(expected, dict) else expected
        if not agrees(compared(got[key]), value):
            wrong[name] = (compared(got[key]), value)
    assert wrong == {}
    assert got["max_drawdown_peak"]["value"] == AAPL["daily"]["max_drawdown_peak_date"]
    assert got["max_drawdown_trough"]["value"] == AAPL["daily"]["max_drawdown_trough_date"]
    assert got["max_drawdown_recovery"]["reason"] == "not_recovered"
    assert got["sharpe_ratio"]["basis"] == "marked"
    assert got["sharpe_ratio"]["short_sample"] is False
