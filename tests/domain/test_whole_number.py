"""Whole numbers in texts from outside."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.position import Position
from domain.whole_number import INT64, whole_number


@given(st.integers(0, INT64), st.integers(0, 50))
def test_a_number_within_its_bounds_is_read(number: int, zeros: int) -> None:
    """Leading zeros and all."""
    assert whole_number("0" * zeros + str(number)) == number


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", "1e3", "NaN", "²", " 1", "1_0", str(INT64 + 1), "9" * 5_000])
def test_what_is_no_number_is_refused(text: str) -> None:
    """Also where Python would refuse to read it."""
    with pytest.raises(ValueError, match="is no number"):
        whole_number(text)
    with pytest.raises(Invalid):
        Position.parse(f"trading-events:0={text}")
    with pytest.raises(Invalid):
        Position.parse(f"trading-events:{text}=0")
