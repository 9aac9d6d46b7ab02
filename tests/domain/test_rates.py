"""Rates of tenants: what a bucket lets through, and that nobody pays for another's flood."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import LIMITS, Principal, Rate, Role, Tier, Use
from domain.errors import LimitExceeded
from domain.rates import Bucket, Rates

GAPS = st.lists(st.floats(0, 2, allow_nan=False), min_size=1, max_size=200)


def somebody(company: str = "acme", tier: Tier = Tier.FREE) -> Principal:
    """A viewer of a company."""
    return Principal("ann", frozenset({company}), frozenset({Role.VIEWER}), tier)


@given(gaps=GAPS, per_second=st.floats(0.5, 100), burst=st.floats(1, 50))
def test_no_stretch_of_time_lets_more_through_than_the_burst_and_the_rate(
    gaps: list[float], per_second: float, burst: float
) -> None:
    """Whenever somebody asks, and however long they rested before."""
    bucket, now, taken = Bucket(Rate(per_second, burst), burst, 0.0), 0.0, list[float]()
    for gap in gaps:
        now += gap
        if bucket.wait(now) == 0:
            bucket.take(now)
            taken.append(now)
    for i, begin in enumerate(taken):
        for j in range(i, len(taken)):
            assert j - i + 1 <= burst + per_second * (taken[j] - begin) + 1e-6


@given(gaps=GAPS, per_second=st.floats(0.5, 100), burst=st.floats(1, 50))
def test_after_the_wait_that_was_told_there_is_one(gaps: list[float], per_second: float, burst: float) -> None:
    """Retry-After is no guess."""
    bucket, now = Bucket(Rate(per_second, burst), burst, 0.0), 0.0
    for gap in gaps:
        bucket.take(now)
        now += gap / 10
    assert bucket.wait(now + bucket.wait(now) + 1e-6) < 1e-3


@given(back=st.floats(0, 1_000))
def test_a_clock_that_goes_back_gives_nothing(back: float) -> None:
    """Nor does it take anything away."""
    bucket = Bucket(Rate(10, 5), 5, 1_000.0)
    bucket.take(1_000.0, 5)
    bucket.refill(1_000.0 - back)
    assert bucket.left == 0


def test_a_flood_of_one_tenant_leaves_the_others_untouched() -> None:
    """Each has its own buckets; the one that floods is told when to come again."""
    rates = Rates()
    for _ in range(int(LIMITS[Tier.FREE].rates[Use.READS].burst)):
        rates.admit(somebody("acme"), Use.READS, 1.0)
    for _ in range(1_000):
        with pytest.raises(LimitExceeded) as refused:
            rates.admit(somebody("acme"), Use.READS, 1.0)
        assert refused.value.code == "rate_limited"
        assert refused.value.retry_after == pytest.approx(0.05)
    rates.admit(somebody("beta"), Use.READS, 1.0)


def test_uses_are_counted_apart() -> None:
    """Who has published too much may still read."""
    rates = Rates()
    assert rates.charge(somebody(), Use.EVENTS, 1_000_000, 0.0) == pytest.approx((1_000_000 - 10_000 + 1) / 1_000)
    with pytest.raises(LimitExceeded):
        rates.admit(somebody(), Use.EVENTS, 1.0, amount=0)
    rates.admit(somebody(), Use.READS, 1.0)
    rates.admit(somebody(), Use.EVENTS, 1_000.0, amount=0)


def test_so_many_questions_at_once_and_no_more() -> None:
    """A question that has ended, well or not, makes room for another."""
    rates, open_ones = Rates(), []
    for _ in range(LIMITS[Tier.FREE].at_once):
        question = rates.question(somebody(), 0.0)
        question.__enter__()
        open_ones.append(question)
    with pytest.raises(LimitExceeded, match="4 questions at once"), rates.question(somebody(), 0.0):
        pass
    open_ones.pop().__exit__(None, None, None)
    with pytest.raises(ZeroDivisionError), rates.question(somebody(), 0.0):
        raise ZeroDivisionError
    with rates.question(somebody(), 0.0):
        pass


def test_a_factor_scales_and_zero_switches_off() -> None:
    """For machines that are smaller or larger than ours, and for measuring."""
    for _ in range(10_000):
        Rates(0).admit(somebody(), Use.COMMANDS, 0.0)
    small = Rates(0.001)
    small.admit(somebody(), Use.COMMANDS, 0.0)
    with pytest.raises(LimitExceeded):
        small.admit(somebody(), Use.COMMANDS, 0.0)


def test_every_tier_has_its_limits_and_a_higher_one_has_more() -> None:
    """No tier is forgotten."""
    assert set(LIMITS) == set(Tier)
    order = [LIMITS[tier] for tier in Tier]
    for use in Use:
        rates = [limits.rates[use].per_second for limits in order]
        assert rates == sorted(set(rates))
    assert [limits.at_once for limits in order] == sorted(limits.at_once for limits in order)
