"""Rates, retention, concentration, payments, deferred revenue: each worked out by hand, and its reasons."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.metrics.revenue import rates
from domain.metrics.revenue.cohort_ltv import cohort_cumulative_ltv
from domain.metrics.revenue.deferred import Prepaid, deferred_revenue, service_period
from domain.metrics.revenue.flows import Flows
from domain.metrics.revenue.outlook import Standing, mrr_at_risk, revenue_at_risk
from domain.metrics.revenue.payments import (
    MS_PER_DAY,
    Takings,
)
from domain.metrics.revenue.plan_mix import mix
from domain.metrics.value import Reason
from tests.domain.metrics.revenue.recounts import retained
from tests.domain.metrics.revenue.test_oracle import ms

MONTH = Flows(1000, 200, 100, 50, 150, 20, new_count=4)  # ends at 1120


def test_rates_of_a_month() -> None:
    """S 1000, N 200, X 100, C 50, K 150, R 20."""
    assert (MONTH.net_new, MONTH.end, rates.arr(MONTH.end)) == (120, 1120, 13_440)
    assert rates.mrr_growth_rate(MONTH) == 0.12
    assert rates.gross_mrr_churn_rate(MONTH) == 0.2
    assert rates.net_mrr_churn_rate(MONTH) == 0.08
    assert rates.quick_ratio(MONTH) == 1.5
    assert rates.average_sale_price(MONTH) == 50
    assert rates.arpa(1120, 8) == 140
    assert rates.customer_churn_rate(2, 8) == 0.25
    assert rates.customer_retention_rate(2, 8) == 0.75
    assert rates.mean_customer_life(0.25) == 4
    assert rates.customer_ltv(140.0, 0.25) == 560
    assert rates.customer_ltv(140.0, 0.25, 0.75) == 420
    assert rates.growth(120, 100) == 0.2
    assert revenue_at_risk(1120, 0.25) == 280


def test_reasons_where_there_is_nothing_to_divide_by() -> None:
    """No start, no losses, no customers."""
    nothing = Flows()
    assert rates.mrr_growth_rate(nothing) is Reason.ZERO_DENOMINATOR
    assert rates.gross_mrr_churn_rate(nothing) is Reason.ZERO_DENOMINATOR
    assert rates.quick_ratio(Flows(10, 5)) is Reason.NO_LOSSES
    assert rates.average_sale_price(nothing) is Reason.NO_DATA
    assert rates.customer_churn_rate(0, 0) is Reason.NO_DATA
    assert rates.mean_customer_life(0.0) is Reason.NO_LOSSES
    assert rates.mean_customer_life(Reason.NO_DATA) is Reason.NO_DATA
    assert rates.customer_ltv(Reason.NO_DATA, 0.5) is Reason.NO_DATA
    assert rates.customer_ltv(10.0, 0.0) is Reason.NO_LOSSES
    assert revenue_at_risk(5, Reason.NO_DATA) is Reason.NO_DATA
    assert (retained([]).nrr, retained([(0, 9)]).grr) == (Reason.NO_DATA, Reason.NO_DATA)
    assert Takings().refund_rate is Reason.NO_DATA


def test_retention_is_of_those_who_were_there() -> None:
    """100 → 150, 100 → 60, 50 → 0; who came later does not count."""
    kept = retained([(100, 150), (100, 60), (50, 0), (0, 400)])
    assert (kept.start, kept.end, kept.remaining, kept.customers, kept.churned) == (250, 210, 160, 3, 1)
    assert (kept.nrr, kept.grr) == (0.84, 0.64)


def test_plan_mix_and_moves() -> None:
    """Shares, largest first; up, down and away."""
    assert mix({"a": 25, "b": 75}) == {"b": 0.75, "a": 0.25}
    assert mix({"a": 0}) == {}


def test_what_is_committed_and_what_is_at_risk() -> None:
    """Future movements in their sense; each customer at risk once."""
    assert mrr_at_risk([Standing(10, 0, True), Standing(20, 5, False), Standing(40, 60, False)]) == 25


def test_payments_of_a_period() -> None:
    """100 and 20 recovered, 30 refunded, 4 of fees."""
    takings = Takings(succeeded=100, recovered=20, refunded=30, fees=4)
    assert (takings.gross_revenue, takings.net_revenue, takings.refund_rate) == (120, 86, 0.25)


def test_deferred_revenue_is_straight_line() -> None:
    """A year's charge has half of it left after half of the time."""
    year = Prepaid(1_200_000_000, 0, 365 * MS_PER_DAY)
    assert deferred_revenue([year], -5) == year.amount
    assert deferred_revenue([year], 365 * MS_PER_DAY // 2) == year.amount // 2
    assert deferred_revenue([Prepaid(10, 0, 3), Prepaid(5, 2, 4)], 1) == 7 + 5
    assert deferred_revenue([year, Prepaid(5, 9, 9)], 365 * MS_PER_DAY) == 0


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**6), st.integers(1, 10**6)), max_size=5))
def test_deferred_revenue_only_falls(charges: list[tuple[int, int, int]]) -> None:
    """From all of it to nothing."""
    prepaid = [Prepaid(amount, begin, begin + width) for amount, begin, width in charges]
    left = [deferred_revenue(prepaid, at) for at in range(-1, 2 * 10**6 + 1, 9973)]
    assert left[0] == sum(charge.amount for charge in prepaid)
    assert left == sorted(left, reverse=True)


@pytest.mark.parametrize(
    ("anchor", "interval", "count", "at", "begin", "end"),
    [
        ("2024-01-31", "month", 1, "2024-02-10", "2024-01-31", "2024-02-29"),
        ("2024-01-31", "month", 1, "2024-02-29", "2024-02-29", "2024-03-31"),
        ("2024-01-31", "month", 1, "2024-03-30", "2024-02-29", "2024-03-31"),
        ("2024-02-29", "year", 1, "2025-05-01", "2025-02-28", "2026-02-28"),
        ("2024-01-15", "quarter", 1, "2024-04-14", "2024-01-15", "2024-04-15"),
        ("2024-01-15", "quarter", 2, "2024-08-01", "2024-07-15", "2025-01-15"),
        ("2024-01-01", "week", 2, "2024-01-20", "2024-01-15", "2024-01-29"),
    ],
)
def test_service_periods(anchor: str, interval: str, count: int, at: str, begin: str, end: str) -> None:
    """By the calendar, the last day of shorter months included."""
    moments = [ms(f"{text}T00:00:00Z") for text in (anchor, at, begin, end)]
    assert service_period(moments[0], interval, count, moments[1]) == (moments[2], moments[3])


def test_cohort_cumulative_ltv() -> None:
    """Three customers pay 10, nothing, 30, and get 1 back; of a cohort without any age nothing is known."""
    assert cohort_cumulative_ltv(3, [10, 0, 30, -1]) == [Fraction(each, 3) for each in (10, 10, 40, 39)]
    assert cohort_cumulative_ltv(3, []) == []


def test_a_service_period_beyond_the_calendar_ends_with_it() -> None:
    """Of terms that were taken before they were bounded: a plan for life, sold as one of 7,975 years."""
    begin, end = service_period(ms("2025-01-01T00:00:00Z"), "year", 7975, ms("2026-11-30T00:00:00Z"))
    assert (begin, end > ms("9999-12-31T00:00:00Z")) == (ms("2025-01-01T00:00:00Z"), True)
    assert 0 < deferred_revenue([Prepaid(499_000_000, begin, end)], ms("2026-11-30T00:00:00Z")) < 499_000_000
