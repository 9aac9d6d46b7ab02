"""Arrivals: messages of the bus as delta rows of the windows' tables, by the same steps and folds as the log's.

A few messages are judged one by one and then decoded with the fields alone that the folds look at; many are judged as
columns. Both are the judgement of `domain.events.validation`, so that the bus and the log hold the same events good.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from random import getrandbits

import polars as pl
from common.envelope_pb2 import AnalyticsProcessingEnvelope

from domain.events.validation import judge
from domain.ports import Chunk
from eventlog.columns import ENVELOPE_FIELDS, fault
from projections.engine.declare.live_window import LiveWindow
from projections.engine.declare.projection import AdditiveFold, Projection
from projections.engine.declare.registry import all_windows
from projections.engine.declare.rows import Table, hidden_columns
from projections.engine.fold.additive import fields_of
from projections.engine.fold.admission import Facts, Reads, Records, decode, readmit
from projections.engine.fold.deltas import delta_rows, facts_of, uncut
from projections.engine.live.identities import Identities
from projections.engine.live.panes import Cells, RowKey, cells_of

FEW = 65_536  # bytes of messages that are judged one by one: up to some 300 events that is faster
SOURCE = ("service_source",)


@dataclass(frozen=True, slots=True)
class Delta:
    """What came for one row of a table: `time` (ms) is the row's, `facts` how many of a tenant came in all."""

    window: LiveWindow
    table: Table
    company: str
    key: RowKey
    cells: Cells
    time: int


@dataclass(frozen=True, slots=True)
class SourceProgress:
    """The highest time (ms) that came from one source for a window, and how many facts."""

    window: LiveWindow
    company: str
    source: str
    minute: int
    highest: int
    facts: int


@dataclass(slots=True)
class Arrivals:
    """What a batch of messages of one topic comes to. `bad`, `repeated`: messages that do not count."""

    progress: list[SourceProgress]
    deltas: list[Delta]
    bad: int = 0
    repeated: int = 0


class Reader:
    """Reads messages; knows those that came in the last minutes, and numbers them as they come."""

    def __init__(self) -> None:
        self._identities = Identities()
        self._number = 0

    def read(self, topic: str, messages: Sequence[bytes], now: int) -> Arrivals:
        """The deltas of messages that came together, at `now` (ms)."""
        found = Arrivals([], [])
        facts, sources = self._facts(topic, messages, now, found)
        for projection, window in windows_of(topic):
            for fold in projection.folds_of(window):
                if (frame := facts.get(fold.reads.name)) is not None:
                    self._add(window, fold, _limited(window, frame), sources, found)
        return found

    def forget(self, now: int) -> None:
        """Drop identities of messages that came long ago."""
        self._identities.forget(now // 60_000)

    def _facts(self, topic: str, messages: Sequence[bytes], now: int, found: Arrivals) -> tuple[Facts, pl.DataFrame]:
        """Facts of the good and new ones, and the source of each message by its row."""
        few = sum(map(len, messages)) <= FEW
        judged, bad = _each_judged(topic, messages, now) if few else _judged_as_columns(topic, messages, now)
        found.bad = bad
        fresh = self._identities.fresh([identity for _, identity, _ in judged], now // 60_000)
        kept = [(value, source) for (value, _, source), new in zip(judged, fresh, strict=True) if new]
        found.repeated = len(judged) - len(kept)
        values = [value for value, _ in kept]
        first, self._number = self._number, self._number + len(values)
        chunk = Chunk(0, range(first, self._number), values, self._number, now, self._number)
        facts = readmit(topic, [chunk], frozenset(), _reads(topic)) if values else {}
        return facts, pl.DataFrame({"_source": [source for _, source in kept]}, schema={"_source": pl.String})

    def _add(
        self, window: LiveWindow, fold: AdditiveFold, frame: pl.DataFrame, sources: pl.DataFrame, found: Arrivals
    ) -> None:
        if fold.into is window.of:
            found.progress += _progress(window, fold, frame, sources)
        rows = delta_rows(fold, frame)
        for company, key, cells in _rows_of(fold.into, rows):
            found.deltas.append(Delta(window, fold.into, company, key, cells, key[_time_at(window, fold.into)]))


def _each_judged(topic: str, messages: Sequence[bytes], now: int) -> tuple[list[tuple[bytes, int, str]], int]:
    """Good messages, each with its identity and source, and how many are bad."""
    judged = []
    for value in messages:
        try:
            good = judge(value, topic, now) is None
        except Exception as error:  # whatever it is, it is about this message alone
            good = fault(error) is None
        if good:
            envelope = AnalyticsProcessingEnvelope.FromString(value)
            identity = _identity(topic, envelope.company_id, envelope.user_id, envelope.event_id)
            judged.append((value, identity, envelope.producer_id or envelope.service_source))
    return judged, len(messages) - len(judged)


def _judged_as_columns(topic: str, messages: Sequence[bytes], now: int) -> tuple[list[tuple[bytes, int, str]], int]:
    records = Records.of([Chunk(0, range(len(messages)), messages, len(messages), now, len(messages))])
    decoded = decode(topic, records, (*ENVELOPE_FIELDS, *SOURCE))
    bad = decoded.undecodable | {row for row in decoded.suspects if judge(messages[row], topic, now) is not None}
    names = ("_row", "company_id", "user_id", "event_id", "producer_id", *SOURCE)
    judged = [
        (messages[row], _identity(topic, company, user, event), producer or source)
        for row, company, user, event, producer, source in decoded.envelopes.select(names).iter_rows()
        if row not in bad
    ]
    return judged, len(messages) - len(judged)


def _identity(topic: str, company: str, user: str, event_id: str) -> int:
    """64 bits that stand for an event, in this process alone; an event without an id is like no other."""
    return hash((topic, company, user, event_id)) if event_id else getrandbits(63)


@cache
def windows_of(topic: str) -> tuple[tuple[Projection, LiveWindow], ...]:
    """The windows that events of a topic fill, each with its projection."""
    return tuple((p, w) for p, w in all_windows().values() if any(f.reads.stream == topic for f in p.folds_of(w)))


@cache
def topics() -> tuple[str, ...]:
    """The topics that windows are filled from."""
    return tuple(sorted({f.reads.stream for p, w in all_windows().values() for f in p.folds_of(w)}))


@cache
def _reads(topic: str) -> Reads:
    """The fields that the windows' folds look at, by event type."""
    found: dict[str, set[str]] = {}
    for projection, window in windows_of(topic):
        for fold in projection.folds_of(window):
            found.setdefault(fold.reads.name, {"company_id", "timestamp"}).update(fields_of(fold))
    return found


def _limited(window: LiveWindow, facts: pl.DataFrame) -> pl.DataFrame:
    """The facts that the window is limited to."""
    for name, value in window.only.items():
        facts = facts.filter(pl.col(name) == value)
    return facts


def _progress(
    window: LiveWindow, fold: AdditiveFold, frame: pl.DataFrame, sources: pl.DataFrame
) -> Iterator[SourceProgress]:
    """By tenant, source and minute of the window's time: the highest time and how many."""
    columns = facts_of(fold, frame).select("company_id", uncut(fold, window.time).alias("_time"), "_row")
    columns = columns.hstack([sources.get_column("_source")[columns.get_column("_row").to_numpy()]])
    by = ("company_id", "_source", (pl.col("_time") // 60_000).alias("_minute"))
    for company, source, minute, highest, facts in (
        columns.group_by(*by).agg(pl.col("_time").max(), pl.len()).iter_rows()
    ):
        yield SourceProgress(window, company, source, minute, highest, facts)


def _rows_of(table: Table, delta: pl.DataFrame) -> Iterator[tuple[str, RowKey, Cells]]:
    """Rows of a delta as tenant, key and cells."""
    names, keys = [c.name for c in (*table.keys, *table.values)], len(table.keys)
    order = hidden_columns(table)
    for row in delta.select(*names, *order).iter_rows():
        at, place = row[-2:] if order else (0, 0)
        yield row[0], row[1:keys], cells_of(table, row[keys : len(names)], at, place)


@cache
def _time_at(window: LiveWindow, table: Table) -> int:
    """Where a row's key has its time."""
    return [c.name for c in table.keys].index(window.time) - 1
