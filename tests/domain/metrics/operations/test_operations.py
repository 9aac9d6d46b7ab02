"""Service levels and incidents, worked out by hand."""

from __future__ import annotations

import pytest

from domain.metrics.operations import service
from domain.metrics.operations.service import WINDOWS
from domain.metrics.value import Reason


def test_service_levels() -> None:
    """4 of 1000 failed within a minute, where one may."""
    assert service.throughput(1000, 60) == pytest.approx(16.6667, abs=1e-4)
    assert service.error_rate(4, 1000) == 0.004
    assert service.availability(4, 1000) == 0.996
    assert service.burn_rate(4, 1000, 0.999) == pytest.approx(4)
    assert service.error_budget_left(4, 1000, 0.999) == pytest.approx(-3)
    assert service.error_budget_left(4, 1000, 0.992) == pytest.approx(0.5)


@pytest.mark.parametrize(("long", "short", "expected"), [(15.0, 15.0, True), (15.0, 1.0, False), (14.0, 15.0, False)])
def test_a_burn_needs_both_windows(long: float, short: float, expected: bool) -> None:
    """Above the threshold in one hour and in five minutes."""
    assert service.burns(long, short, WINDOWS["1h"]) is expected
    assert not service.burns(Reason.NO_DATA, 15.0, WINDOWS["1h"])


def test_apdex() -> None:
    """60 satisfied, 30 tolerating, 5 frustrated, 5 failed: (60 + 15) / 100."""
    durations = [(0.5, 60), (0.5001, 20), (2.0, 10), (2.1, 5)]
    assert service.apdex(durations, 5, 0.5) == 0.75


def test_reasons() -> None:
    """Without operations, with an objective that allows nothing, without incidents."""
    assert service.throughput(5, 0) is Reason.NO_DATA
    assert service.error_rate(0, 0) is Reason.NO_DATA
    assert service.availability(0, 0) is Reason.NO_DATA
    assert service.error_budget_left(0, 0, 0.9) is Reason.NO_DATA
    assert service.burn_rate(1, 5, 1.0) is Reason.ZERO_DENOMINATOR
    assert service.apdex([], 0, 1) is Reason.NO_DATA
