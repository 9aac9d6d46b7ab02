"""Whole numbers in texts from outside: within bounds, and never read at a length that Python refuses."""

from __future__ import annotations

INT64 = 2**63 - 1
_DIGITS = len(str(INT64))


def whole_number(text: str, low: int = 0, high: int = INT64) -> int:
    """The number that the digits of a text stand for. Raises ValueError where it is none from `low` to `high`."""
    number = int(text) if text.isdecimal() and len(text.lstrip("0")) <= _DIGITS < 4_300 > len(text) else -1
    if not low <= number <= high:
        raise ValueError(f"{text!r} is no number from {low} to {high}")
    return number
