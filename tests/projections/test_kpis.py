"""Metrics by their keys, by hand: a small company's trades, subscriptions, payments and events through a real store."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import AnalyticsError, Forbidden, Invalid, NotFound
from domain.metrics.catalogue import METRICS
from eventlog.publish.builders import performance_data
from projections.queries.metrics.periods import Span
from tests.projections.harness import ReadModels
from tests.projections.small_company import at, company, subscribed

MARCH = {"from_": "2025-03-01", "to": "2025-04-01"}
NUMBERS: Mapping[str, Any] = {  # of March, worked by hand from `company()`
    "mrr": "150",  # c1 60, c2 90; c3 left
    "new_mrr": "90",
    "expansion_mrr": "10",
    "contraction_mrr": "0",
    "churned_mrr": "40",
    "reactivated_mrr": "0",
    "net_new_mrr": "60",
    "arr": "1800",
    "mrr_growth_rate": 60 / 90,
    "gross_mrr_churn_rate": 40 / 90,
    "net_mrr_churn_rate": 30 / 90,
    "quick_ratio": 2.5,
    "average_sale_price": "90",
    "new_customers": 1,
    "cmrr": "150",
    "grr": 50 / 90,
    "nrr": 60 / 90,
    "arpa": "75",
    "customers": 2,
    "churned_customers": 1,
    "customer_churn_rate": 0.5,
    "customer_retention_rate": 0.5,
    "mean_customer_life": 2.0,
    "customer_ltv": "150",
    "ltv_margin": "150",
    "revenue_at_risk": "75",
    "top10_concentration": 1.0,
    "revenue_hhi": (60**2 + 90**2) / 150**2,
    "upgrade_rate": 0.5,
    "downgrade_rate": 0.0,
    "arpu": "75",  # two active users
    "gross_revenue": "150",
    "net_revenue": "128.5",
    "refund_rate": 20 / 150,
    "failed_charge_rate": 0.5,
    "dunning_recovery_rate": 1.0,
    "signups": 2,
    "visitor_to_signup_rate": 1.0,
    "activation_rate": 0.5,
    "time_to_value": 2 * 86_400_000.0,
    "acquisition_cost": "45",
    "cac": "45",
    "cac_payback_months": 0.6,
    "ltv_to_cac": 150 / 45,
    "magic_number": 12 * 60 / 30,
    "active_users": 2,
    "dau": 1,
    "wau": 1,
    "mau": 2,
    "stickiness": 0.5,
    "new_users": 2,
    "returning_users": 0,
    "resurrected_users": 0,
    "dormant_users": 1,
    "pulse": 2.0,
    "sessions": 4,
    "page_views": 1,
    "impressions": 0,
    "clicks": 0,
    "conversions": 0,
    "conversion_rate": 0.0,
    "sessions_per_user": 2.0,
    "median_session_minutes": 0.0,
    "feature_adoption_rate": 0.5,
    "feature_depth": 1.0,
    "total_trades": 4,
    "winning_trades": 2,
    "losing_trades": 1,
    "breakeven_trades": 1,
    "win_rate": 0.5,
    "total_pnl": "20.5",
    "gross_profit": "30.5",
    "gross_loss": "10",
    "average_win": "15.25",
    "average_loss": "-10",
    "largest_win": "20.5",
    "largest_loss": "-10",
    "payoff_ratio": 1.525,
    "profit_factor": 3.05,
    "expectancy": "5.125",
    "trading_users": 2,
    "profitable_user_share": 1.0,
    "operation_count": 4,
    "throughput": 4 / (31 * 86_400),
    "error_rate": 0.25,
    "availability": 0.75,
    "nps": 25.0,  # four promoters and two detractors of eight
    "csat": 0.5,
    "tickets_opened": 1,
    "first_response_minutes": 15.0,
    "resolution_hours": 3.0,
    "first_contact_resolution_rate": 1.0,
    "tickets_per_100_users": 50.0,
}
REASONS = {  # of an empty month
    "mrr_growth_rate": "zero_denominator",
    "quick_ratio": "no_data",
    "pulse": "no_data",
    "throughput": "no_data",
    "arpa": "no_data",
    "win_rate": "no_trades",
    "average_win": "no_trades",
    "profit_factor": "no_trades",
    "refund_rate": "no_data",
    "stickiness": "no_data",
    "error_rate": "no_data",
    "latency_p99": "no_data",
    "nps": "no_data",
    "acquisition_cost": "not_reported",
    "cac": "not_reported",
    "cac_payback_months": "not_reported",
    "magic_number": "not_reported",
    "viral_factor": "not_reported",
    "mttr": "not_reported",
    "rule_of_40": "zero_denominator",
    "burn_multiple": "not_reported",
}


INGREDIENTS: Mapping[str, Mapping[str, Any]] = {  # of March, worked by hand from `company()`
    "mrr": {"start_mrr": "90", "new_mrr": "90", "expansion_mrr": "10", "contraction_mrr": "0", "churned_mrr": "40"},
    "new_mrr": {"new_mrr": "90"},
    "arpa": {"end_mrr": "150", "end_customers": 2},
    "customer_churn_rate": {"churned_customers": 1, "start_customers": 2},
    "customer_ltv": {"end_mrr": "150", "end_customers": 2, "churned_customers": 1, "start_customers": 2, "months": 1},
    "net_revenue": {"succeeded": "100", "recovered": "50", "refunded": "20", "fees": "1.5"},
    "cac": {"cost": "45", "new_count": 1},
    "throughput": {"count": 4, "seconds": 31 * 86_400},
    "nps": {"nps": 8},
    "sharpe_pnl": {"count": 4, "pnl": "20.5", "days": 3},
}


@pytest.fixture
async def acme(models: ReadModels) -> ReadModels:
    """The small company, folded."""
    return models.given(company())


@pytest.mark.parametrize("key", INGREDIENTS)
async def test_a_metric_is_made_of_what_its_formula_reads(acme: ReadModels, key: str) -> None:
    """And of nothing that does not change it; each with the measures whose events are behind it."""
    rows = await acme.rows("ingredients", key=key, **MARCH)
    made_of = {row["ingredient"].split(".")[1]: row["value"] for row in rows}
    assert made_of.items() >= INGREDIENTS[key].items()
    assert len(made_of) - len(INGREDIENTS[key]) == 2 * (key == "mrr")  # what is reactivated, and what rates moved
    assert {row["formula"] for row in rows} == {METRICS[key].formula}
    stated = {f"{each.query}.{each.measure}" for each in METRICS[key].explained}
    assert all(set(row["explained_by"]) <= stated for row in rows)


async def values_of(models: ReadModels, **params: str) -> dict[str, dict[str, Any]]:
    """Key figures by their keys."""
    return {row["key"]: row for row in await models.rows("kpis", **params)}


async def test_every_figure_is_the_one_worked_by_hand(acme: ReadModels) -> None:
    """Money exactly, counts exactly, ratios as floating point numbers of the same division."""
    found = await values_of(acme, **MARCH)
    assert {key: found[key]["value"] for key in NUMBERS} == {
        key: pytest.approx(value, rel=1e-12) if isinstance(value, float) else value for key, value in NUMBERS.items()
    }


async def test_one_metric_is_what_all_of_them_say(acme: ReadModels) -> None:
    """Value, unit, version and reason of every key figure."""
    every = await values_of(acme, **MARCH)
    for key, row in every.items():
        (alone,) = await acme.rows("metric", key=key, **MARCH)
        names = ("value", "unit", "convention", "definition_version", "reason")
        assert [alone.get(n) for n in names] == [row.get(n) for n in names], key
        assert (alone["value"] is None) == ("reason" in alone), key


async def test_a_period_is_compared_with_the_one_before(acme: ReadModels) -> None:
    """A calendar month with the month before it, however long that was."""
    found = await values_of(acme, at="2025-03-15")
    assert found == await values_of(acme, **MARCH)
    mrr = found["mrr"]
    assert (mrr["previous"], mrr["change"], mrr["change_rate"]) == ("90", "60", 60 / 90)
    assert (mrr["from"], mrr["to"], mrr["unfinished"]) == ("2025-03-01T00:00:00Z", "2025-04-01T00:00:00Z", False)
    trades = found["total_trades"]
    assert (trades["previous"], trades["change"], trades["change_rate"]) == (1, 3, 3.0)
    churned = found["churned_mrr"]
    assert (churned["previous"], churned["change"], churned["change_rate"]) == ("0", "40", None)
    assert churned["reasons"] == {"change_rate": "zero_denominator"}


async def test_what_is_undefined_is_null_with_its_reason(models: ReadModels) -> None:
    """Of a company of which nothing is known: never 0, infinity or NaN in its place."""
    found = await values_of(models, at="2025-03-15")
    assert set(found) == {key for key, entry in METRICS.items() if entry.kpi}
    assert {key: found[key].get("reason") for key in REASONS} == REASONS
    for row in found.values():
        assert (row["value"] is None) == ("value" in row.get("reasons", {})), row


async def test_every_metric_of_one_value_answers(acme: ReadModels) -> None:
    """With a value or a reason, also of a company without any event and under any convention."""
    for key, entry in METRICS.items():
        if entry.told_by:
            with pytest.raises(Invalid, match=f"Ask the query|{key} is a table"):
                await acme.rows("metric", key=key)
            continue
        for who in ("acme", "nobody"):
            (row,) = await acme.rows("metric", who, key=key, **MARCH)
            assert (row["value"] is None) == ("reason" in row), row
            assert row["position"] is not None
            assert row["unit"] == entry.unit


async def test_a_metric_is_split_and_chosen_by_its_dimensions(acme: ReadModels) -> None:
    """As the query of its sums does it."""
    rows = await acme.rows("metric", key="win_rate", by="symbol", **MARCH)
    assert [(r["symbol"], r["value"]) for r in rows] == [("AAPL", 0.5), ("MSFT", 0.5)]
    (row,) = await acme.rows("metric", key="total_pnl", user_id="u1")
    assert row["value"] == "17.5"
    rows = await acme.rows("metric", key="mrr", by="month")
    assert [(r["month"], r["value"]) for r in rows] == [("2025-02", "90"), ("2025-03", "150")]
    rows = await acme.rows("metric", key="sqn", by="user_id", **MARCH)
    assert [(r["user_id"], r["value"] is None) for r in rows] == [("u1", False), ("u2", True)]
    assert rows[1]["reason"] == "too_few"


async def test_conventions_travel_with_the_number(acme: ReadModels) -> None:
    """The platform counts a breakeven as lost."""
    (canonical,) = await acme.rows("metric", key="losing_trades", **MARCH)
    (platform,) = await acme.rows("metric", key="losing_trades", convention="platform", **MARCH)
    assert (canonical["value"], canonical["convention"]) == (1, "canonical")
    assert (platform["value"], platform["convention"]) == (2, "platform")
    (same,) = await acme.rows("metric", key="total_pnl", convention="quantstats", **MARCH)
    assert (same["value"], same["convention"]) == ("20.5", "canonical")


async def test_returns_are_taken_of_what_the_account_held(acme: ReadModels) -> None:
    """u1 deposited 1000 and earned 7 before March; in March 20.5 and −10 of three days."""
    (row,) = await acme.rows("metric", key="cumulative_return", user_id="u1", **MARCH)
    assert row["value"] == pytest.approx(10.5 / 1007, rel=1e-12)
    (row,) = await acme.rows("metric", key="max_drawdown", user_id="u1", **MARCH)
    assert row["value"] == pytest.approx(-10 / 1027.5, rel=1e-12)
    (row,) = await acme.rows("metric", key="cumulative_return", symbol="AAPL", **MARCH)
    assert (row["value"], row["reason"]) == (None, "no_equity")


async def test_a_tier_that_sees_the_last_days_is_told_nothing_before_them(acme: ReadModels) -> None:
    """Neither a period that began earlier, nor what the period before came to."""
    found = await values_of(acme, **MARCH, since="2025-03-01")
    assert found["mrr"]["value"] == "150"
    assert (found["mrr"]["previous"], found["mrr"]["reasons"]["previous"]) == (None, "outside_tier")
    with pytest.raises(Forbidden, match="came on or after 2025-03-02"):
        await values_of(acme, **MARCH, since="2025-03-02")
    (row,) = await acme.rows("metric", key="total_trades", since="2025-03-04")
    assert row["value"] == 3


async def test_what_a_customer_is_worth_does_not_depend_on_the_period(models: ReadModels) -> None:
    """Of 64 customers half leave every month: a customer stays two months, by the month, quarter and year."""
    left = [(month, n) for month in range(1, 7) for n in range(64 >> month, 64 >> (month - 1))]
    models.given(subscribed(f"c{n}", "started", "2024-12-01T00:00:00", 60, 1) for n in range(64))
    models.given(subscribed(f"c{n}", "canceled", f"2025-{m:02}-10T00:00:00", 60, 2) for m, n in left if n)
    for months, end in ((1, "2025-02-01"), (3, "2025-04-01"), (6, "2025-07-01")):
        found = await values_of(models, from_="2025-01-01", to=end)
        assert found["customer_churn_rate"]["value"] == pytest.approx(1 - 0.5**months), end
        assert found["mean_customer_life"]["value"] == pytest.approx(2), end
        assert found["mean_customer_life"]["unit"] == "months"
        assert (found["customer_ltv"]["value"], found["ltv_margin"]["value"]) == ("120", "120")


async def test_costs_that_nobody_reported_are_unknown_and_not_zero(models: ReadModels) -> None:
    """Until the first is reported; a month without one is then zero, by channel as well."""
    models.given(event for event in company() if event.envelope.message_type != "acquisition_cost")
    unknown = ("acquisition_cost", "cac", "cac_payback_months", "ltv_to_cac", "magic_number")
    found = await values_of(models, **MARCH)
    assert {found[key].get("reason") for key in unknown} == {"not_reported"}
    models.given(event for event in company() if event.envelope.message_type == "acquisition_cost")
    april = await values_of(models, at="2025-04-10")
    assert (april["acquisition_cost"]["value"], april["cac"]["reason"]) == ("0", "no_data")
    (other,) = await models.rows("metric", key="acquisition_cost", channel="radio")
    assert (other["value"], other["reason"]) == (None, "not_reported")
    assert (await values_of(models, at="2025-01-10"))["acquisition_cost"]["reason"] == "not_reported"


async def test_throughput_is_of_the_time_that_is_over(models: ReadModels) -> None:
    """Of the year so far, and of each cut by its own length; null where nobody measures, 0 where nothing happened."""
    (nobody,) = await models.rows("metric", key="throughput", **MARCH)
    assert (nobody["value"], nobody["reason"]) == (None, "no_data")
    now = datetime.now(UTC)
    ran: dict[str, Any] = {"company_id": "acme", "service": "api", "operation": "order", "outcome": "ok"}
    models.given(performance_data(duration_ms=1, timestamp=at(f"{now.year}-01-01T00:00:00"), **ran) for _ in range(60))
    models.given(company())
    year = {"from_": f"{now.year}-01-01", "to": f"{now.year + 1}-01-01"}
    elapsed = (now - datetime(now.year, 1, 1, tzinfo=UTC)).total_seconds()
    for row in (
        (await models.rows("metric", key="throughput", **year))[0],
        (await values_of(models, **year))["throughput"],
    ):
        assert row["value"] == pytest.approx(60 / elapsed, rel=0.01)
    lengths = {"minute": 60, "hour": 3_600, "day": 86_400}
    for cut, seconds in lengths.items():
        (row,) = await models.rows("metric", key="throughput", by=cut, **MARCH)
        assert row["value"] == pytest.approx(4 / seconds), cut
    (row,) = await models.rows("metric", key="throughput", month="2025-03")
    assert row["value"] == pytest.approx(4 / (31 * 86_400))
    (row,) = await models.rows("metric", key="throughput", by="weekday", **MARCH)
    assert row["value"] == pytest.approx(4 / (4 * 86_400))  # Wednesdays
    (row,) = await models.rows("metric", key="throughput", from_="2025-06-01", to="2025-06-02")
    assert row["value"] == 0


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"key": "nothing"}, NotFound),
        ({"key": "mrr", "by": "symbol"}, Invalid),
        ({"key": "mrr", "user_id": "u1"}, Invalid),
        ({"key": "mrr", "convention": "platform"}, Invalid),
        ({"key": "sharpe_ratio", "by": "month"}, Invalid),
        ({"key": "ltv_margin", "margin": "nan"}, Invalid),
        ({"key": "burn_multiple", "burn": "1e308"}, Invalid),
        ({"key": "apdex", "threshold_ms": "0"}, Invalid),
        ({"key": "trading_users", "convention": "platform"}, Invalid),
    ],
)
async def test_a_question_that_cannot_be_answered_is_refused(
    models: ReadModels, params: dict[str, str], error: type[AnalyticsError]
) -> None:
    """Unknown keys, dimensions that the entry does not list, conventions that do not apply."""
    with pytest.raises(error):
        await models.rows("metric", **params)


@pytest.mark.parametrize(
    "params", [{"from_": "2025-03-01"}, {"from_": "2025-03-02", "to": "2025-03-01"}, {"period": "decade"}]
)
async def test_a_period_that_is_none_is_refused(models: ReadModels, params: dict[str, str]) -> None:
    """One end alone, an end before the beginning, an unknown calendar period."""
    with pytest.raises(Invalid):
        await models.rows("kpis", **params)


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_period_has_so_many_months() -> None:
    """Whole ones by the calendar, whatever their lengths; the rest as a share of the month that it lies in."""
    assert Span(day("2025-01-01"), day("2026-01-01")).months == 12
    assert Span(day("2025-02-01"), day("2025-03-01")).months == 1
    assert Span(day("2025-01-31"), day("2025-02-28")).months == 1
    assert Span(day("2025-03-01"), day("2025-03-16")).months == 15 / 31
    assert Span(day("2025-03-05"), day("2025-05-10")).months == pytest.approx(2 + 5 / 31)
    assert Span(day("2025-03-05"), day("2025-03-05")).months is None
    assert Span(None, day("2025-03-05")).months is None


@given(st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1)), st.integers(0, 5_000), st.integers(0, 6))
def test_weekdays_of_a_period_add_up(start: datetime, hours: int, weekday: int) -> None:
    """Counted hour by hour."""
    begin = start.replace(tzinfo=UTC, minute=0, second=0, microsecond=0)
    span = Span(begin, begin + timedelta(hours=hours))
    of_it = sum((begin + timedelta(hours=n)).weekday() == weekday for n in range(hours))
    assert span.of_weekday(weekday) == timedelta(hours=of_it)


def test_the_period_before_is_as_many_months_or_as_long() -> None:
    """Whole months go with whole months, everything else with as many days."""
    assert Span(day("2025-03-01"), day("2025-04-01")).before() == Span(day("2025-02-01"), day("2025-03-01"))
    assert Span(day("2025-01-01"), day("2025-04-01")).before() == Span(day("2024-10-01"), day("2025-01-01"))
    assert Span(day("2025-03-03"), day("2025-03-10")).before() == Span(day("2025-02-24"), day("2025-03-03"))
    assert Span(day("0001-01-03"), day("2025-03-10")).before() == Span(day("0001-01-01"), day("0001-01-03"))
    assert Span(day("0002-01-01"), day("2025-01-01")).before() == Span(day("0001-01-01"), day("0002-01-01"))
