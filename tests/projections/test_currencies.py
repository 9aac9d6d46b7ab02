"""Amounts of several currencies: added up in the company's own, at the rates of their days, or not at all."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.audit import SYSTEM
from domain.company_calendar import PERIODS
from domain.configuration.company import CurrencyChanged
from domain.configuration.registry import company_aggregate_id, write_body
from domain.conversion import Rate, Rates
from domain.metrics.value import Reason
from domain.position import Position
from eventlog.publish.builders import acquisition_cost, config_event, payment, subscription
from eventlog.publish.event import Event
from projections.engine.past.past_store import answer_past
from projections.engine.query.no_amount import NoAmount
from projections.engine.query.rates_used import RatePolicy
from projections.engine.query.reporting import Converter
from projections.engine.query.request import Past, Question
from projections.subscriptions.customers import GRADED
from projections.subscriptions.in_one_currency import COUNTS, MRR, Grid, Unit, movements
from tests.laws.test_past import NewDatabase, past_store, position_of
from tests.projections.harness import ReadModels, logged
from tests.projections.test_exchange_rates import rate
from tests.projections.test_user_activity import moment, ms
from tests.support.closed_trades import closed_trade

JANUARY = "2025-01-06T10:00:00"


def trade(number: int, pnl: float, currency: str, *, when: str = JANUARY, **more: Any) -> Event:
    closed = ms(moment(when))
    given = {"user_id": "u1", "account_id": "a1", "symbol": "AAA", "strategy": "s", "fees": 0.0} | more
    return closed_trade(
        trade_id=f"t{number}",
        exit_price=100.0,
        pnl=pnl,
        currency=currency,
        opened_at=closed - 1,
        closed_at=closed,
        **given,
    )


def in_currency(code: str, *, version: int = 1, when: str = "2025-01-01T00:00:00", company: str = "acme") -> Event:
    return config_event(
        company_id=company, topic="company.currency_changed", aggregate_id=str(company_aggregate_id(company)),
        aggregate_version=version, body=write_body(CurrencyChanged(code)).decode(), actor="ann", role="admin",
        timestamp=ms(moment(when)),
    )  # fmt: skip


MIXED = [trade(1, 10, "USD"), trade(2, -3_000, "JPY", symbol="BBB"), trade(3, 5, "EUR")]
RATES = [rate("2025-01-06T14:00:00", "USD", 1.25), rate("2025-01-03T14:00:00", "JPY", 150)]


async def test_one_currency_is_answered_as_it_is(models: ReadModels) -> None:
    """No rate is needed, whether or not it is the company's own; the answer names it."""
    models.given([trade(1, 10, "CHF"), trade(2, -3, "CHF")])
    answer = await models.answer("trading_totals")
    assert (answer["currency"], answer["rows"][0]["total_pnl"]) == ("CHF", "7")
    models.given([in_currency("CHF")])
    again = await models.answer("trading_totals")
    assert again["rows"] == answer["rows"]
    assert "rates" not in again


async def test_several_without_a_currency_of_the_company_are_no_sum(models: ReadModels) -> None:
    """Counts stand; amounts and what follows from them are null with the reason; by currency all of them stand."""
    models.given([*MIXED, *RATES])
    answer = await models.answer("trading_totals")
    (row,) = answer["rows"]
    assert answer["currency"] is None
    assert (row["total_trades"], row["winning_trades"], row["win_rate"]) == (3, 2, 2 / 3)
    nothing = ("total_pnl", "gross_profit", "gross_loss", "total_fees", "turnover", "largest_win", "largest_loss")
    derived = ("average_win", "average_loss", "profit_factor", "payoff_ratio", "expectancy")
    assert {name: row[name] for name in (*nothing, *derived)} == dict.fromkeys((*nothing, *derived))
    assert row["reasons"] == dict.fromkeys((*nothing, *derived), "no_reporting_currency")
    by_currency = await models.rows("trading_totals", by="currency")
    assert [(r["currency"], r["total_pnl"]) for r in by_currency] == [("EUR", "5"), ("JPY", "-3000"), ("USD", "10")]
    assert [r["total_pnl"] for r in await models.rows("trading_totals", currency="JPY")] == ["-3000"]


async def test_several_are_told_in_the_currency_of_the_company(models: ReadModels) -> None:
    """By hand: 10 USD are 8 EUR, 3000 JPY are 20, at the last rates of the week."""
    models.given([*MIXED, *RATES, in_currency("EUR")])
    answer = await models.answer("trading_totals", list_rates="true")
    (row,) = answer["rows"]
    assert (answer["currency"], row["total_pnl"], row["gross_profit"], row["gross_loss"]) == ("EUR", "-7", "13", "20")
    assert (row["largest_win"], row["largest_loss"], row["profit_factor"]) == ("8", "-20", 0.65)
    used = answer["rates"].pop("used")
    assert answer["rates"] == {
        "policy": "booked", "number": 2, "sources": ["ecb"], "first_day": "2025-01-03", "last_day": "2025-01-06",
    }  # fmt: skip
    assert [(each["quote"], each["rate"], each["own"]) for each in used] == [
        ("JPY", "150", True),
        ("USD", "1.25", True),
    ]
    symbols = await models.rows("trading_totals", by="symbol")
    assert [(r["symbol"], r["total_pnl"]) for r in symbols] == [("AAA", "13"), ("BBB", "-20")]
    dollars = models.given([in_currency("USD", version=2)])
    assert [r["total_pnl"] for r in await dollars.rows("trading_totals")] == ["-8.75"]


async def test_rates_for_everybody_and_a_tenant_s_own(models: ReadModels) -> None:
    """Those of `_system` hold for all, until a tenant says another; nobody sees those of another tenant."""
    models.given([trade(1, 10, "USD"), in_currency("EUR")])
    (row,) = await models.rows("trading_totals")
    assert (row["total_pnl"], row["reasons"]["total_pnl"]) == (None, "no_rate")
    models.given([rate(JANUARY, "USD", 2, company="globex")])
    assert (await models.rows("trading_totals"))[0]["total_pnl"] is None
    models.given([rate(JANUARY, "USD", 1.25, company=SYSTEM)])
    assert (await models.rows("trading_totals"))[0]["total_pnl"] == "8"
    models.given([rate(JANUARY, "USD", 1.6)])
    assert (await models.rows("trading_totals"))[0]["total_pnl"] == "6.25"


async def test_a_missing_rate_takes_away_the_rows_that_need_it(models: ReadModels) -> None:
    """The others stand."""
    models.given([*MIXED, RATES[0], in_currency("EUR")])
    rows = await models.rows("trading_totals", by="symbol")
    assert [(r["symbol"], r["total_pnl"], r["total_trades"]) for r in rows] == [("AAA", "13", 2), ("BBB", None, 1)]


async def test_rates_by_policy(models: ReadModels) -> None:
    """Of each day, of the first or of the last day of the period; an amount without a currency is the company's."""
    trades = [trade(1, 10, "USD"), trade(2, 10, "USD", when="2025-01-08T10:00:00"), trade(3, 1, "")]
    rates = [rate(JANUARY, "USD", 1.25), rate("2025-01-08T10:00:00", "USD", 2), rate("2025-01-09T10:00:00", "USD", 2.5)]
    models.given([*trades, *rates, in_currency("EUR")])
    period = {"from_": "2025-01-06", "to": "2025-01-10"}
    told = {
        policy: (await models.rows("trading_totals", rates=policy, **period))[0]["total_pnl"]
        for policy in ("booked", "constant", "closing")
    }
    assert told == {"booked": "14", "constant": "17", "closing": "9"}


async def test_metrics_of_several_currencies(models: ReadModels) -> None:
    """A metric of money is converted, or null with the reason; one of counts stands."""
    models.given([*MIXED, *RATES])
    (pnl,) = await models.rows("metric", key="total_pnl")
    (won,) = await models.rows("metric", key="win_rate")
    assert (pnl["value"], pnl["reason"], won["value"]) == (None, Reason.NO_REPORTING_CURRENCY, 2 / 3)
    models.given([in_currency("EUR")])
    (pnl,) = await models.rows("metric", key="total_pnl")
    assert pnl["value"] == "-7"
    in_january = {row["key"]: row for row in await models.rows("kpis", from_="2025-01-01", to="2025-02-01")}
    assert (in_january["total_pnl"]["value"], in_january["profit_factor"]["value"]) == ("-7", 0.65)


async def test_a_record_and_mrr_are_of_one_currency(models: ReadModels) -> None:
    """What is not converted is null with its reason, or refused with a sentence; of one currency it stands."""
    of_months = [
        subscribed(customer, code, amount) for customer, code, amount in (("c0", "USD", 100), ("c1", "JPY", 15_000))
    ]
    models.given([*MIXED, *of_months])
    for key in ("sharpe_pnl", "mae", "profitable_user_share", "mrr", "arr", "nrr"):
        (row,) = await models.rows("metric", key=key)
        assert (row["value"], row["reason"]) == (None, Reason.NO_REPORTING_CURRENCY), key
    with pytest.raises(NoAmount, match="several currencies"):
        await models.rows("trading_metrics")
    for query in ("mrr_movements", "mrr_retained", "customer_mrr"):
        for row in await models.rows(query):
            assert (row["end_mrr"], row["reasons"]["end_mrr"]) == (None, Reason.NO_REPORTING_CURRENCY)
    assert (await models.rows("metric", key="longest_win_streak", currency="USD"))[0]["value"] == 1
    assert [row["end_mrr"] for row in await models.rows("mrr_movements", by="currency")] == ["15000", "100"]
    assert [(row["currency"], row["end_mrr"]) for row in await models.rows("mrr_retained", by="currency")] == [
        ("JPY", "15000"), ("USD", "100"),
    ]  # fmt: skip


async def test_mrr_of_several_currencies(models: ReadModels) -> None:
    """By hand, in EUR: what moved at the rates of its day, both ends at their own, and what the rates moved as a line.

    100 USD at 1.25 are 80 in January; at 2 they are 50 at its end. In February 50 USD more at 2 are 25, and all 150
    USD at 1.6 are 93.75. A constant rate moves nothing.
    """
    rates = [(JANUARY, 1.25), ("2025-01-30T10:00:00", 2), ("2025-02-10T10:00:00", 2), ("2025-02-27T10:00:00", 1.6)]
    models.given(
        [
            subscribed("c0", "USD", 100),
            subscribed("c1", "EUR", 10),
            subscribed("c0", "USD", 150, event="changed", when="2025-02-10T10:00:00"),
            *(rate(when, "USD", value) for when, value in rates),
            in_currency("EUR"),
        ]
    )
    answer = await models.answer("mrr_movements", by="month", to="2025-03-01", list_rates="true")
    lines = ("start_mrr", "new_mrr", "expansion_mrr", "currency_mrr", "end_mrr", "currency")
    assert [tuple(row[line] for line in lines) for row in answer["rows"]] == [
        ("0", "90", "0", "-30", "60", "EUR"),
        ("60", "0", "25", "18.75", "103.75", "EUR"),
    ]
    assert (answer["currency"], answer["rates"]["number"]) == ("EUR", 4)
    february = {"from_": "2025-02-01", "to": "2025-03-01"}
    told = {
        policy: [row[line] for row in await models.rows("mrr_movements", rates=policy, **february) for line in lines]
        for policy in ("constant", "closing")
    }
    assert told == {
        "constant": ["60", "0", "25", "0", "85", "EUR"],
        "closing": ["72.5", "0", "31.25", "0", "103.75", "EUR"],
    }
    (kept,) = await models.rows("mrr_retained", **february)
    levels = [kept[name] for name in ("start_mrr", "retained_mrr", "nrr", "end_mrr", *GRADED)]
    assert levels == ["60", "85", 85 / 60, "103.75", 1, 0]
    metrics = {row["key"]: row for row in await models.rows("kpis", **february)}
    values = {"mrr": "103.75", "arpa": "51.875", "currency_mrr": "18.75", "net_new_mrr": "25", "cmrr": "103.75"}
    assert {key: metrics[key]["value"] for key in values} == values
    assert {metrics[key]["currency"] for key in ("mrr", "arpa", "currency_mrr")} == {"EUR"}
    assert "currency" not in metrics["nrr"]


async def test_a_rate_that_is_missing_takes_mrr_away(models: ReadModels) -> None:
    """Of the period that needs it; counts stand."""
    models.given([subscribed("c0", "USD", 100), rate(JANUARY, "USD", 1.25), in_currency("EUR")])
    (january,) = await models.rows("mrr_movements", from_="2025-01-01", to="2025-02-01")
    (february,) = await models.rows("mrr_movements", from_="2025-02-01", to="2025-03-01")
    assert (january["end_mrr"], january["new_count"]) == (None, 1)
    assert january["reasons"]["end_mrr"] == february["reasons"]["start_mrr"] == "no_rate"
    assert (await models.rows("mrr_movements", to="2025-01-10"))[0]["end_mrr"] == "80"


def subscribed(customer: str, code: str, amount: float, *, event: Any = "started", when: str = JANUARY) -> Event:
    begins = ms(moment(when))
    return subscription(
        company_id="acme", event=event, customer_id=customer, subscription_id=customer, interval="month",
        unit_amount=amount, quantity=1, currency=code, effective_at=begins, timestamp=begins,
    )  # fmt: skip


FIRST, HORIZON = date(2025, 1, 1), 90
ON_A_DAY = st.integers(0, HORIZON - 1)
PAID = st.fixed_dictionaries({}, optional={code: st.integers(1, 10**15) for code in ("USD", "JPY", "EUR")})
MOVED = st.lists(st.tuples(ON_A_DAY, st.sampled_from("abc"), PAID), min_size=1, max_size=8)
WORTH = st.lists(st.integers(10**9, 10**14), min_size=HORIZON, max_size=HORIZON)


def midnight(day: date) -> datetime:
    """Its beginning, UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def period_of(row: dict[str, Any], unit: Unit, begin: date, end: date) -> tuple[date, date]:
    """The first day of a row and the one after its last."""
    if not unit:
        return begin, end
    day, year = date.fromisoformat, row[unit][:4]
    firsts: dict[str, Callable[[str], date]] = {
        "day": lambda name: day(name), "week": lambda name: day(name), "month": lambda name: day(f"{name}-01"),
        "quarter": lambda name: date(int(year), 3 * int(name[-1]) - 2, 1), "year": lambda _: date(int(year), 1, 1),
    }  # fmt: skip
    first = firsts[unit](row[unit])
    later = first + timedelta({"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}[unit])
    return max(begin, first), min(end, later if unit in ("day", "week") else later.replace(day=1))


def part_of(plan: str, code: str, day: date | None, amount: int) -> dict[str, Any]:
    """New MRR of a plan in a currency; of no day: before the period."""
    nothing = {"tier": "", **dict.fromkeys((*MRR, *COUNTS), 0)}
    return {**nothing, "day": day, "utc_day": day, "plan": plan, "currency": code, "new_mrr": amount}


def worth_of_days(worth: dict[str, list[int]]) -> list[Rate]:
    """What one of each currency is worth in pounds; one of them always a third."""
    third = Fraction(1, 3)
    days = [FIRST + timedelta(number) for number in range(HORIZON)]
    rates = [Rate("EUR", "GBP", "x", day, third) for day in days]
    for code, each in worth.items():
        rates += [Rate(code, "GBP", "x", day, Fraction(of, 10**12)) for day, of in zip(days, each, strict=True)]
    return rates


@given(
    moved=MOVED,
    worth=st.fixed_dictionaries({"USD": WORTH, "JPY": WORTH}),
    low=ON_A_DAY,
    unit=st.sampled_from(("", *PERIODS)),
    booked=st.booleans(),
)
def test_mrr_equals_exact_fractions(
    moved: list[tuple[int, str, dict[str, int]]], worth: dict[str, list[int]], low: int, unit: Unit, booked: bool
) -> None:
    """S + N + X + R − C − K + what rates moved = E in every period, which begins with what the one before ended with.

    Each is what exact fractions come to, rounded once: recounted from what each plan had in each currency at each day.
    """
    rates = worth_of_days(worth)
    fixed = None if booked else FIRST + timedelta(low)
    converter = Converter(Rates(rates), "GBP", RatePolicy("a policy", fixed))
    of_day = {(r.base, r.day): r.rate for r in rates}
    begin, end = FIRST + timedelta(max(low, 1)), FIRST + timedelta(HORIZON)
    facts = [(plan, code, FIRST + timedelta(n), amount) for n, plan, paid in moved for code, amount in paid.items()]

    def in_pounds(plan: str, first: date, after: date, at: date | None = None) -> int:
        """What was paid on some days, at the worth of a day or of each."""
        of_plan = [(code, day, amount) for each, code, day, amount in facts if each == plan and first <= day < after]
        exact = sum((amount * of_day[code, fixed or at or day] for code, day, amount in of_plan), Fraction(0))
        return 12 * round(exact / 12)

    parts = [part_of(plan, code, None if day < begin else day, amount) for plan, code, day, amount in facts]
    grid = Grid(unit, midnight(begin), midnight(end), end)
    ended: dict[str, int] = {}
    for row in movements(parts, ("plan", *((unit,) if unit else ())), grid, converter):
        plan, (first, after) = row["plan"], period_of(row, unit, begin, end)
        before, last = first - timedelta(1), after - timedelta(1)
        assert row["new_mrr"] == in_pounds(plan, first, after)
        assert row["start_mrr"] == in_pounds(plan, FIRST, first, before) == ended.get(plan, row["start_mrr"])
        assert row["end_mrr"] == in_pounds(plan, FIRST, after, last)
        assert sum(row[name] for name in ("start_mrr", "new_mrr", "currency_mrr")) == row["end_mrr"]
        assert booked or abs(row["currency_mrr"]) <= 24  # of rounding
        ended[plan] = row["end_mrr"]
    assert ended.keys() == {plan for plan, *_ in facts}


async def test_money_taken_and_spent(models: ReadModels) -> None:
    """Payments and costs are told in the company's currency; their metrics as well."""
    when = ms(moment(JANUARY))
    taken = [
        payment(company_id="acme", customer_id="c1", kind="succeeded", amount=amount, currency=code, timestamp=when)
        for amount, code in ((10, "USD"), (7, "EUR"))
    ]
    spent = [
        acquisition_cost(company_id="acme", channel="ads", cost=cost, currency=code, timestamp=when)
        for cost, code in ((5, "USD"), (3, "EUR"))
    ]
    models.given([*taken, *spent])
    (row,) = await models.rows("payment_totals")
    assert (row["payments"], row["customers"], row["amount"], row["reasons"]["amount"]) == (
        2, 1, None, "no_reporting_currency",
    )  # fmt: skip
    models.given([rate(JANUARY, "USD", 1.25), in_currency("EUR")])
    assert [r["amount"] for r in await models.rows("payment_totals", by="kind")] == ["15"]
    assert [r["cost"] for r in await models.rows("acquisition_costs")] == ["7"]
    assert [r["value"] for r in await models.rows("metric", key="gross_revenue")] == ["15"]


async def test_the_past_is_told_with_what_was_known_then(new_database: NewDatabase) -> None:
    """A currency that was set later, a rate that came later or was corrected: an answer as known before has none."""
    corrected = rate("2025-01-06T15:00:00", "USD", 1.6, company=SYSTEM)
    records = logged([trade(1, 10, "USD"), in_currency("EUR"), rate(JANUARY, "USD", 1.25, company=SYSTEM), corrected])
    url = new_database()
    models = ReadModels(url)
    models.fold(records)
    models.restart()
    known = []
    nothing = dict.fromkeys(position_of(records).offsets, 0)  # streams that a position leaves out are told as of now
    for number in range(1, 5):
        then = Position({**nothing, **position_of(records[:number]).offsets})
        store, scratch = past_store(url, records, Past(then))
        with closing(scratch):
            answer = await answer_past(Question("trading_totals", "acme", {}, datetime.now(UTC)), store)
        (row,) = answer["rows"]
        known.append((answer["currency"], row["total_pnl"], row["reasons"].get("total_pnl")))
    assert known == [("USD", "10", None), ("EUR", None, "no_rate"), ("EUR", "8", None), ("EUR", "6.25", None)]


@pytest.mark.parametrize("seed", [1, 2])
async def test_sums_equal_exact_fractions(models: ReadModels, seed: int) -> None:
    """A hundred trades of six currencies over a month, recounted: rounded once, in the sum."""
    chance = random.Random(seed)
    days = [f"2025-01-{day:02}T12:00:00" for day in range(1, 29)]
    codes = ("USD", "JPY", "GBP", "BTC", "EUR", "")
    rates = {(code, when): round(chance.uniform(0.5, 200), 4) for when in days for code in ("USD", "JPY", "GBP", "BTC")}
    facts = [(chance.choice(codes), chance.choice(days), chance.randint(-(10**9), 10**9)) for _ in range(100)]
    models.given(
        [
            *(rate(when, code, value, company=SYSTEM) for (code, when), value in rates.items()),
            *(trade(n, pnl / 1e6, code, when=when) for n, (code, when, pnl) in enumerate(facts)),
            in_currency("EUR"),
        ],
        batches_of=(50, 7),
    )
    exact = sum(
        Fraction(pnl, 10**6) / (Fraction(str(rates[code, when])) if (code, when) in rates else 1)
        for code, when, pnl in facts
    )
    (row,) = await models.rows("trading_totals")
    assert abs(Fraction(row["total_pnl"]) - exact) <= Fraction(1, 2 * PLACES)


PLACES = 10**12
