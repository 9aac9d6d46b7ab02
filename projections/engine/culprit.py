"""Finding the event that a projection's code fails on, by halving."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from projections.engine.failure import Culprit
from projections.engine.order import place_of

if TYPE_CHECKING:  # API processes come by here, and should not load it
    import polars as pl


def culprit(facts: Mapping[str, pl.DataFrame], fold: Callable[[Mapping[str, pl.DataFrame]], object]) -> Culprit | None:
    """The first fact with which a fold fails, found by halving; None where it fails without any, or by chance."""
    for name, frame in facts.items():
        attempt = partial(_fails_on, fold, name, frame)
        if attempt(frame.height) and not attempt(0):
            return of_fact(frame.row(first_failing(attempt, frame.height) - 1, named=True))
    return None


def first_failing(failing: Callable[[int], bool], count: int) -> int:
    """How many of `count` items, from the first on, it takes to fail; all of them do, none does not."""
    good, bad = 0, count
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (good, middle) if failing(middle) else (middle, bad)
    return bad


def of_fact(fact: Mapping[str, Any]) -> Culprit:
    """The event that a fact came with."""
    return Culprit(*place_of(fact["_seq"])[:2], fact["event_id"], fact["company_id"])


def fails(call: Callable[[], object]) -> bool:
    """Whether a call of a projection's code raises anything."""
    try:
        call()
    except Exception:  # whatever the code raises
        return True
    return False


def _fails_on(fold: Callable[[Mapping[str, pl.DataFrame]], object], name: str, frame: pl.DataFrame, count: int) -> bool:
    return fails(lambda: fold({name: frame[:count]}))
