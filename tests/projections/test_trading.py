"""Trading: totals, account days, marked values and the ledger, recounted in plain Python from whole trillionths."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

import pytest

from domain.decimals import ONE
from domain.errors import Invalid
from eventlog.publish.builders import account_equity, account_flow, flow_cancelled, trade_cancelled, trading_result
from eventlog.publish.event import Event
from tests.projections.harness import ReadModels
from tests.support.closed_trades import closed_trade

START = 1_760_000_000_000  # 2025-10-09T08:53:20Z, a Thursday
HOUR, DAY = 3_600_000, 86_400_000


class Trade(NamedTuple):
    """A closed trade; amounts in whole trillionths, times in ms; pnl None where it is not reported."""

    trade_id: str
    user: str
    account: str
    symbol: str
    strategy: str
    side: Any
    quantity: int
    entry: int
    exit: int
    fees: int
    pnl: int | None
    opened: int
    closed: int

    @property
    def event(self) -> Event:
        return trading_result(
            company_id="acme",
            user_id=self.user,
            trade_id=self.trade_id,
            account_id=self.account,
            symbol=self.symbol,
            strategy=self.strategy,
            side=self.side,
            quantity=self.quantity / ONE,
            entry_price=self.entry / ONE,
            exit_price=self.exit / ONE,
            fees=self.fees / ONE,
            pnl=None if self.pnl is None else self.pnl / ONE,
            opened_at=self.opened,
            closed_at=self.closed,
        )

    @property
    def net(self) -> int:
        """As reported, or from prices, side, quantity and fees, rounded half even to trillionths."""
        if self.pnl is not None:
            return self.pnl
        gained = (self.exit - self.entry) * (1 if self.side == "long" else -1)
        return round(Fraction(gained * self.quantity, ONE)) - self.fees

    @property
    def turnover(self) -> int:
        return round(Fraction((self.entry + self.exit) * self.quantity, ONE))

    @property
    def exit_time(self) -> datetime:
        return datetime.fromtimestamp(self.closed / 1000, UTC)


KEYS: dict[str, Callable[[Trade], Any]] = {
    "user_id": lambda t: t.user,
    "account_id": lambda t: t.account,
    "strategy": lambda t: t.strategy,
    "symbol": lambda t: t.symbol,
    "side": lambda t: t.side,
    "hour": lambda t: f"{t.exit_time:%Y-%m-%dT%H:00:00Z}",
    "day": lambda t: f"{t.exit_time:%Y-%m-%d}",
    "weekday": lambda t: t.exit_time.weekday(),
    "month": lambda t: f"{t.exit_time:%Y-%m}",
    "year": lambda t: t.exit_time.year,
    "entry_hour": lambda t: t.opened // HOUR % 24 if t.opened else -1,
}


def money(trillionths: int) -> str:
    sign, (units, rest) = "-" * (trillionths < 0), divmod(abs(trillionths), ONE)
    return f"{sign}{units}.{rest:012d}".rstrip("0").rstrip(".")


def recount(trades: Sequence[Trade]) -> dict[str, Any]:
    """The measures of a group of trades, counted one after the other."""
    won = [t.net for t in trades if t.net > 0]
    lost = [t.net for t in trades if t.net < 0]
    return {
        "total_trades": len(trades),
        "winning_trades": len(won),
        "losing_trades": len(lost),
        "breakeven_trades": len(trades) - len(won) - len(lost),
        "total_pnl": money(sum(t.net for t in trades)),
        "gross_profit": money(sum(won)),
        "gross_loss": money(-sum(lost)),
        "total_fees": money(sum(t.fees for t in trades)),
        "turnover": money(sum(t.turnover for t in trades)),
        "largest_win": money(max(won)) if won else None,
        "largest_loss": money(min(lost)) if lost else None,
        "win_rate": len(won) / len(trades) if trades else None,
        "profit_factor": sum(won) / -sum(lost) if lost else None,
    }


def random_trades(seed: int, number: int = 400) -> list[Trade]:
    """Trades with and without a reported pnl, breakevens, unknown entry times, and products that end in half."""
    chance = random.Random(seed)
    trades = []
    for i in range(number):
        entry = chance.randrange(1, 300 * ONE)
        out = chance.choice((entry, entry + chance.randrange(-entry, 9 * ONE), entry + 1, max(entry - 3, 0)))
        closed = START + chance.randrange(90 * DAY)
        trades.append(
            Trade(
                trade_id=f"t{i}",
                user=f"u{chance.randrange(5)}",
                account=f"a{chance.randrange(3)}",
                symbol=chance.choice(("AAPL", "BTC", "EURUSD")),
                strategy=chance.choice(("", "donchian", "mean")),
                side=chance.choice(("long", "short")),
                quantity=chance.choice((ONE // 2, ONE * 3 // 2, chance.randrange(1, 90 * ONE))),
                entry=entry,
                exit=out,
                fees=chance.choice((0, 0, chance.randrange(5 * ONE))),
                pnl=chance.choice((None, None, 0, chance.randrange(-(10**15), 10**15))),
                opened=chance.choice((0, closed - chance.randrange(DAY))),
                closed=closed,
            )
        )
    return trades


@pytest.mark.parametrize("seed", [1, 2])
async def test_totals_equal_a_recount(models: ReadModels, seed: int) -> None:
    """Every dimension, some together, filtered and cut: exact to the trillionth."""
    trades = random_trades(seed)
    models.given((t.event for t in trades), batches_of=(100, 1, 13))
    period = {"from_": "2025-11-01", "to": "2025-12-01T06:00:00"}
    for by in ("", *KEYS, "symbol,side", "month,user_id,strategy"):
        names = tuple(filter(None, by.split(",")))
        for params, within in (({}, None), ({**period, "symbol": "BTC"}, "BTC")):
            groups: dict[tuple[Any, ...], list[Trade]] = {}
            for trade in trades:
                at = f"{trade.exit_time:%Y-%m-%dT%H}"
                if within is None or (trade.symbol == within and "2025-11-01T00" <= at < "2025-12-01T06"):
                    groups.setdefault(tuple(KEYS[n](trade) for n in names), []).append(trade)
            rows = await models.rows("trading_totals", by=by, **params)
            assert [tuple(row[n] for n in names) for row in rows] == sorted(groups)
            for row in rows:
                expected = recount(groups[tuple(row[n] for n in names)])
                assert {name: row[name] for name in expected} == expected


async def test_ratios_of_three_trades(models: ReadModels) -> None:
    """Won 30, lost 10, and one at zero: the zero stays in the denominator of the win rate."""
    base = random_trades(1)[0]._replace(fees=0)
    results = (30 * ONE, -10 * ONE, 0)
    models.given(base._replace(trade_id=f"t{i}", pnl=p).event for i, p in enumerate(results))
    (row,) = await models.rows("trading_totals")
    assert {n: row[n] for n in ("win_rate", "average_win", "average_loss", "profit_factor", "payoff_ratio")} == {
        "win_rate": 1 / 3,
        "average_win": "30",
        "average_loss": "-10",
        "profit_factor": 3.0,
        "payoff_ratio": 3.0,
    }
    assert row["expectancy"] == "6.666666666667"
    assert "reasons" not in row


async def test_undefined_ratios_say_why(models: ReadModels) -> None:
    """Without trades and without losses: null with the reason, neither 0 nor infinity."""
    (empty,) = await models.rows("trading_totals", "nobody")
    assert (empty["total_trades"], empty["total_pnl"], empty["win_rate"], empty["largest_win"]) == (0, "0", None, None)
    assert empty["reasons"]["win_rate"] == "no_trades"
    models.given([random_trades(1)[0]._replace(pnl=ONE).event])
    (won,) = await models.rows("trading_totals")
    assert (won["profit_factor"], won["reasons"]["profit_factor"]) == (None, "no_losses")


async def test_a_trade_without_pnl_is_computed(models: ReadModels) -> None:
    """By hand: 10 × (189.4 − 187.1) − 1 = 22 for a long trade; a short one loses 24."""
    base = random_trades(1)[0]._replace(
        quantity=10 * ONE, entry=1871 * ONE // 10, exit=1894 * ONE // 10, fees=ONE, pnl=None
    )
    models.given([base._replace(side="long").event, base._replace(trade_id="other", side="short").event])
    rows = await models.rows("trading_totals", by="side")
    assert [(r["side"], r["total_pnl"], r["turnover"]) for r in rows] == [
        ("long", "22", "3765"),
        ("short", "-24", "3765"),
    ]


@pytest.mark.parametrize("batches_of", [(1,), (100,)])
async def test_the_ledger_keeps_the_last_report_of_a_trade(models: ReadModels, batches_of: Sequence[int]) -> None:
    """A trade reported again replaces the earlier report in the ledger; pages follow each other without a gap."""
    trades = random_trades(5, number=30)
    again = [t._replace(symbol="FIXED", closed=t.closed + 1) for t in trades[:10]]
    models.given((t.event for t in (*trades, *again)), batches_of=batches_of)
    last = {t.trade_id: t for t in (*trades, *again)}
    pages: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await models.answer("trades", limit="7", **cursor)
        pages += answer["rows"]
        if answer["next_cursor"] is None:
            break
        cursor = {"cursor": answer["next_cursor"]}
    assert [(r["trade_id"], r["symbol"], r["pnl"]) for r in pages] == [
        (key, t.symbol, money(t.net)) for key, t in sorted(last.items())
    ]
    assert [r["trade_id"] for r in await models.rows("trades", symbol="FIXED")] == sorted(t.trade_id for t in again)
    for trade in (*again, *trades[10:]):  # as totals count them: by hour of entry and weekday of exit
        asked = {name: KEYS[name](trade) for name in ("entry_hour", "weekday")}
        listed = await models.rows("trades", **{name: str(value) for name, value in asked.items()})
        alike = [key for key, t in sorted(last.items()) if {name: KEYS[name](t) for name in asked} == asked]
        assert [row["trade_id"] for row in listed] == alike


async def test_account_days_and_values(models: ReadModels) -> None:
    """A day books its trades and flows; the last marked value of a day stands for it, in any order of arrival."""
    trades = random_trades(6, number=60)
    flow = partial(account_flow, company_id="acme", user_id="u1", account_id="a1")
    value_of = partial(account_equity, company_id="acme", user_id="u1", account_id="a1")
    flows = [flow(amount=amount, timestamp=START + day * DAY) for day, amount in ((0, 500.5), (0, -100), (1, 7))]
    values = [value_of(equity=equity, balance=1.0, at=START + at * HOUR) for at, equity in ((3, 30), (5, 50), (1, 10))]
    models.given([t.event for t in trades] + flows + values, batches_of=(1, 20))
    own = [t for t in trades if (t.user, t.account) == ("u1", "a1")]
    days = {KEYS["day"](t) for t in own} | {"2025-10-09", "2025-10-10"}
    flowed = {"2025-10-09": "400.5", "2025-10-10": "7"}
    assert [
        (r["day"], r["trades"], r["pnl"], r["fees"], r["flows"])
        for r in await models.rows("account_days", user_id="u1", account_id="a1")
    ] == [
        (day, len(booked), money(sum(t.net for t in booked)), money(sum(t.fees for t in booked)), flowed.get(day, "0"))
        for day in sorted(days)
        for booked in [[t for t in own if KEYS["day"](t) == day]]
    ]
    (value,) = await models.rows("account_values")
    assert (value["day"], value["at"], value["equity"]) == ("2025-10-09", "2025-10-09T13:53:20Z", "50")


@pytest.mark.parametrize("cursor", [[], ["t1", "t2"], [{}], "t1", ["\0"]])
async def test_a_cursor_of_another_query_is_refused(models: ReadModels, cursor: Any) -> None:
    """A cursor is text from outside: what this query has not given is Invalid, whatever it holds."""
    text = base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode()
    with pytest.raises(Invalid):
        await models.answer("trades", cursor=text)


@pytest.mark.parametrize("text", ["\0", "\ud800"])
async def test_text_that_the_database_cannot_hold_is_refused(models: ReadModels, text: str) -> None:
    """NUL and half characters are Invalid in any parameter."""
    with pytest.raises(Invalid):
        await models.answer("trades", symbol=text)


def reported(pnl: float, trade_id: str = "t1", **members: Any) -> Event:
    """A report of a trade, an event of its own."""
    return closed_trade(**{"trade_id": trade_id, "pnl": pnl, "closed_at": START, **members})


@pytest.mark.parametrize("batches_of", [[1], [2], [100]])
async def test_a_trade_reported_again_counts_once_everywhere(models: ReadModels, batches_of: Sequence[int]) -> None:
    """Of 10 and then 12 the 12 counts, in hours, account days and extremes alike; taken back, nothing of it is left."""
    company = f"corrected{batches_of[0]}"
    of = partial(reported, company_id=company)
    moved = of(12, closed_at=START + HOUR, user_id="u2", account_id="a2")
    models.given([of(10), of(12), of(-5, "t2"), of(30, "t3"), of(20, "t3")], batches_of=batches_of)
    (totals,) = await models.rows("trading_totals", company)
    assert (totals["total_trades"], totals["total_pnl"]) == (3, "27")
    assert (totals["largest_win"], totals["largest_loss"]) == ("20", "-5")
    assert [(d["trades"], d["pnl"]) for d in await models.rows("account_days", company)] == [(3, "27")]
    assert sorted(t["pnl"] for t in await models.rows("trades", company)) == ["-5", "12", "20"]

    models.given([moved, trade_cancelled(company_id=company, trade_id="t3")], batches_of=batches_of)
    by_user = await models.rows("trading_totals", company, by="user_id")
    assert [(t["user_id"], t["total_pnl"], t["largest_win"]) for t in by_user] == [
        ("u1", "-5", None),
        ("u2", "12", "12"),
    ]
    assert [t["trade_id"] for t in await models.rows("trades", company)] == ["t1", "t2"]

    models.given([trade_cancelled(company_id=company, trade_id=f"t{n}") for n in (1, 2)], batches_of=batches_of)
    assert await models.rows("account_days", company) == []
    assert await models.rows("trades", company) == []


async def test_what_takes_a_trade_back_may_come_first(models: ReadModels) -> None:
    """It holds for the reports up to its revision, whenever they come; a higher one reports the trade anew."""
    of = partial(reported, company_id="early")
    models.given([trade_cancelled(company_id="early", trade_id="t1"), of(10)], batches_of=[1])
    assert await models.rows("account_days", "early") == []
    models.given([of(11, revision=1), of(10), of(9)], batches_of=[1])
    assert [(d["trades"], d["pnl"]) for d in await models.rows("account_days", "early")] == [(1, "11")]


async def test_restatements_say_from_what_to_what(models: ReadModels) -> None:
    """Each with both reports' events, the newest first, page by page; who asks for a trade sees its own."""
    company = "restated"
    of = partial(reported, company_id=company)
    events = [of(10), of(12, fees=1), of(7, "t2"), of(12, fees=1, symbol="B"), of(3, "t3", revision=2), of(4, "t3")]
    models.given([*events, trade_cancelled(company_id=company, trade_id="t1")], batches_of=[2])
    found = await models.rows("restated_trades", company)
    told = sorted((r["was_event_id"], r["event_id"]) for r in found)
    ids = [event.envelope.event_id for event in events]
    assert [pair[0] for pair in told] == sorted([ids[0], ids[1], ids[3]])
    by_pair = {r["was_event_id"]: r for r in found}
    assert by_pair[ids[0]]["was"] == {"pnl": "10", "fees": "0"}
    assert by_pair[ids[0]]["now"] == {"pnl": "12", "fees": "1"}
    assert (by_pair[ids[1]]["was"], by_pair[ids[1]]["now"]) == ({"symbol": "AAPL"}, {"symbol": "B"})
    assert by_pair[ids[3]]["taken_back"]
    assert by_pair[ids[3]]["now"] is None
    assert by_pair[ids[3]]["was"]["pnl"] == "12"
    first = await models.answer("restated_trades", company, limit="2")
    rest = await models.rows("restated_trades", company, limit="2", cursor=first["next_cursor"])
    assert [*first["rows"], *rest] == found
    assert await models.rows("restated_trades", company, trade_id="t2") == []


async def test_flows_and_values_that_are_reported_again_count_once(models: ReadModels) -> None:
    """A flow by its id; a value by account and moment: the last one of a day stands for it, as it was last reported."""
    flow = partial(account_flow, company_id="moved", user_id="u1", account_id="a1", timestamp=START)
    value = partial(account_equity, company_id="moved", user_id="u1", account_id="a1", timestamp=START)
    models.given(
        [
            *(flow(amount=100, flow_id="f1"), flow(amount=40), flow(amount=40), flow(amount=90, flow_id="f1")),
            *(value(equity=10, at=START), value(equity=20, at=START + 1), value(equity=21, at=START + 1)),
            value(equity=11, at=START, timestamp=START + HOUR),  # of the earlier moment, and reported last
        ],
        batches_of=[1],
    )
    assert [day["flows"] for day in await models.rows("account_days", "moved")] == ["170"]
    assert [day["equity"] for day in await models.rows("account_values", "moved")] == ["21"]
    (restated,) = await models.rows("restated_flows", "moved")
    assert (restated["was"], restated["now"]) == ({"amount": "100"}, {"amount": "90"})
    models.given([flow_cancelled(company_id="moved", flow_id="f1"), value(equity=5, at=START + 1, revision=1)])
    models.given([value(equity=6, at=START + 1)])
    assert [day["flows"] for day in await models.rows("account_days", "moved")] == ["80"]
    assert [day["equity"] for day in await models.rows("account_values", "moved")] == ["5"]
