"""How many examples a property test has: few in `make test`, ten times as many in `make properties`."""

from __future__ import annotations

import os
from collections.abc import Callable

from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st

_TIMES = int(os.environ.get("ANALYTICS_TEST_EXAMPLES", "1"))


def examples(few: int) -> int:
    """So many, or as many times more as are asked for."""
    return few * _TIMES


def not_the_simplest(draw: Callable[[st.SearchStrategy[int]], int]) -> None:
    """Hypothesis begins with the simplest example. Of a log that is one event, fifteen times: as dear as any other."""
    assume(draw(st.integers(0, 2**16)))


# The machine is shared and slow at times, so no deadline; the examples are the same in every run.
settings.register_profile(
    "repeatable",
    deadline=None,
    derandomize=True,
    max_examples=examples(40),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")
