"""Trading metrics from events to answers: the oracle's crossover, equity by flows and values, what is undefined."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from typing import Any

import pytest

from domain.errors import Invalid, LimitExceeded
from domain.metrics.catalogue import METRICS
from domain.metrics.trading.catalogue import STATISTICS
from eventlog.publish.builders import account_equity, account_flow, trading_result
from eventlog.publish.event import Event
from projections.queries.trading import record
from tests.domain.metrics.oracles import ORACLES, agrees, milliseconds, oracle
from tests.domain.metrics.trading.test_oracles import KEYS
from tests.projections.harness import ReadModels
from tests.support.closed_trades import closed_trade

AAPL = oracle("trading_aapl.json")
DAY = 86_400_000
MONDAY = 1_759_708_800_000  # 6 October 2025
PER_UNIT = {"minutes": 24 * 60}  # the oracles give days


def crossover() -> Iterator[Event]:
    """The trades and the marked values of the oracle, as a trading bot reports them."""
    who: dict[str, Any] = {"company_id": "acme", "user_id": "bot", "account_id": "a1"}
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
    usual = {"user_id": "ann", "symbol": "X", "entry_price": 10, "exit_price": 11}
    return closed_trade(**usual | more, trade_id=f"t{number}", pnl=pnl, closed_at=closed)


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


async def test_a_metric_by_symbol_is_that_of_each_symbol(models: ReadModels) -> None:
    """Whatever is computed trade by trade, in the order of exit: `metric` and `trading_metrics` read one ledger."""
    chance = random.Random(5)
    models.given(
        trade(n, chance.choice((-9, -4, 0, 7, 12)), n % 40, symbol=chance.choice("XYZ"), initial_risk=2.5)
        for n in chance.sample(range(120), 120)
    )
    alone = {symbol: await metrics(models, symbol=symbol) for symbol in "XYZ"}
    keys = [key for key, entry in METRICS.items() if "trades" in entry.reads and key in STATISTICS]
    assert {"expectancy_r", "longest_win_streak"} <= {*keys}
    for key in keys:
        told = await models.rows("metric", key=key, by="symbol")
        assert {row["symbol"]: row["value"] for row in told} == {s: alone[s][key]["value"] for s in alone}, key


def many_trades() -> list[Event]:
    """A trade or two on most days of two months, in and out at various hours, some with tags."""
    tags: list[list[str]] = [["news"], [], ["fast", "news"], ["fast"]]
    made = [trade(n, n * 37 % 23 - 9, day=n * 5 % 61, tags=tags[n % 4], initial_risk=3 + n % 2) for n in range(1, 60)]
    return [flow(1_000), *made]


LEDGER = [key for key, entry in METRICS.items() if "trades" in entry.reads and "month" in entry.dimensions]


async def test_metrics_of_the_ledger_by_month_are_those_of_each_month(models: ReadModels) -> None:
    """As if asked about the month alone, where no account's equity counts."""
    models.given(many_trades())
    months = {"2025-10": ("2025-10-01", "2025-11-01"), "2025-11": ("2025-11-01", "2025-12-01")}
    assert "sqn" in LEDGER
    for key in LEDGER:
        found = {row["month"]: row for row in await models.rows("metric", key=key, by="month")}
        assert set(found) >= set(months)
        for month, (begin, end) in months.items():
            (alone,) = await models.rows("trading_metrics", from_=begin, to=end, basis="pnl", keys=key)
            (chosen,) = await models.rows("metric", key=key, month=month)
            for told in (found[month], chosen):
                assert (told["value"], told.get("reason")) == (alone["value"], alone.get("reason")), key


async def test_whole_numbers_are_sorted_as_numbers(models: ReadModels) -> None:
    """Hours of entry from 1 on, and not 1, 10, 11, 2; of sums, of the ledger, and of several metrics at once."""
    hours, midnight = (11, 2, 10, 1, -1), MONDAY // DAY * DAY
    opened = [midnight + hour * 3_600_000 if hour >= 0 else 0 for hour in hours]
    models.given(trade(n, n, 1, opened_at=at) for n, at in enumerate(opened))
    for query, asked in (("metric", {"key": "total_pnl"}), ("metric", {"key": "sqn"}), ("metrics", {"keys": "sqn"})):
        rows = await models.rows(query, by="entry_hour", **asked)
        assert [row["entry_hour"] for row in rows] == sorted(hours), asked


async def test_trading_metrics_by_tag_are_those_of_each_tag(models: ReadModels) -> None:
    """A trade with two tags counts for both, one without any for none; sums as well as ratios of the ledger."""
    models.given([trade(1, 5, tags=["news", "fast"]), trade(2, -3, 1, tags=["fast"]), trade(3, 4, 2)])
    rows = await models.rows("metric", key="total_pnl", by="tag")
    assert [(row["tag"], row["value"]) for row in rows] == [("fast", "2"), ("news", "5")]
    (row,) = await models.rows("metric", key="win_rate", tag="fast")
    assert row["value"] == 0.5
    models.given(many_trades())
    for key in ("profit_factor", "sqn", "longest_loss_streak", "sharpe_pnl"):
        for row in await models.rows("metric", key=key, by="tag"):
            (alone,) = await models.rows("trading_metrics", tag=row["tag"], keys=key)
            assert compared(row) == pytest.approx(compared(alone), rel=1e-12), key


@pytest.mark.parametrize(("name", "text"), [("month", "2025"), ("year", "MMXXV"), ("hour", "noon")])
async def test_a_cut_that_cannot_be_read_is_refused(models: ReadModels, name: str, text: str) -> None:
    """Of the ledger as of sums."""
    for key in ("sqn", "total_pnl"):
        with pytest.raises(Invalid):
            await models.rows("metric", key=key, **{name: text})


async def test_equity_by_flows_and_by_values(models: ReadModels) -> None:
    """With a deposit returns are of it; with values of the account they are of these; both can be asked for."""
    models.given([flow(1000), trade(1, 100, 1), trade(2, -110, 2), flow(500, 3)])
    by_flows = await metrics(models, account_id="a1")
    assert by_flows["cumulative_return"]["basis"] == "equity"
    assert by_flows["cumulative_return"]["value"] == pytest.approx(1.1 * 0.9 - 1)
    assert by_flows["max_drawdown"]["value"] == pytest.approx(-0.1)
    assert by_flows["sharpe_ratio"]["short_sample"] is True
    models.given([marked(1000, 0), marked(1200, 1), marked(1100, 2)])
    by_values = await metrics(models, account_id="a1")
    assert by_values["cumulative_return"]["basis"] == "marked"
    assert by_values["cumulative_return"]["value"] == pytest.approx(0.1)
    assert (await metrics(models, basis="equity"))["cumulative_return"]["value"] == pytest.approx(1.1 * 0.9 - 1)
    alone = await metrics(models, symbol="X")
    assert (alone["cumulative_return"]["basis"], alone["cumulative_return"]["reason"]) == ("pnl", "no_equity")


async def test_a_period_begins_with_what_was_there_before(models: ReadModels) -> None:
    """The second day's return is of the first day's end, whether by flows or by values."""
    models.given([flow(1000), trade(1, 100, 1), trade(2, 110, 2)])
    period = {"from_": "2025-10-08", "to": "2025-10-09"}
    assert (await metrics(models, **period))["cumulative_return"]["value"] == pytest.approx(0.1)
    models.given([marked(1000, 0), marked(1100, 1), marked(1650, 2)])
    assert (await metrics(models, **period))["cumulative_return"]["value"] == pytest.approx(0.5)
    with pytest.raises(Invalid, match="inside a day"):
        await metrics(models, from_="2025-10-08T10:00")


async def test_an_account_that_joins_brings_its_value_along(models: ReadModels) -> None:
    """Its first value is no profit; one account without any value leaves the user to flows."""
    models.given([trade(1, 1), marked(1000, 0), marked(500, 1, account_id="a2"), marked(1100, 2)])
    together = await metrics(models, user_id="ann")
    assert together["cumulative_return"]["value"] == pytest.approx(1600 / 1500 - 1)
    models.given([trade(2, 5, 2, account_id="a3")])
    assert (await metrics(models, user_id="ann"))["cumulative_return"]["basis"] == "pnl"


async def test_a_company_is_never_told_from_the_accounts_that_say_most(models: ReadModels) -> None:
    """Three accounts deposit and trade, one reports values, and a fourth, which never deposited, trades later.

    By any way to ask, the company's series is of a basis that is known of all its accounts.
    """
    own: dict[str, Any] = {"ann": {}, "ben": {"user_id": "ben"}, "cem": {"user_id": "cem"}}
    for number, more in enumerate(own.values(), start=1):
        models.given([flow(1_000, **more), trade(number, -30.0 * number, 1, **more), trade(number + 9, 5, 2, **more)])
    models.given([marked(1_000, 0), marked(10, 1), marked(400, 2)])

    async def both(key: str, **params: str) -> list[Any]:
        (metric,) = await models.rows("metric", key=key, **params)
        (row,) = await models.rows("trading_metrics", keys=key, **params)
        assert (metric["value"], metric.get("reason"), metric["basis"]) == (
            row["value"],
            row.get("reason"),
            row["basis"],
        )
        return [metric["basis"], metric["value"] if metric["value"] is not None else metric["reason"]]

    assert await both("max_drawdown") == ["equity", pytest.approx(-180 / 3_000)]
    assert await both("max_drawdown_money") == ["equity", "-180"]
    assert await both("max_drawdown", user_id="ann") == ["marked", pytest.approx(-0.99)]
    assert await both("max_drawdown", basis="marked") == ["pnl", "no_equity"]
    by_user = {row["user_id"]: row for row in await models.rows("metric", key="max_drawdown", by="user_id")}
    for who in own:
        (row,) = await models.rows("trading_metrics", keys="max_drawdown", user_id=who)
        assert (by_user[who]["value"], by_user[who]["basis"]) == (row["value"], row["basis"]), who
    models.given([trade(50, -2_000, 3, user_id="dia")])
    assert await both("max_drawdown") == ["pnl", "no_equity"]
    assert await both("max_drawdown", user_id="ben") == ["equity", pytest.approx(-60 / 1_000)]


async def test_a_period_inside_a_day_has_no_daily_series(models: ReadModels) -> None:
    """Refused by the metric as by the query of all; each trade by itself may be asked for."""
    models.given([flow(1_000), trade(1, 5)])
    with pytest.raises(Invalid, match="inside a day"):
        await models.rows("metric", key="max_drawdown", from_="2025-10-06T10:00")
    (row,) = await models.rows("metric", key="longest_win_streak", from_="2025-10-06T10:00")
    assert row["value"] == 1


async def test_trades_are_taken_by_every_filter_and_in_the_order_of_exit(models: ReadModels) -> None:
    """User, account, strategy, symbol, side and tag; a trade reported again counts as it was last reported."""
    models.given(
        [
            trade(1, 5, strategy="s", tags=["news", "fast"]),
            trade(2, -3, side="short", account_id="a2"),
            trade(3, 2, symbol="Y", user_id="ben", tags=["fast"]),
            trade(3, 4, symbol="Y", user_id="ben", tags=["fast"]),
        ]
    )
    expected = {"strategy": "s", "symbol": "Y", "side": "short", "account_id": "a2", "user_id": "ben", "tag": "fast"}
    found = {name: await metrics(models, **{name: value}) for name, value in expected.items()}
    pnl = {name: rows["total_pnl"]["value"] for name, rows in found.items()}
    assert pnl == {"strategy": "5", "symbol": "4", "side": "-3", "account_id": "-3", "user_id": "4", "tag": "9"}
    assert (await models.rows("trades", trade_id="t1"))[0]["tags"] == ["news", "fast"]


async def test_conventions_travel_with_the_number(models: ReadModels) -> None:
    """A breakeven is lost in the platform's own form; a risk-free rate goes with our own forms alone."""
    models.given([flow(100), trade(1, 5), trade(2, 0, 1), trade(3, 1, 2)])
    own, platform = await metrics(models), await metrics(models, convention="platform")
    assert (own["losing_trades"]["value"], own["losing_trades"]["convention"]) == (0, "canonical")
    assert (platform["losing_trades"]["value"], platform["losing_trades"]["convention"]) == (1, "platform")
    assert own["profit_factor"] == {
        "key": "profit_factor", "value": None, "unit": "ratio", "convention": "canonical", "reason": "no_losses"
    }  # fmt: skip
    with_rate = await metrics(models, risk_free="0.05", keys="sharpe_ratio")
    assert with_rate["sharpe_ratio"]["value"] < own["sharpe_ratio"]["value"]
    with pytest.raises(Invalid, match="risk-free"):
        await metrics(models, risk_free="0.05", convention="quantstats")
    for wrong in ({"convention": "mine"}, {"keys": "luck"}, {"calendar": "lunar"}, {"risk_free": "-2"}):
        with pytest.raises(Invalid):
            await metrics(models, **wrong)


async def test_nobody_who_traded_has_reasons_everywhere(models: ReadModels) -> None:
    """No trade: counts and sums are 0, everything else says why there is no value."""
    rows = await models.rows("trading_metrics", user_id="nobody")
    assert len(rows) == len(STATISTICS) + 3
    assert all(row["value"] in (0, "0") if row["value"] is not None else row["reason"] for row in rows)
    for query in ("trading_equity", "trading_returns", "trading_time"):
        assert await models.rows(query, user_id="nobody") == []


async def test_tables_curves_and_rolling_forms(models: ReadModels) -> None:
    """Ranked by what was earned, by the hour of entry, by day, and window by window."""
    models.given([flow(1000), *(trade(n, n - 3, n % 5, strategy="ab"[n % 2]) for n in range(8))])
    league = await models.rows("trading_league", by="strategy")
    assert [(r["rank"], r["strategy"], r["total_pnl"], r["short_sample"]) for r in league] == [
        (1, "b", "4", True),
        (2, "a", "0", True),
    ]
    assert {r["weekday"] for r in await models.rows("trading_time")} == {0, 1, 2, 3, 4}
    assert [r["month"] for r in await models.rows("trading_time", by="month_year")] == ["2025-10"]
    curve = await models.rows("trading_equity")
    assert [r["pnl"] for r in curve][-1] == "4"
    assert curve[0]["equity_index"] == 1
    assert min(r["underwater"] for r in curve) < 0
    assert len(await models.rows("trading_rolling", statistic="win_rate", window="4")) == 5
    assert [r["day"] for r in await models.rows("trading_rolling", statistic="sharpe", window="4")][-1] == "2025-10-10"
    (month,) = await models.rows("trading_returns")
    returned = pytest.approx(curve[-1]["equity_index"] - 1)
    assert month == {"month": "2025-10", "return": returned, "basis": "equity"}
    assert {row["basis"] for row in curve} == {"equity"}


async def test_the_share_of_users_who_earned(models: ReadModels) -> None:
    """One of two; of nobody the reason."""
    models.given([trade(1, 5), trade(2, -9, user_id="ben"), trade(3, 1, user_id="ben")])
    (row,) = await models.rows("profitable_users")
    assert (row["value"], row["users"], row["profitable_users"]) == (0.5, 2, 1)
    (nobody,) = await models.rows("profitable_users", symbol="none")
    assert (nobody["value"], nobody["reason"]) == (None, "no_trades")


async def test_no_more_trades_are_read_than_stated(models: ReadModels, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clear refusal, and none of a profit or loss that leaves 64 bits."""
    models.given([trade(1, 5), trade(2, 5)])
    monkeypatch.setattr(record, "MOST_TRADES", 1)
    with pytest.raises(LimitExceeded, match="more than 1 trades"):
        await metrics(models)
