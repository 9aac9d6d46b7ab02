"""Which rows one event changes: folded by itself, as the projector folds it among others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from domain.ports import Chunk, Placed
from projections.engine.declare.projection import Projection
from projections.engine.declare.registry import all_projections
from projections.engine.declare.rows import Table
from projections.engine.fold.additive import as_stored, ordered_facts
from projections.engine.fold.admission import Facts, readmit
from projections.engine.fold.deltas import deltas, merge_deltas
from projections.engine.query.formatting import shower

MOST = 200  # rows of one event that are told: a batch may hold ten thousand facts


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """A row: its key, and what the event adds to it or sets in it.

    `values` is empty for rows of ordered folds, to which an event does what depends on those before it.
    """

    projection: str
    table: str
    key: Mapping[str, Any]
    values: Mapping[str, Any]


def changed_rows(place: Placed, record: bytes) -> Sequence[ChangedRow]:
    """The rows that the event of a record changes where it is admitted, the first of them.

    Raises what folds raise for an event that they refuse.
    """
    chunk = Chunk(place.partition, [place.offset], [record], place.offset + 1, 0, place.offset + 1)
    facts = readmit(place.topic, [chunk], frozenset())
    rows = (row for projection in all_projections().values() for row in _of(projection, facts))
    return [row for _, row in zip(range(MOST), rows, strict=False)]


def _of(projection: Projection, facts: Facts) -> Iterator[ChangedRow]:
    own = {name: facts[name] for name in projection.reads & facts.keys()}
    if not own:
        return
    frames: dict[Table, list[pl.DataFrame]] = {}
    for table, delta in deltas(tuple(projection.additive), own):
        frames.setdefault(table, []).append(delta)
    for table, parts in frames.items():
        stored = merge_deltas(table, parts).select(as_stored(c.name, c.kind) for c in table.columns)
        for row in stored.iter_rows(named=True):
            shown = {c.name: shower(c.kind)(row[c.name]) for c in table.columns}
            keys = {c.name for c in table.keys}
            yield ChangedRow(
                projection.name, table.name,
                {name: value for name, value in shown.items() if name in keys},
                {name: value for name, value in shown.items() if name not in keys and value not in (None, 0, "0")},
            )  # fmt: skip
    for fold in projection.ordered:
        ordered = ordered_facts(fold, own)
        for key in ordered.facts if ordered is not None else ():
            for table in fold.into:
                yield ChangedRow(projection.name, table.name, dict(zip(fold.by, key, strict=True)), {})
