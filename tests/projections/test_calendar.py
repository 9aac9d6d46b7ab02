"""A company's calendar cuts every answer: days, weeks, months and years recounted with the standard library's zones."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.company_calendar import PERIODS, WEEKDAYS, begin_of, first_day, next_first_day, period_name
from domain.configuration.company import Calendar, CalendarChanged
from domain.configuration.registry import write_body
from domain.errors import Invalid
from eventlog.publish.builders import (
    account_equity,
    account_flow,
    acquisition_cost,
    audit_event,
    config_event,
    payment,
    performance_data,
    subscription,
    support_ticket,
    survey_response,
    user_event,
)
from eventlog.publish.event import Event
from projections.queries.metrics.periods import of_cut
from tests.projections.harness import COMPANY, ReadModels
from tests.projections.test_user_activity import ms
from tests.support.closed_trades import closed_trade

ZONES = ("Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "America/New_York")
BEGIN, END = datetime(2025, 2, 24, tzinfo=UTC), datetime(2025, 3, 24, tzinfo=UTC)  # American clocks change on 9 March
NOW = datetime(2025, 4, 2, 12, tzinfo=UTC)
Cut = Callable[[datetime, ZoneInfo], Any]

CUTS: dict[str, Cut] = {
    "day": lambda at, zone: at.astimezone(zone).date().isoformat(),
    "weekday": lambda at, zone: at.astimezone(zone).weekday(),
    "week": lambda at, zone: date.fromisocalendar(*at.astimezone(zone).isocalendar()[:2], 1).isoformat(),
    "month": lambda at, zone: f"{at.astimezone(zone):%Y-%m}",
    "quarter": lambda at, zone: f"2025-Q{(at.astimezone(zone).month + 2) // 3}",
}
COUNTED = {  # query: measure, what is done how often; each is one event of that kind
    "user_activity": "events",
    "activity_totals": "events",
    "user_step_totals": "times",
    "feature_usage": "uses",
    "trading_totals": "total_trades",
    "payment_totals": "payments",
    "acquisition_costs": "costs",
    "survey_answers": "answers",
    "ticket_totals": "opened",
    "operations": "count",
    "audit_totals": "total",
    "mrr_movements": "new_count",
}


def moments(seed: int, number: int = 60) -> list[datetime]:
    """Of the period, some of them close to a midnight of one of the zones."""
    dice = random.Random(seed)
    found = []
    for n in range(number):
        at = BEGIN + timedelta(milliseconds=dice.randrange((END - BEGIN) // timedelta(milliseconds=1)))
        if n % 2:
            midnight = at.astimezone(ZoneInfo(ZONES[n // 2 % 4])).replace(hour=0, minute=0, second=0, microsecond=0)
            at = midnight.astimezone(UTC) + timedelta(milliseconds=dice.choice((-900_000, -1, 0, 1, 899_999)))
        found.append(at)
    return found


AT = {query: moments(seed) for seed, query in enumerate(COUNTED)}
DONE = [(f"u{n % 7}", at) for n, at in enumerate(AT["user_activity"])]
AT["activity_totals"] = AT["user_step_totals"] = AT["feature_usage"] = AT["user_activity"]
TRADED = AT["trading_totals"]
VALUED = moments(99)


def happened() -> list[Event]:
    """Everything, one event a moment."""
    return [*did(), *money_moved(), *served()]


def did() -> Iterator[Event]:
    for user, at in DONE:
        yield user_event(company_id=COMPANY, user_id=user, name="feature_used", feature="f", timestamp=ms(at))
    for n, at in enumerate(TRADED):
        yield closed_trade(
            trade_id=f"t{n}", account_id=f"a{n % 2}", pnl=n - 20, opened_at=ms(opened(n)), closed_at=ms(at)
        )
    for n, at in enumerate(VALUED):
        account: dict[str, Any] = {
            "company_id": COMPANY,
            "user_id": "u1",
            "account_id": f"v{n % 2}",
            "timestamp": ms(at),
        }
        yield account_equity(equity=1000 + n, **account)
        yield account_flow(amount=n, **account)


def money_moved() -> Iterator[Event]:
    spent: dict[str, Any] = {"company_id": COMPANY, "currency": "USD"}
    for n, at in enumerate(AT["payment_totals"]):
        yield payment(customer_id=f"c{n % 5}", kind="succeeded", amount=n + 1, timestamp=ms(at), **spent)
    for at in AT["acquisition_costs"]:
        yield acquisition_cost(channel="ads", cost=1, timestamp=ms(at), **spent)
    for n, at in enumerate(AT["mrr_movements"]):
        yield subscription(
            **spent, event="started", customer_id=f"m{n}", subscription_id=f"m{n}", plan="pro", interval="month",
            unit_amount=10, quantity=1, effective_at=ms(at), recorded_at=ms(at), sequence=1, timestamp=ms(at)
        )  # fmt: skip


def served() -> Iterator[Event]:
    for n, at in enumerate(AT["survey_answers"]):
        yield survey_response(company_id=COMPANY, survey="nps", score=9, respondent_id=f"r{n}", timestamp=ms(at))
    for n, at in enumerate(AT["ticket_totals"]):
        yield support_ticket(company_id=COMPANY, ticket_id=f"t{n}", event="opened", timestamp=ms(at))
    for at in AT["operations"]:
        yield performance_data(company_id=COMPANY, service="s", operation="o", duration_ms=1, timestamp=ms(at))
    for at in AT["audit_totals"]:
        yield audit_event(company_id=COMPANY, subject="s", action="query", outcome="ok", timestamp=ms(at))


def opened(number: int) -> datetime:
    """When a trade was entered: before the clocks changed, for some of those that ended after it."""
    return TRADED[number] - timedelta(hours=number * 3, minutes=7)


def changed(calendar: Calendar, version: int = 1) -> Event:
    """A company's calendar as an administrator sets it, on 1 April."""
    return config_event(
        company_id=COMPANY,
        timestamp=ms(datetime(2025, 4, 1, tzinfo=UTC)) + version,
        topic=CalendarChanged.topic,
        aggregate_id=COMPANY,
        aggregate_version=version,
        body=write_body(CalendarChanged(calendar)).decode(),
        actor="ann",
        role="admin",
    )


def counted(times: list[datetime], cut: Cut, zone: ZoneInfo) -> dict[Any, int]:
    found = defaultdict[Any, int](int)
    for at in times:
        found[cut(at, zone)] += 1
    return dict(found)


def sum_until(pnl: dict[str, int], day: str) -> int:
    return sum(value for each, value in pnl.items() if each <= day)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


async def test_days_are_those_of_the_zone(models: ReadModels) -> None:
    """Every query that cuts days, in zones of half and quarter hours and over a change of the clocks."""
    models.given(happened())
    models.asked_at = NOW
    for name in ZONES:
        zone = ZoneInfo(name)
        for query, measure in COUNTED.items():
            for by, cut in CUTS.items():
                if query == "mrr_movements" and by == "weekday":
                    continue
                rows = await models.rows(query, by=by, zone=name)
                found = {row[by]: row[measure] for row in rows if row[measure]}
                assert found == counted(AT[query], cut, zone), (name, query, by)
            # a period of dates is one of the zone's days
            rows = await models.rows(query, from_="2025-03-08", to="2025-03-11", zone=name)
            low, high = midnight(date(2025, 3, 8), zone), midnight(date(2025, 3, 11), zone)
            assert rows[0][measure] == sum(low <= at < high for at in AT[query]), (name, query)
        await users_of(models, name, zone)
        await trading_of(models, name, zone)


async def users_of(models: ReadModels, name: str, zone: ZoneInfo) -> None:
    """Distinct users, new ones, cohorts and entries into a funnel."""
    by_day = defaultdict[str, set[str]](set)
    first: dict[str, datetime] = {}
    for user, at in DONE:
        by_day[CUTS["day"](at, zone)].add(user)
        first[user] = min(at, first.get(user, at))
    rows = await models.rows("user_activity", by="day", zone=name)
    assert {r["day"]: r["active_users"] for r in rows} == {day: len(users) for day, users in by_day.items()}
    new = counted(list(first.values()), CUTS["day"], zone)
    assert {r["day"]: r["new_users"] for r in rows if r["new_users"]} == new
    rows = await models.rows("active_users", zone=name)
    assert {r["day"]: r["dau"] for r in rows if r["dau"]} == {day: len(users) for day, users in by_day.items()}
    rows = await models.rows("lifecycle", zone=name)
    assert {r["day"]: r["new_users"] for r in rows if r["new_users"]} == new
    rows = await models.rows("retention", zone=name)
    assert {r["cohort"]: r["users"] for r in rows if r["cohort"]} == new
    rows = await models.rows("funnel", steps="feature_used", by="day", zone=name)
    assert sum(r["users"] for r in rows) == len(first)
    dau, mau = await models.rows("metrics", keys="dau,mau", from_="2025-03-09", to="2025-03-10", zone=name)
    assert dau["value"] == len(by_day["2025-03-09"])
    days = [(date(2025, 3, 9) - timedelta(days=n)).isoformat() for n in range(28)]
    assert mau["value"] == len(set().union(*(by_day[day] for day in days if day in by_day)))
    paid = defaultdict[str, set[str]](set)
    begun: dict[str, datetime] = {}
    for n, at in enumerate(AT["payment_totals"]):
        begun[f"c{n % 5}"] = min(at, begun.get(f"c{n % 5}", at))
    for customer, at in begun.items():
        paid[CUTS["month"](at, zone)].add(customer)
    rows = await models.rows("retention", what="revenue", unit="month", zone=name)
    assert {r["cohort"][:7]: r["users"] for r in rows if r["cohort"]} == {m: len(c) for m, c in paid.items()}


async def trading_of(models: ReadModels, name: str, zone: ZoneInfo) -> None:
    """Hours of entry, accounts by day, last values of days, the daily series and periods of key figures."""
    hours = counted([opened(n) for n in range(len(TRADED))], lambda at, z: at.astimezone(z).hour, zone)
    rows = await models.rows("trading_totals", by="entry_hour", zone=name)
    assert {r["entry_hour"]: r["total_trades"] for r in rows} == hours
    assert len(await models.rows("trades", entry_hour="9", zone=name)) == hours.get(9, 0)
    pnl = defaultdict[str, int](int)
    for n, at in enumerate(TRADED):
        pnl[CUTS["day"](at, zone)] += n - 20
    rows = await models.rows("account_days", user_id="u1", zone=name)
    assert sum(r["trades"] for r in rows) == len(TRADED)
    summed = defaultdict[str, int](int)
    for row in rows:
        summed[row["day"]] += int(row["pnl"])
    assert {day: value for day, value in summed.items() if value} == {day: v for day, v in pnl.items() if v}
    rows = await models.rows("trading_equity", calendar="all", basis="pnl", zone=name)
    assert {r["day"]: int(r["pnl"]) for r in rows} == {r["day"]: sum_until(pnl, r["day"]) for r in rows}
    last: dict[tuple[str, str], tuple[datetime, int]] = {}
    for n, at in enumerate(VALUED):
        key = f"v{n % 2}", CUTS["day"](at, zone)
        last[key] = max(last.get(key, (at, 0)), (at, 1000 + n))
    rows = await models.rows("account_values", zone=name)
    assert {(r["account_id"], r["day"]): int(r["equity"]) for r in rows} == {k: v for k, (_, v) in last.items()}
    [figure] = await models.rows("kpis", at="2025-03-09", period="month", keys="total_trades", zone=name)
    assert figure["value"] == counted(TRADED, CUTS["month"], zone)["2025-03"]
    assert figure["from"] == midnight(date(2025, 3, 1), zone).isoformat().replace("+00:00", "Z")


async def test_what_the_company_has_set_is_the_default(models: ReadModels) -> None:
    """The answer says by which calendar it was cut; a question may say another one for itself."""
    own = Calendar("Asia/Kolkata", "sunday", 4, "all")
    models.given([*happened(), changed(own)])
    models.asked_at = NOW
    answer = await models.answer("trading_totals", by="day")
    assert answer["calendar"] == msgspec.to_builtins(own)
    assert answer["rows"] == await models.rows("trading_totals", by="day", zone="Asia/Kolkata")
    assert answer["rows"] != await models.rows("trading_totals", by="day", zone="UTC")
    [year] = await models.rows("trading_totals", by="year")
    assert year["year"] == 2025  # from April 2024 on
    assert [r["year"] for r in await models.rows("trading_totals", by="year", fiscal_year_starts="3")] == [2025, 2026]
    [quarter] = await models.rows("trading_totals", by="quarter")
    assert quarter["quarter"] == "2025-Q4"
    assert quarter["total_trades"] == (await models.rows("trading_totals", quarter="2025-Q4"))[0]["total_trades"]
    weeks = {r["week"]: r["total_trades"] for r in await models.rows("trading_totals", by="week")}
    assert {date.fromisoformat(week).weekday() for week in weeks} == {6}
    for query, key in (("trading_totals", {}), ("metric", {"key": "total_trades"}), ("metric", {"key": "sqn"})):
        [sunday] = await models.rows(query, week="2025-03-09", **key)
        assert [sunday] == await models.rows(query, week="2025-03-13", **key)  # any of its days names it
        assert sunday.get("total_trades", sunday.get("value")) == weeks["2025-03-09"] or key == {"key": "sqn"}
    with pytest.raises(Invalid, match="no quarter"):
        await models.rows("trading_totals", quarter="2025-05")
    [figure] = await models.rows("kpis", at="2025-03-09", period="year", keys="total_trades")
    assert (figure["from"], figure["to"]) == ("2024-03-31T18:30:00Z", "2025-03-31T18:30:00Z")
    [figure] = await models.rows("kpis", at="2025-03-09", period="week", keys="total_trades")
    assert (figure["from"], figure["to"]) == ("2025-03-08T18:30:00Z", "2025-03-15T18:30:00Z")
    [figure] = await models.rows("kpis", at="2025-03-09", period="week", week_starts_on="monday", keys="total_trades")
    assert figure["from"] == "2025-03-02T18:30:00Z"
    assert {r["day"] for r in await models.rows("trading_equity")} >= {"2025-03-08", "2025-03-09"}  # a weekend
    assert (await models.answer("dashboards"))["calendar"] is None
    assert (await models.answer("trading_totals", company="other"))["calendar"] == msgspec.to_builtins(Calendar())


@given(
    st.dates(date(1980, 1, 1), date(2060, 1, 1)), st.sampled_from(ZONES), st.sampled_from(WEEKDAYS), st.integers(1, 12)
)
def test_a_cut_stands_for_the_period_that_it_names(day: date, zone: str, weekday: Any, first_month: int) -> None:
    """From its first moment to that of the next one: a week by its first day, a quarter as one of its fiscal year."""
    by = Calendar(zone, weekday, first_month)
    months = day.year * 12 + day.month - 1 + (13 - first_month) % 12
    assert period_name(day, "quarter", by) == f"{months // 12}-Q{months % 12 // 3 + 1}"
    for period in PERIODS:
        value = period_name(day, period, by)
        first = first_day(day, period, by)
        ends = tuple(begin_of(each, by) for each in (first, next_first_day(first, period, by)))
        assert of_cut(period, value, by).ends == ends, (period, value)


async def test_one_metric_has_one_value(models: ReadModels) -> None:
    """Whichever query is asked: the days of its series are the company's."""
    models.given([*happened(), changed(Calendar(trading_days="all", time_zone="America/New_York"))])
    models.asked_at = NOW
    [of_metric] = await models.rows("metric", key="sharpe_ratio", basis="pnl")
    [of_table] = await models.rows("trading_metrics", keys="sharpe_ratio", basis="pnl")
    assert (of_metric["value"], of_metric["days"]) == (of_table["value"], of_table["days"])
    assert of_metric["days"] > 20


async def test_weeks_of_a_company_in_shanghai(models: ReadModels) -> None:
    """One cohort of the week of Sunday 2 March, 2 users."""
    models.asked_at = NOW
    seen = [
        ("u1", 1740859200000), ("u1", 1741464000000), ("u2", 1741176000000)
    ]  # fmt: skip
    models.given(
        [user_event(company_id=COMPANY, user_id=user, name="a", timestamp=at) for user, at in seen]
        + [changed(Calendar("Asia/Shanghai", "sunday"))]
    )
    *cohorts, _ = await models.rows("retention", unit="week")
    assert [(row["cohort"], row["users"]) for row in cohorts] == [("2025-03-02", 2)]


@pytest.mark.parametrize("wrong", [{"zone": "Mars"}, {"week_starts_on": "someday"}, {"fiscal_year_starts": "13"}])
async def test_a_calendar_that_there_is_not_is_refused(models: ReadModels, wrong: dict[str, str]) -> None:
    """With the name of the parameter."""
    with pytest.raises(Invalid, match=f"parameter {next(iter(wrong))}"):
        await models.rows("trading_totals", **wrong)


async def test_zones_without_a_place_have_their_summer_time(models: ReadModels) -> None:
    """The database takes some of their names for abbreviations, whose clocks never change."""
    summer = datetime(2025, 7, 1, 22, 30, tzinfo=UTC)
    models.given([user_event(company_id=COMPANY, user_id="u", name="a", timestamp=ms(summer))])
    models.asked_at = datetime(2025, 8, 1, tzinfo=UTC)
    for zone in ("CET", "EET", "MET", "WET", "EST5EDT"):
        [row] = await models.rows("user_activity", by="day", zone=zone)
        assert row["day"] == CUTS["day"](summer, ZoneInfo(zone)), zone
    with pytest.raises(Invalid, match="did you mean 'Europe/Berlin'"):
        await models.rows("user_activity", zone="Europe/Berlim")
