"""From rows to sums and from sums to a figure, where amounts are of a currency, or of several and so none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from domain.metrics.metric import Metric
from domain.metrics.value import Reason
from projections.engine.query.answer_row import CURRENCY
from projections.engine.query.no_amount import Everything, NoAmount, NoAmounts
from projections.queries.metrics.metric_scope import MetricScope, Rows, Sums
from projections.queries.metrics.metric_value import Figure
from projections.queries.metrics.sources import SOURCES

if TYPE_CHECKING:
    from domain.metrics.formulas import MetricInputs


def sums_of(source: str, rows: Rows, scope: MetricScope) -> Sums:
    """What the rows of a source come to, with the currency of its amounts; where these are needed and are none, whoever
    asks gets the reason.
    """
    try:
        sums = SOURCES[source].sums(rows, scope)
    except NoAmount as missing:
        sums = NoAmounts({}, Everything(), missing.reason)
    if SOURCES[source].money:
        sums.setdefault(CURRENCY, next((row[CURRENCY] for row in rows if row.get(CURRENCY)), None))
    return sums


@dataclass(frozen=True, slots=True)
class NotedSums(Mapping[str, Any]):
    """Sums of one source that note which of them are read."""

    sums: Mapping[str, Any]
    note: Callable[[str, Any], None]

    def __getitem__(self, name: str) -> Any:
        value = self.sums[name]
        self.note(name, value)
        return value

    def get(self, name: str, default: Any = None) -> Any:
        """As a mapping does. Raises NoAmount as the sums do."""
        value = self.sums.get(name, default)
        self.note(name, self.sums.get(name))
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self.sums)

    def __len__(self) -> int:
        return len(self.sums)


def figure_of(entry: Metric, inputs: MetricInputs) -> Figure:
    """The value of a metric, or the reason why there is none, and the currency of the amounts that it is made of.

    Of amounts of one currency each, which are not the same, there is none.
    """
    from domain.metrics.formulas import FORMULAS

    currencies = set[str | None]()

    def noting(source: str) -> NotedSums:
        sums, money = inputs[source], SOURCES[source].money

        def note(name: str, value: Any) -> None:
            if value and name in money:
                currencies.add(sums.get(CURRENCY))

        return NotedSums(sums, note)

    try:
        value = FORMULAS[entry.key](replace(inputs, sums={source: noting(source) for source in inputs.sums}))
    except NoAmount as missing:
        return Figure(missing.reason)
    named = currencies - {None}
    if len(named) > 1:
        return Figure(Reason.NO_REPORTING_CURRENCY)
    return Figure(value, named.pop() if named else _said(entry, inputs))


def _said(entry: Metric, inputs: MetricInputs) -> str | None:
    """The currency of amounts that are all zero, where the sources say the same one."""
    named = {inputs[source].get(CURRENCY) for source in entry.reads if SOURCES[source].money} - {None}
    return named.pop() if len(named) == 1 else None
