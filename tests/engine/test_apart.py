"""Computations in a process of their own."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest

from domain.errors import Defect, LimitExceeded
from projections.engine.apart import Apart


@pytest.fixture
def apart() -> Iterator[Apart]:
    """A process that gives up late: on a busy machine it takes seconds to begin."""
    opened = Apart()
    yield opened
    opened.stop()


def where(number: int) -> tuple[int, int]:
    """The process that computes this, and the number."""
    return os.getpid(), number


def slow(seconds: float) -> float:
    """Takes its time."""
    time.sleep(seconds)
    return seconds


def wrong() -> None:
    """Has a fault."""
    raise ZeroDivisionError("by hand")


def dead() -> None:
    """Ends the process as the kernel does where memory is out."""
    os.kill(os.getpid(), 9)


def test_one_process_computes_and_it_is_another_one(apart: Apart) -> None:
    """Not this one, and the same for the next question."""
    (first, one), (second, two) = apart.run(where, 1), apart.run(where, 2)
    assert first == second != os.getpid()
    assert (one, two) == (1, 2)


def test_the_same_question_is_answered_from_memory(apart: Apart) -> None:
    """Another process would have another number."""
    answered = apart.run(where, 1)
    apart.stop()
    assert apart.run(where, 1) == answered
    assert apart.run(where, 2)[0] != answered[0]


def test_what_takes_too_long_is_ended() -> None:
    """Long before it would be done."""
    began = time.monotonic()
    with pytest.raises(LimitExceeded, match="more than 1 s"):
        Apart(seconds=1.0).run(slow, 600.0)
    assert time.monotonic() - began < 300


def test_a_process_that_dies_is_no_riddle(apart: Apart) -> None:
    """An error that says what may be, and a new process."""
    with pytest.raises(LimitExceeded, match="more memory"):
        apart.run(dead)
    assert apart.run(where, 4)[1] == 4


def test_a_fault_is_told_where_it_was(apart: Apart) -> None:
    """With its last lines; the process goes on."""
    before = apart.run(where, 1)[0]
    with pytest.raises(Defect, match="ZeroDivisionError: by hand"):
        apart.run(wrong)
    assert apart.run(where, 5)[0] == before


def test_stopping_ends_what_is_being_computed(apart: Apart) -> None:
    """Whoever waits gets an error, at once."""
    assert apart.run(where, 1)
    threading.Timer(0.3, apart.stop).start()
    began = time.monotonic()
    with pytest.raises(LimitExceeded):
        apart.run(slow, 600.0)
    assert time.monotonic() - began < 300
