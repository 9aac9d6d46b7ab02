"""MRR of one price: hand-computed shares of a month, and exact fractions for every price there is."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.billing.monthly_price import Price, monthly
from domain.decimals import ONE, half_even

YEAR_IN_INTERVALS = {"day": 365, "week": 52, "month": 12, "quarter": 4, "year": 1}


def units(amount: float) -> int:
    return round(amount * ONE)


@pytest.mark.parametrize(
    ("price", "twelfths_of_trillionths"),
    [
        (Price(units(100)), 1_200_000_000_000_000),
        (Price(units(1200), interval="year"), 1_200_000_000_000_000),
        (Price(units(100), interval="year"), 100_000_000_000_000),  # 8.333… a month
        (Price(units(120), interval="quarter"), 480_000_000_000_000),
        (Price(units(3), interval="week"), 156_000_000_000_000),  # 13 a month
        (Price(units(1), interval="day"), 365_000_000_000_000),  # 30.41666… a month
        (Price(units(10), quantity=units(3)), 360_000_000_000_000),
        (Price(units(100), discount_pct=units(20)), 960_000_000_000_000),
        (Price(units(100), interval_count=3), 400_000_000_000_000),
        (Price(units(100), interval="year", interval_count=2), 50_000_000_000_000),
        (Price(units(100), interval_count=7), 171_428_571_428_571),  # and 3/7 of a twelfth
        (Price(units(100), discount_pct=units(100)), 0),
        (Price(units(100), discount_pct=units(130)), 0),  # nobody is paid for subscribing
        (Price(3, quantity=ONE // 2), 24),  # 1.5 trillionths are 2
        (Price(1, quantity=ONE // 2), 0),  # 0.5 trillionths are 0
        (Price(2**63 - 1, quantity=2**63 - 1), 12 * round(Fraction((2**63 - 1) ** 2, ONE))),
    ],
)
def test_a_month_of_a_price(price: Price, twelfths_of_trillionths: int) -> None:
    """As computed by hand: year/12, quarter/3, week×52/12, day×365/12, times quantity, less the discount."""
    assert monthly(price) == twelfths_of_trillionths


@given(
    st.builds(
        Price,
        st.integers(0, 2**63 - 1),
        st.integers(0, 2**63 - 1),
        st.integers(0, 100 * ONE),
        st.sampled_from(sorted(YEAR_IN_INTERVALS)),
        st.integers(1, 400),
    )
)
def test_is_the_exact_fraction_rounded_once(price: Price) -> None:
    """The charge is rounded to trillionths; its share of a month to twelfths of them, only where it does not divide."""
    kept = 1 - Fraction(price.discount_pct, 100 * ONE)
    charge: int = round(Fraction(price.unit_amount) * Fraction(price.quantity, ONE) * kept)
    exact = Fraction(charge * YEAR_IN_INTERVALS[price.interval], price.interval_count)
    assert monthly(price) == round(exact)
    if price.interval_count == 1:
        assert monthly(price) == exact


@given(st.integers(-(10**6), 10**6), st.integers(1, 1000))
def test_half_even_rounds_as_fractions_do(numerator: int, denominator: int) -> None:
    """Ties go to the even neighbour, below zero too."""
    assert half_even(numerator, denominator) == round(Fraction(numerator, denominator))
