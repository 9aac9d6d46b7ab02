"""A metric beside itself in another period: the change, as a difference and as a fraction, or the reason for none."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from domain.metrics.metric import Metric, Unit
from domain.metrics.value import Reason
from projections.engine.query.formatting import money

OUTSIDE_TIER = "outside_tier"  # the reason where a tier does not see the period before


def comparison(entry: Metric, newest: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
    """A value object beside that of the period before; None: that period is outside the tier, or there is none."""
    figure = dict(newest)
    reasons = dict(figure.pop("reasons", {}))
    previous = None if before is None else before["value"]
    if previous is None:
        reasons["previous"] = OUTSIDE_TIER if before is None else before["reason"]
    change, rate = _change(entry, figure["value"], previous)
    if change is None:
        reasons["change"] = reasons["change_rate"] = reasons.get("value") or reasons["previous"]
    elif rate is None:
        reasons["change_rate"] = str(Reason.ZERO_DENOMINATOR)
    figure |= {"title": entry.title, "section": str(entry.section)}
    figure |= {"previous": previous, "change": change, "change_rate": rate}
    return figure | ({"reasons": reasons} if reasons else {})


def _change(entry: Metric, value: Any, previous: Any) -> tuple[Any, float | None]:
    """Difference of two shown values, and as a fraction of the one before."""
    if value is None or previous is None:
        return None, None
    if entry.unit is not Unit.MONEY:
        change = value - previous
        return change, change / abs(previous) if previous else None
    difference = Fraction(value) - Fraction(previous)
    rate = float(difference / abs(Fraction(previous))) if Fraction(previous) else None
    return money(int(difference * 1_000_000)), rate
