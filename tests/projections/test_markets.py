"""Markets and what moves together, recounted from the bars and trades themselves; several metrics at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from domain.errors import Invalid, LimitExceeded
from eventlog.publish.builders import market_bar
from eventlog.publish.event import Event
from projections.queries.trading import markets
from tests.projections.harness import ReadModels
from tests.projections.test_trading_metrics import DAY, MONDAY, flow, marked, trade

CLOSES: Mapping[str, list[float]] = {"UP": [100, 112, 121, 133.1], "DOWN": [50, 45, 46, 40], "STILL": [7, 7, 7, 7]}


def bars() -> list[Event]:
    """Daily bars of three markets."""
    return [
        market_bar(
            company_id="acme", symbol=symbol, interval="1d", start=MONDAY + day * DAY, open=close, high=close,
            low=close, close=close, volume=10 + day,
        )
        for symbol, closes in CLOSES.items()
        for day, close in enumerate(closes)
    ]  # fmt: skip


async def test_markets_are_what_their_bars_say(models: ReadModels) -> None:
    """Change, volatility and fall of closes; exact volume; null with its reason where there is one bar."""
    models.given(bars())
    rows = {row["symbol"]: row for row in await models.rows("markets")}
    assert list(rows) == ["DOWN", "STILL", "UP"]
    down = np.diff(CLOSES["DOWN"]) / np.array(CLOSES["DOWN"][:-1])
    assert rows["DOWN"]["change"] == pytest.approx(-0.2)
    assert rows["DOWN"]["volatility"] == pytest.approx(down.std(ddof=1) * math.sqrt(252))
    assert rows["DOWN"]["max_drawdown"] == pytest.approx(40 / 50 - 1)
    assert (rows["UP"]["last"], rows["UP"]["volume"], rows["UP"]["bars"]) == ("133.1", "46", 4)
    (one,) = await models.rows("markets", symbols="UP", to="2025-10-07")
    assert (one["change"], one["reasons"]["change"], one["reasons"]["volatility"]) == (None, "too_few", "no_data")
    assert await models.rows("markets", symbols="NONE") == []


async def test_correlations_of_symbols_are_those_of_their_returns(models: ReadModels) -> None:
    """Every pair once, as NumPy has it; what does not move has none."""
    models.given(bars())
    rows = {(row["first"], row["second"]): row for row in await models.rows("correlations")}
    returns = {name: np.diff(closes) / np.array(closes[:-1]) for name, closes in CLOSES.items()}
    assert list(rows) == [("DOWN", "STILL"), ("DOWN", "UP"), ("STILL", "UP")]
    assert rows["DOWN", "STILL"]["reason"] == "no_dispersion"
    assert rows["DOWN", "UP"]["observations"] == 3
    expected = np.corrcoef(returns["DOWN"], returns["UP"])[0, 1]
    assert rows["DOWN", "UP"]["correlation"] == pytest.approx(expected, abs=1e-6)


async def test_correlations_of_strategies_and_accounts(models: ReadModels) -> None:
    """Of what strategies earned each day, and of accounts' returns where these are known."""
    earned = {"a": [5, -3, 4, 1, -2], "b": [-4, 2, -5, 0, 3]}
    trades = [
        trade(10 * day + place, pnl, day, strategy=name, account_id=f"{name}1", user_id=name)
        for place, (name, each) in enumerate(earned.items())
        for day, pnl in enumerate(each)
    ]
    models.given([*trades, flow(1_000, account_id="a1", user_id="a"), flow(1_000, account_id="b1", user_id="b")])
    (pair,) = await models.rows("correlations", of="strategies")
    assert (pair["first"], pair["second"], pair["observations"]) == ("a", "b", 5)
    assert pair["correlation"] == pytest.approx(np.corrcoef(np.array(earned["a"]), np.array(earned["b"]))[0, 1])
    (accounts,) = await models.rows("correlations", of="accounts")
    assert accounts["correlation"] == pytest.approx(pair["correlation"], abs=0.01)  # equity hardly moves


async def test_no_more_names_are_paired_than_stated(models: ReadModels, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clear refusal."""
    models.given(bars())
    monkeypatch.setattr(markets, "MOST_NAMES", 2)
    with pytest.raises(LimitExceeded, match="more than 2"):
        await models.rows("correlations")


async def test_the_last_intervals_of_a_market(models: ReadModels) -> None:
    """Counted from the newest bar, whatever day it is."""
    models.given(bars())
    asked: dict[str, Any] = {"symbol": "UP", "interval": "1d"}
    assert [row["close"] for row in await models.rows("market_bars", **asked, last="2")] == ["121", "133.1"]
    averages = await models.rows("indicator", **asked, indicator="sma", params="period=2", last="3")
    assert [row["sma"] for row in averages] == [None, pytest.approx(116.5), pytest.approx(127.05)]


async def test_equity_in_money_is_deposits_and_what_was_earned(models: ReadModels) -> None:
    """Each day: equity with its flows, the return, and how far the sum is below its peak."""
    models.given([flow(1_000), trade(1, 50, 1), trade(2, -80, 2), flow(200, 3), trade(3, 10, 4)])
    rows = await models.rows("trading_equity")
    assert [row["equity"] for row in rows] == ["1000", "1050", "970", "1170", "1180"]
    assert [row["flows"] for row in rows] == ["0", "0", "0", "200", "0"]
    assert [row["drawdown_money"] for row in rows] == ["0", "0", "-80", "-80", "-70"]
    assert rows[0]["return"] is None
    assert [row["return"] for row in rows[1:]] == pytest.approx([0.05, -80 / 1050, 0, 10 / 1170])


async def test_equity_of_marked_values_is_these_values(models: ReadModels) -> None:
    """Nothing is added to what the account was worth."""
    models.given([marked(1_000, 0), marked(1_100, 1), marked(900, 2)])
    assert [row["equity"] for row in await models.rows("trading_equity")] == ["1000", "1100", "900"]


async def test_several_metrics_are_those_of_each(models: ReadModels) -> None:
    """Group by group, in the order of the keys; without keys the figures of a section that can be split so."""
    models.given([trade(1, 5, strategy="a"), trade(2, -3, strategy="a"), trade(3, 2, strategy="b")])
    rows = await models.rows("metrics", keys="win_rate,total_pnl", by="strategy")
    assert [(row["strategy"], row["key"], row["value"]) for row in rows] == [
        ("a", "win_rate", 0.5), ("a", "total_pnl", "2"), ("b", "win_rate", 1.0), ("b", "total_pnl", "2"),
    ]  # fmt: skip
    for key in ("win_rate", "total_pnl"):
        (own,) = [row for row in await models.rows("metric", key=key, by="strategy") if row["strategy"] == "a"]
        assert own["value"] == next(row["value"] for row in rows if (row["strategy"], row["key"]) == ("a", key))
    assert {row["key"] for row in await models.rows("metrics", section="trading", by="symbol")} >= {"win_rate"}
    for wrong in ({"keys": "win_rate", "by": "plan"}, {"section": "revenue", "by": "strategy"}):
        with pytest.raises(Invalid):
            await models.rows("metrics", **wrong)


async def test_key_figures_beside_another_period(models: ReadModels) -> None:
    """The change is against the period that is named; only the keys that are named are answered."""
    models.given([trade(1, 5, 0), trade(2, 20, 7), trade(3, -5, 14)])
    week = {"from": "2025-10-20", "to": "2025-10-27", "keys": "total_pnl"}
    (before,) = await models.rows("kpis", **week)
    (first,) = await models.rows("kpis", **week, compare_from="2025-10-06", compare_to="2025-10-13")
    assert (before["value"], before["previous"], before["change_rate"]) == ("-5", "20", -1.25)
    assert (first["value"], first["previous"], first["change_rate"]) == ("-5", "5", -2.0)
    for wrong in ({"compare_from": "2025-10-06"}, {"keys": "sharpe_ratio"}):
        with pytest.raises(Invalid):
            await models.rows("kpis", **{**week, **wrong})
