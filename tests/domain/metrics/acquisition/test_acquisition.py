"""Activation, trials and what growth costs: worked out by hand, undecided users left out, reasons for the rest."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.metrics.acquisition import efficiency, steps
from domain.metrics.acquisition.steps import MS_PER_DAY
from domain.metrics.value import Reason
from tests.domain.metrics.engagement.streams import column

NOTHING = column([])


def days(*values: float) -> list[int]:
    return [round(value * MS_PER_DAY) for value in values]


def test_activation_leaves_out_who_may_still_be_activated() -> None:
    """Activated after 2 days, after 9, never, and signed up only yesterday."""
    signed_up, activated = column(days(1, 1, 1, 19)), column(days(3, 10, 0, 0))
    assert steps.activation_rate(signed_up, activated, *days(20)) == 1 / 3
    assert steps.activation_rate(signed_up, activated, 20 * MS_PER_DAY, 10) == 2 / 3
    assert steps.time_to_value(signed_up, activated) == 5.5 * MS_PER_DAY


@given(st.lists(st.tuples(st.integers(1, 30), st.one_of(st.just(0), st.integers(1, 45)))), st.integers(30, 45))
def test_activation_equals_a_recount(users: list[tuple[int, int]], now: int) -> None:
    """User by user."""
    signed_up, activated = (column(days(*(user[i] for user in users))) for i in (0, 1))
    yes = sum(begun <= done <= begun + 7 for begun, done in users)
    open_still = sum(not begun <= done <= begun + 7 and begun + 7 > now for begun, done in users)
    found = steps.activation_rate(signed_up, activated, now * MS_PER_DAY)
    assert found == (yes / (len(users) - open_still) if len(users) > open_still else Reason.NO_DATA)


def test_trials() -> None:
    """Begun on days 1, 2 and 40; the first converted on day 35."""
    began, converted = column(days(1, 2, 40)), column(days(35, 0, 0))
    assert steps.trial_conversion_rate(began, converted, *days(0, 31)) == 0.5
    assert steps.trial_conversion_rate(began, converted, *days(31, 60)) == 0
    assert steps.trial_conversion_rolling(began, converted, *days(50)) == 1
    assert steps.trial_conversion_rolling(began, converted, *days(90)) is Reason.NO_DATA


def test_costs_of_growth() -> None:
    """1000 for 4 customers who bring 50 a month at a margin of 80 %."""
    assert efficiency.cac(1000, 4) == 250
    assert efficiency.cac_payback_months(250.0, 50.0, 0.8) == 6.25
    assert efficiency.ltv_to_cac(750.0, 250.0) == 3
    assert efficiency.magic_number(100, 800) == 1.5
    assert efficiency.burn_multiple(2400, 100) == 2
    assert efficiency.rule_of_40(0.25, 0.125) == 0.375
    assert steps.visitor_to_signup_rate(5, 50) == 0.1
    assert steps.viral_factor(10, 3, 4) == 0.75


def test_reasons() -> None:
    """Where there is nobody, nothing, or no growth."""
    assert efficiency.cac(5, 0) is Reason.NO_DATA
    assert efficiency.cac_payback_months(Reason.NO_DATA, 5.0) is Reason.NO_DATA
    assert efficiency.cac_payback_months(5.0, Reason.NO_DATA) is Reason.NO_DATA
    assert efficiency.cac_payback_months(5.0, 0.0) is Reason.ZERO_DENOMINATOR
    assert efficiency.ltv_to_cac(Reason.NO_LOSSES, 5.0) is Reason.NO_LOSSES
    assert efficiency.ltv_to_cac(5.0, Reason.NO_DATA) is Reason.NO_DATA
    assert efficiency.magic_number(5, 0) is Reason.ZERO_DENOMINATOR
    assert efficiency.burn_multiple(5, -1) is Reason.ZERO_DENOMINATOR
    assert efficiency.rule_of_40(Reason.NO_DATA, 0.1) is Reason.NO_DATA
    assert efficiency.rule_of_40(0.1, Reason.NO_DATA) is Reason.NO_DATA
    assert steps.activation_rate(NOTHING, NOTHING, 5) is Reason.NO_DATA
    assert steps.time_to_value(NOTHING, NOTHING) is Reason.NO_DATA
    assert steps.trial_conversion_rate(NOTHING, NOTHING, 0, 9) is Reason.NO_DATA
    assert steps.visitor_to_signup_rate(0, 0) is Reason.NO_DATA
    assert steps.viral_factor(0, 0, 0) is Reason.NO_DATA
