"""From rows to sums and from sums to a value, where amounts of several currencies may be none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.metrics.metric import Metric
from projections.engine.query.reporting import Everything, NoAmount, NoAmounts
from projections.queries.metrics.sources import SOURCES, MetricScope, Rows, Sums

if TYPE_CHECKING:
    from domain.metrics.formulas import MetricInputs, Value


def sums_of(source: str, rows: Rows, scope: MetricScope) -> Sums:
    """What the rows of a source come to; where their amounts are needed and are none, whoever asks gets the reason."""
    try:
        return SOURCES[source].sums(rows, scope)
    except NoAmount as missing:
        return NoAmounts({}, Everything(), missing.reason)


def value_of(entry: Metric, inputs: MetricInputs) -> Value:
    """The value of a metric, or the reason why there is none."""
    from domain.metrics.formulas import FORMULAS

    try:
        return FORMULAS[entry.key](inputs)
    except NoAmount as missing:
        return missing.reason
