"""Ratios of whole sums for answers: a number, or null with the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from projections.engine.query.formatting import exact_money

Whole = int | None
Measures = Mapping[str, Whole]
Derive = Callable[[Measures], tuple[dict[str, Any], dict[str, str]]]
"""From the raw measures of a row to further fields, and the reasons of those that are null."""
Part = tuple[Whole, Whole, str]  # sum, count, reason when the count is 0


class Ratios:
    """Collects fields and the reasons of those that are null."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.reasons: dict[str, str] = {}

    def ratio(self, name: str, part: Whole, whole: Whole, reason: str) -> None:
        """part / whole as a number."""
        self._put(name, part / whole if part is not None and whole else None, reason)

    def money(self, name: str, total: Whole, count: Whole, reason: str) -> None:
        """A mean amount, rounded half even to trillionths."""
        self._put(name, exact_money(Fraction(total, count)) if total is not None and count else None, reason)

    def ratio_of_means(self, name: str, above: Part, below: Part) -> None:
        """(sum / count) / (sum / count) as a number."""
        (top, n, no_top), (bottom, m, no_bottom) = above, below
        if not n or top is None:
            self._put(name, None, no_top)
        elif not m or not bottom:
            self._put(name, None, no_bottom)
        else:
            self._put(name, float(Fraction(top, n) / Fraction(bottom, m)), "")

    def needs(self, name: str, value: Whole, reason: str) -> None:
        """Note the reason if a measure that is in the row already is null."""
        if value is None:
            self.reasons[name] = reason

    def _put(self, name: str, value: Any, reason: str) -> None:
        self.fields[name] = value
        if value is None:
            self.reasons[name] = reason
