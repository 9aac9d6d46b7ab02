"""Several metrics at one position: `metrics` answers with the value objects of many keys, group by group."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.errors import Invalid
from domain.metrics.catalogue import METRICS, metric
from domain.metrics.metric import Section
from domain.name_list import name_list
from projections.engine.query.answer_row import Rows, sort_key
from projections.engine.query.composed import STAMP, Composed, Part
from projections.engine.query.params import Param, read_choice, read_names
from projections.engine.query.request import Request
from projections.queries.metrics.kpis import metric_query
from projections.queries.metrics.metric_value import DIMENSIONS, MetricValue

MOST = 40  # keys: each is a question or several
OWN = ("keys", "section")


class TitledValue(MetricValue, kw_only=True):
    """A value with the title of its metric."""

    title: str


def _read_keys(text: str) -> tuple[str, ...]:
    """Keys of the catalogue, comma-separated. Raises ValueError for too many."""
    keys = read_names(text)
    if len(keys) > MOST:
        raise ValueError(f"{len(keys)} keys are more than {MOST}")
    return keys


def keys_of(request: Request) -> tuple[str, ...]:
    """The keys that are meant: those named, or the key figures (of the section) that can be split and chosen like this.

    Raises NotFound for a key that there is not, Invalid where nothing can be split so.
    """
    named, section = request.get("keys", ()), request.get("section")
    if named:
        return tuple(metric(key).key for key in named)
    cuts = {*request.get("by", ()), *(name for name in DIMENSIONS if request.get(name) is not None)}
    answers = tuple(
        entry.key
        for entry in METRICS.values()
        if entry.kpi and section in (None, entry.section) and not entry.absent and cuts <= set(entry.dimensions)
    )
    if not answers:
        raise Invalid(f"no key figure of {section or 'any section'} goes with {', '.join(sorted(cuts))}")
    return answers


def _parts(request: Request) -> Mapping[str, Part]:
    texts = {name: text_of(value) for name, value in request.params.items() if name not in OWN}
    return {key: Part("metric", {**texts, "key": key}) for key in keys_of(request)}


def text_of(value: Any) -> str:
    """A parameter as read, as a text again."""
    match value:
        case tuple():
            return name_list(value)
        case datetime():
            return value.isoformat()
    return str(value)


def _rows(request: Request, answers: Mapping[str, Rows]) -> list[TitledValue]:
    """Group by group, in the order of the keys; what the value objects stand for is said once, of all."""
    by, keys = request.get("by", ()), keys_of(request)
    rows = [TitledValue(**_own(row), title=METRICS[key].title) for key in keys for row in answers[key]]
    return sorted(rows, key=lambda row: sort_key(getattr(row, name) for name in by))


def _own(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in STAMP}


metrics = Composed(
    "metrics",
    "Several metrics of the catalogue, split alike: a row for each group and metric, with its value or the reason.",
    (
        Param("keys", f"which metrics, comma-separated, {MOST} at most; the key figures without it",
              _read_keys),
        Param("section", f"without keys: one of {', '.join(Section)}", read_choice(*Section)),
        *(param for param in metric_query.params if param.name != "key"),
    ),
    _parts,
    _rows,
    TitledValue,
    stamped=True,
    any_zone=True,
)  # fmt: skip
