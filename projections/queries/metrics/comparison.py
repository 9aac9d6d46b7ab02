"""A metric beside itself in another period: the change, as a difference and as a fraction, or the reason for none."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

from msgspec import UNSET, UnsetType, field

from domain.decimals import ONE
from domain.metrics.metric import Metric, Unit
from domain.metrics.value import Reason
from projections.engine.query.answer_row import AnswerRow, AnswerTime
from projections.engine.query.formatting import money
from projections.queries.metrics.metric_value import MetricValue

OUTSIDE_TIER = "outside_tier"  # the reason where a tier does not see the period before


class ComparedValue(AnswerRow, kw_only=True):
    """A value beside that of the period before. `reasons` says why anything is null; `unfinished`: it still runs."""

    key: str
    value: str | float | None
    unit: str
    convention: str
    definition_version: int
    reason: str = ""
    detail: str = ""
    basis: str = ""
    title: str
    section: str
    previous: str | float | None
    change: str | float | None
    change_rate: float | None
    reasons: dict[str, str] = field(default_factory=dict)
    currency: str | UnsetType | None = UNSET  # of money, null where no amount names one
    begin: AnswerTime = field(name="from")
    end: AnswerTime = field(name="to")
    unfinished: bool


class PeriodValue(NamedTuple):
    """A metric's value as answers show it, of one period, or the reason why there is none, and its currency."""

    value: Any
    reason: str
    currency: str | UnsetType | None = UNSET


def period_value(row: MetricValue) -> PeriodValue:
    """The value of a row."""
    return PeriodValue(row.value, row.reason, row.currency)


def comparison(entry: Metric, newest: PeriodValue, before: PeriodValue | None) -> dict[str, Any]:
    """What a key figure adds to a value; None: the period before is outside the tier, or there is none.

    Between two currencies there is no change.
    """
    reasons = {"value": newest.reason} if newest.value is None else {}
    previous = None if before is None else before.value
    if previous is None:
        reasons["previous"] = OUTSIDE_TIER if before is None else before.reason
    if newest.currency and before is not None and before.currency and newest.currency != before.currency:
        previous, reasons["previous"] = None, str(Reason.NO_REPORTING_CURRENCY)
    change, rate = _change(entry, newest.value, previous)
    if change is None:
        reasons["change"] = reasons["change_rate"] = reasons.get("value") or reasons["previous"]
    elif rate is None:
        reasons["change_rate"] = str(Reason.ZERO_DENOMINATOR)
    compared = {"previous": previous, "change": change, "change_rate": rate}
    return {"title": entry.title, "section": str(entry.section), **compared, "reasons": reasons}


def _change(entry: Metric, value: Any, previous: Any) -> tuple[Any, float | None]:
    """Difference of two shown values, and as a fraction of the one before."""
    if value is None or previous is None:
        return None, None
    if entry.unit is not Unit.MONEY:
        change = value - previous
        return change, change / abs(previous) if previous else None
    difference = Fraction(value) - Fraction(previous)
    rate = float(difference / abs(Fraction(previous))) if Fraction(previous) else None
    return money(int(difference * ONE)), rate
