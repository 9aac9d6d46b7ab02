"""The moment of a question: what was looked at of it is the same up to the moment that it notes, and not beyond."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from projections.engine.query.asked_at import FOREVER, INSTANT, AskedAt

NOON = datetime(2025, 3, 25, 12, tzinfo=UTC)
MOMENTS = st.one_of(
    st.datetimes(datetime(2024, 12, 1), datetime(2025, 4, 1), timezones=st.just(UTC)),
    st.sampled_from([NOON.replace(hour=0), NOON.replace(day=1, hour=0), NOON, NOON.replace(hour=0) + INSTANT]),
)
LOOKS: dict[str, Callable[[AskedAt, datetime], Any]] = {
    "day": lambda at, _: at.day,
    "month": lambda at, _: at.month,
    "is_before": lambda at, end: at.is_before(end),
    "capped": lambda at, end: at.capped(end),
    "capped_day": lambda at, end: at.capped_day(end.date()),
    "capped_today": lambda at, end: at.capped_today(end),
    "last_day": lambda at, end: at.last_day(end),
}


@pytest.mark.parametrize("name", LOOKS)
@given(moment=MOMENTS, end=MOMENTS, share=st.floats(0, 1))
@example(moment=NOON, end=NOON + timedelta(hours=1), share=0.5)
@example(moment=NOON, end=NOON + timedelta(hours=12), share=0.5)
@example(moment=NOON, end=NOON + timedelta(hours=12) + INSTANT, share=0.5)
def test_a_look_gives_the_same_up_to_the_moment_that_it_notes(
    name: str, moment: datetime, end: datetime, share: float
) -> None:
    """At every moment before it; and something else then, or it would be made anew for nothing."""
    at = AskedAt(moment)
    seen = LOOKS[name](at, end)
    last = min(at.until, moment + timedelta(days=400)) - INSTANT
    for later in (last, moment + (last - moment) * share):
        assert LOOKS[name](AskedAt(later), end) == seen
    if at.until < FOREVER:
        assert LOOKS[name](AskedAt(at.until), end) != seen


def test_the_nearest_of_several_looks_counts() -> None:
    """Whatever the order; and whoever takes the moment itself gets an answer of that moment alone."""
    at = AskedAt(NOON)
    assert at.until == FOREVER
    assert (at.month, at.until) == (NOON.replace(day=1).date(), datetime(2025, 4, 1, tzinfo=UTC))
    assert (at.day, at.until) == (NOON.date(), datetime(2025, 3, 26, tzinfo=UTC))
    assert at.is_before(NOON + timedelta(days=9))
    assert at.until == datetime(2025, 3, 26, tzinfo=UTC)
    assert (at.exact, at.until) == (NOON, NOON + INSTANT)
