"""Correlation: that of NumPy, and null where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.metrics.trading.correlation import correlation
from domain.metrics.value import Reason

MOVES = st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=3, max_size=30)


@given(MOVES)
def test_it_is_that_of_numpy(moves: list[tuple[float, float]]) -> None:
    """Within rounding, and never outside −1 to 1."""
    first, second = np.array([x for x, _ in moves]), np.array([y for _, y in moves])
    found = correlation(first, second)
    if isinstance(found, Reason):
        assert found is Reason.NO_DISPERSION
        return
    assert -1 <= found <= 1
    if min(first.std(), second.std()) > 1e-6:
        assert found == pytest.approx(np.corrcoef(first, second)[0, 1], abs=1e-6)


def test_what_has_no_correlation_says_why() -> None:
    """Nothing, two points, and what does not move."""
    line = np.array([0.1, 0.2, 0.3])
    assert correlation(np.array([]), np.array([])) is Reason.NO_DATA
    assert correlation(line[:2], line[:2]) is Reason.TOO_FEW
    assert correlation(line, np.full(3, 0.1)) is Reason.NO_DISPERSION
    assert correlation(line, -line) == pytest.approx(-1)
