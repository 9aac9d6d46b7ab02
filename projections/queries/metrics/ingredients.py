"""What a metric is made of: its formula, and every sum that its value was computed from.

The formula itself tells: it is run on sums that note which of them are read, and those count whose change changes the
value. So whatever is computed is named, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from domain.metrics.catalogue import metric
from domain.metrics.metric import Metric, Unit
from domain.metrics.value import Reason
from projections.engine.query.answer_row import CURRENCY, Rows
from projections.engine.query.composed import Composed
from projections.engine.query.formatting import measure
from projections.engine.query.request import Request
from projections.queries.metrics.kpis import inputs_of, metric_query, records_of
from projections.queries.metrics.metric_value import Cuts
from projections.queries.metrics.sources import SOURCES
from projections.queries.trading.record import of_one_currency

if TYPE_CHECKING:
    from domain.metrics.formulas import MetricInputs

POINT = "."
OF_MRR = frozenset({"mrr_movements", "mrr_retained", "mrr_scheduled", "mrr_year"})
MRR_OF_CUSTOMERS = "customer_mrr.change"


class Ingredient(Cuts, kw_only=True):
    """A sum that a metric is computed from, as `source.name`, with its value; of sources that give rows, their number.

    `explained_by`: the measures of queries (`query.measure`) whose events are behind it.
    """

    metric: str
    formula: str
    ingredient: str
    value: str | float | int | None
    unit: str
    explained_by: list[str]


class _Noting(dict[str, Any]):
    """Sums of one source that note which of them are read."""

    def __init__(self, sums: Mapping[str, Any], note: Callable[[str, Any], None]) -> None:
        super().__init__(sums)
        self._note = note

    def get(self, name: str, default: Any = None) -> Any:
        value = super().get(name, default)
        self._note(name, value)
        return value


def _combine(request: Request, answers: Mapping[str, Rows]) -> list[Ingredient]:
    entry = metric(request.get("key"))
    of_records = records_of(request, answers)
    if of_records is not None:
        return [
            _shown(entry, "trades", name, value, cuts, record.currency)
            for cuts, record in ((cuts, of_one_currency(each)) for cuts, each in of_records)
            for name, value in (
                ("count", record.trades.count),
                ("pnl", record.trades.pnl_sum),
                ("days", int(record.daily.pnl.size)),
            )
        ]
    return [
        _shown(entry, source, name, value, cuts, inputs[source].get(CURRENCY))
        for cuts, inputs in inputs_of(request, answers)
        for source, name, value in _read_by(entry, inputs)
    ]


def _read_by(entry: Metric, inputs: MetricInputs) -> list[tuple[str, str, Any]]:
    """Source, name and value of what the formula reads and what changes its value; all it reads where it has none."""
    from domain.metrics.formulas import FORMULAS

    formula, seen = FORMULAS[entry.key], dict[tuple[str, str], Any]()

    def noting(source: str) -> _Noting:
        return _Noting(inputs[source], lambda name, value: seen.setdefault((source, name), value))

    timed: list[float | None] = []

    def seconds() -> float | None:
        timed[:] = [inputs.seconds()]
        return timed[0]

    noted = {source: noting(source) for source in entry.reads}
    value = formula(replace(inputs, sums=noted, seconds=seconds))

    def counts(source: str, name: str, amount: Any) -> bool:
        if isinstance(amount, (Sequence, Mapping)):
            return True
        more = (amount or 0) + max(1, abs(amount or 0))
        return formula(replace(inputs, sums={**inputs.sums, source: {**inputs[source], name: more}})) != value

    every = isinstance(value, Reason)  # of none, whatever would be looked at
    return [(*place, amount) for place, amount in seen.items() if every or counts(*place, amount)] + [
        said for said, other in _said(inputs, timed) if formula(other) != value
    ]


def _said(inputs: MetricInputs, seconds: Sequence[float | None]) -> Iterator[tuple[tuple[str, str, Any], MetricInputs]]:
    """How long the period is and what was assumed, each with the inputs if it were something else.

    The seconds only where they were counted: an answer that rests on them is right for a moment alone.
    """
    for length in seconds:
        yield ("period", "seconds", length), replace(inputs, seconds=lambda: (seconds[0] or 0) + 1)
    yield ("period", "months", inputs.months), replace(inputs, months=(inputs.months or 0) + 1)
    for each in fields(inputs.assumptions):
        amount = getattr(inputs.assumptions, each.name)
        other = 0.5 if amount is None else amount / 2
        yield (
            ("assumed", each.name, amount),
            replace(inputs, assumptions=replace(inputs.assumptions, **{each.name: other})),
        )


def _shown(
    entry: Metric, source: str, name: str, amount: Any, cuts: Mapping[str, Any], currency: str | None
) -> Ingredient:
    unit, share = _unit(source, name, amount)
    value = None if amount is None else measure(_number(amount) * share, unit)
    return Ingredient(
        metric=entry.key,
        formula=entry.formula,
        ingredient=source + POINT + name,
        value=value,
        unit=str(unit),
        explained_by=_explained_by(entry, source, name),
        **{**({CURRENCY: currency} if unit is Unit.MONEY else {}), **cuts},
    )


def _unit(source: str, name: str, amount: Any) -> tuple[Unit, Fraction]:
    """What a sum is measured in, and what one unit of it is."""
    if source == "trades":
        return Unit.MONEY if name == "pnl" else Unit.COUNT, Fraction(1)
    if source in SOURCES and name in SOURCES[source].money and not isinstance(amount, Sequence):
        return Unit.MONEY, SOURCES[source].units
    whole = isinstance(amount, (int, Sequence, Mapping)) or amount is None or amount == int(amount)
    return Unit.COUNT if whole else Unit.RATIO, Fraction(1)


def _number(amount: Any) -> Fraction:
    """Of rows their number; of answers by score how many there are."""
    if isinstance(amount, Mapping):
        return Fraction(sum(amount.values()))
    return Fraction(len(amount)) if isinstance(amount, Sequence) else Fraction(Decimal(str(amount)))


def _explained_by(entry: Metric, source: str, name: str) -> list[str]:
    """Measures of the entry: that of the name, else those of the source, else those that are of no source."""
    names = [each.query + POINT + each.measure for each in entry.explained]
    if source + POINT + name in names:
        return [source + POINT + name]
    if source in OF_MRR and MRR_OF_CUSTOMERS in names:
        return [MRR_OF_CUSTOMERS]
    own = [each for each in names if each.startswith(source + POINT)]
    return own or [each for each in names if each.split(POINT)[0] not in entry.reads] or names


def _rows(request: Request, answers: Mapping[str, Rows]) -> Iterator[Ingredient]:
    yield from () if metric(request.get("key")).absent else _combine(request, answers)


ingredients = Composed(
    "ingredients",
    "What a metric is made of: its formula, and every sum that its value was computed from, split as the metric is.",
    metric_query.params,
    metric_query.parts,
    lambda request, answers: list(_rows(request, answers)),
    Ingredient,
    slow=metric_query.slow,
    stamped=True,
    any_zone=True,
)
