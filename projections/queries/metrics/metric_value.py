"""A metric and its value as answers have them, with the dimensions that metrics are split by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import UNSET, UnsetType, field

from domain.metrics.metric import Metric, Unit
from domain.metrics.value import Reason
from projections.engine.query.answer_row import CURRENCY, AnswerRow
from projections.engine.query.formatting import measure

if TYPE_CHECKING:
    from domain.metrics.formulas import Value


class Cuts(AnswerRow, kw_only=True):
    """What metrics are split by: a row has the dimensions that its question names. Times are texts."""

    account_id: str | UnsetType = UNSET
    campaign: str | UnsetType = UNSET
    channel: str | UnsetType = UNSET
    currency: str | UnsetType | None = UNSET  # of money as well, null where no amount names one
    customer_id: str | UnsetType = UNSET
    day: str | UnsetType = UNSET
    entry_hour: int | UnsetType = UNSET
    hour: str | UnsetType = UNSET
    minute: str | UnsetType = UNSET
    month: str | UnsetType = UNSET
    operation: str | UnsetType = UNSET
    plan: str | UnsetType = UNSET
    quarter: str | UnsetType = UNSET
    service: str | UnsetType = UNSET
    side: str | UnsetType = UNSET
    strategy: str | UnsetType = UNSET
    symbol: str | UnsetType = UNSET
    tag: str | UnsetType = UNSET
    tier: str | UnsetType = UNSET
    user_id: str | UnsetType = UNSET
    week: str | UnsetType = UNSET
    weekday: int | UnsetType = UNSET
    year: int | UnsetType = UNSET


DIMENSIONS = Cuts.__struct_fields__


class MetricValue(Cuts, kw_only=True):
    """A value (money as decimal text) or null with its reason.

    Metrics of returns say what these are taken of (marked, equity or pnl), how many days there are and whether these
    are fewer than 30.
    """

    key: str
    value: str | float | None
    unit: str
    convention: str
    definition_version: int
    reason: str = ""
    reasons: dict[str, str] = field(default_factory=dict)
    detail: str = ""
    basis: str = ""
    days: int | UnsetType = UNSET
    short_sample: bool | UnsetType = UNSET


class Figure(NamedTuple):
    """A value or the reason for none, and the currency of its amounts; None: none of them names one."""

    value: Value
    currency: str | None = None


def metric_value(
    entry: Metric, figure: Figure, unit: Unit | None = None, convention: str = "", **also: Any
) -> MetricValue:
    """A metric's value as answers show it, or the reason for none; unit and convention are the metric's without others.

    `also`: further fields of the row, such as its dimensions.
    """
    value, reason = figure.value, str(figure.value) if isinstance(figure.value, Reason) else ""
    if (unit or entry.unit) is Unit.MONEY:
        also = {CURRENCY: figure.currency} | also
    return MetricValue(
        key=entry.key,
        value=measure(value, unit or entry.unit),
        unit=str(unit or entry.unit),
        convention=str(convention or entry.convention),
        definition_version=entry.version,
        reason=reason,
        reasons={"value": reason} if reason else {},
        detail=entry.absent,
        **also,
    )
