"""Drivers of a move: exactly the whole, in every case; and by hand."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from domain.insights.drivers import Drivers, RateParts, drivers_of_rate, drivers_of_total
from domain.metrics.value import Reason

SEGMENTS = st.sampled_from(["eu", "us", "asia", "africa"])
SUMS = st.dictionaries(SEGMENTS, st.integers(-(2**62), 2**62))
RATES = st.dictionaries(SEGMENTS, st.builds(RateParts, st.integers(-(2**40), 2**40), st.integers(1, 2**40)), min_size=1)


def test_a_total_by_hand() -> None:
    """Revenue of two regions, one of them new."""
    found = drivers_of_total({"eu": 100, "us": 50}, {"eu": 90, "asia": 40})
    assert isinstance(found, Drivers)
    assert [part.segment for part in found.contributions] == ["us", "asia", "eu"]
    assert [int(part.effect) for part in found.contributions] == [-50, 40, -10]
    assert found.after - found.before == -20


def test_better_everywhere_and_worse_in_total() -> None:
    """Simpson's paradox: both rates rise by a tenth, the mix moves to the weaker segment, and gets the blame."""
    before = {"strong": RateParts(80, 100), "weak": RateParts(2, 20)}
    after = {"strong": RateParts(18, 20), "weak": RateParts(20, 100)}
    found = drivers_of_rate(before, after)
    assert isinstance(found, Drivers)
    rate = sum(part.rate_effect for part in found.contributions)
    mix = sum(part.mix_effect for part in found.contributions)
    assert rate == Fraction(1, 10)
    assert (found.before, found.after) == (Fraction(82, 120), Fraction(38, 120))
    assert mix == found.after - found.before - rate


def test_a_new_segment_is_all_mix() -> None:
    """Who comes or goes has no rate in the other period to have changed."""
    found = drivers_of_rate({"old": RateParts(5, 10)}, {"old": RateParts(5, 10), "new": RateParts(0, 10)})
    assert isinstance(found, Drivers)
    assert {part.segment: part.rate_effect for part in found.contributions} == {"old": 0, "new": 0}
    assert sum(part.mix_effect for part in found.contributions) == Fraction(-1, 4)


@given(SUMS, SUMS)
def test_contributions_to_a_total_add_up_exactly(before: dict[str, int], after: dict[str, int]) -> None:
    """For any sums."""
    found = drivers_of_total(before, after)
    if isinstance(found, Drivers):
        assert sum(part.effect for part in found.contributions) == sum(after.values()) - sum(before.values())
    else:
        assert (before, after) == ({}, {})


@given(RATES, RATES)
def test_contributions_to_a_rate_add_up_exactly_and_backwards(
    before: dict[str, RateParts], after: dict[str, RateParts]
) -> None:
    """For any rates; reading the move backwards changes signs and nothing else."""
    found, backwards = drivers_of_rate(before, after), drivers_of_rate(after, before)
    assert isinstance(found, Drivers)
    assert isinstance(backwards, Drivers)
    assert sum(part.effect for part in found.contributions) == found.after - found.before
    signs = {part.segment: (-part.rate_effect, -part.mix_effect) for part in backwards.contributions}
    assert {part.segment: (part.rate_effect, part.mix_effect) for part in found.contributions} == signs


def test_what_is_no_rate_is_refused() -> None:
    """Nothing, nothing to divide by, or something above the line with nothing below it."""
    assert drivers_of_rate({}, {}) is Reason.NO_DATA
    assert drivers_of_rate({"a": RateParts(0, 0)}, {"a": RateParts(1, 2)}) is Reason.ZERO_DENOMINATOR
    loose = {"a": RateParts(1, 2), "b": RateParts(1, 0)}
    assert drivers_of_rate(loose, {"a": RateParts(1, 2)}) is Reason.ZERO_DENOMINATOR
