"""A clock that a test sets."""

from __future__ import annotations

import pytest


class Clock:
    """Seconds, which pass only where a test says so."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """At zero."""
    return Clock()
