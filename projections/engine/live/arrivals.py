"""Arrivals: messages of the bus as delta rows of the windows' tables, by the same steps and folds as the log's.

A few messages are judged one by one and then decoded with the fields alone that the folds look at; many are judged as
columns. Both are the judgement of `domain.events.validation`, so that the bus and the log hold the same events good.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cache
from itertools import compress
from random import getrandbits
from typing import NamedTuple

import numpy as np
import polars as pl
from common.envelope_pb2 import AnalyticsProcessingEnvelope

from domain.events.catalogue import BATCHES, BY_NAME, EventType
from domain.events.upcasting import upcast_bytes
from domain.events.validation import judge
from domain.ports import Chunk
from eventlog.columns import fault
from projections.engine.declare.live_window import LiveWindow
from projections.engine.declare.merge_rules import MS_PER_MINUTE
from projections.engine.declare.projection import AdditiveFold, Projection
from projections.engine.declare.registry import all_windows
from projections.engine.declare.rows import Table, hidden_columns
from projections.engine.fold.additive import OF_ENVELOPE, fields_of
from projections.engine.fold.admission import Reads, Records, decode
from projections.engine.fold.decode import read_facts
from projections.engine.fold.deltas import delta_plan, fact_plan, plain_time
from projections.engine.fold.log_order import ITEM_BITS
from projections.engine.live.identities import Identities
from projections.engine.live.panes import Cells, RowKey, cells_of

FactsRead = dict[str, list[tuple[pl.DataFrame, Sequence[pl.Expr | str]]]]  # by event type: frames, and their columns
AS_GIVEN = pl.QueryOptFlags.none()  # on few facts a better plan costs more than it saves
FEW_FACTS = 32  # of which each is a row of its own
FEW = 65_536  # bytes of messages that are judged one by one: up to some 300 events that is faster


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


class Admitted(NamedTuple):
    """Good messages that came for the first time, the number of the first one, and how many others there were."""

    envelopes: Sequence[AnalyticsProcessingEnvelope]
    first: int
    bad: int
    repeated: int


class Reader:
    """Reads messages; knows those that came in the last minutes, and numbers them as they come."""

    def __init__(self) -> None:
        self._identities = Identities()
        self._number = 0

    def read(self, topic: str, messages: Sequence[bytes], now: int) -> Arrivals:
        """The deltas of messages that came together, at `now` (ms)."""
        return folded(topic, self.admit(topic, good_messages(topic, messages, now), len(messages), now))

    def admit(self, topic: str, good: Sequence[AnalyticsProcessingEnvelope], came: int, now: int) -> Admitted:
        """Of so many messages that came the good ones, without those that came before."""
        fresh = self._identities.fresh([_identity(topic, envelope) for envelope in good], now // MS_PER_MINUTE)
        envelopes, first = list(compress(good, fresh)), self._number
        self._number += len(envelopes)
        return Admitted(envelopes, first, came - len(good), len(good) - len(envelopes))

    def forget(self, now: int) -> None:
        """Drop identities of messages that came long ago."""
        self._identities.forget(now // MS_PER_MINUTE)


def warm_up() -> None:
    """Fold an empty event of each type: the first fold loads libraries for half a second, which nobody should wait."""
    for topic in topics():
        empty = [AnalyticsProcessingEnvelope(message_type=name, company_id="-", timestamp=1) for name in _reads(topic)]
        facts = _facts(topic, empty, 0)
        _fold(topic, facts, Arrivals([], []))


def folded(topic: str, admitted: Admitted) -> Arrivals:
    """What they come to; it needs nothing but them, and may be done beside everything else."""
    found = Arrivals([], [], admitted.bad, admitted.repeated)
    _fold(topic, _facts(topic, admitted.envelopes, admitted.first), found)
    return found


def good_messages(topic: str, messages: Sequence[bytes], now: int) -> list[AnalyticsProcessingEnvelope]:
    """Those that are good."""
    rows: Sequence[int] = range(len(messages))
    if sum(map(len, messages)) > FEW:
        records = Records.of([Chunk(0, rows, messages, len(messages), now, len(messages))])
        decoded = decode(topic, records)
        bad = decoded.undecodable | {row for row in decoded.suspects if not _good(topic, messages[row], now)}
        rows = [row for row in rows if row not in bad]
    else:
        rows = [row for row in rows if _good(topic, messages[row], now)]
    return [AnalyticsProcessingEnvelope.FromString(messages[row]) for row in rows]


def _good(topic: str, message: bytes, now: int) -> bool:
    try:
        return judge(message, topic, now) is None
    except Exception as error:  # whatever it is, it is about this message alone
        return fault(error) is None


def _facts(topic: str, envelopes: Sequence[AnalyticsProcessingEnvelope], first: int) -> FactsRead:
    """Facts by event type, as they are read, and what makes facts of them. Envelopes are read one by one before: as
    columns a few of them cost ten times as much.
    """
    groups: dict[str, list[int]] = {}
    for number, envelope in enumerate(envelopes):
        groups.setdefault(envelope.message_type, []).append(number)
    found: FactsRead = {}
    for message_type, numbers in groups.items():
        event, batch = BATCHES.get(message_type) or BY_NAME[message_type], message_type in BATCHES
        if event.name in _reads(topic):
            own = [envelopes[number] for number in numbers]
            frame, columns = _decoded(event, own, _reads(topic)[event.name], batch=batch)
            places = frame.get_column("_row").to_numpy()
            order = (first + np.array(numbers)[places] << ITEM_BITS) + frame.get_column("_item").to_numpy()
            found.setdefault(event.name, []).append((frame.hstack([pl.Series("_seq", order)]), [*columns, "_seq"]))
    return found


def _decoded(
    event: EventType, envelopes: Sequence[AnalyticsProcessingEnvelope], fields: Set[str], *, batch: bool
) -> tuple[pl.DataFrame, Sequence[pl.Expr | str]]:
    """Facts of one type with the columns of their envelopes, as they are read, and what makes facts of them.

    `_row` is the index of the envelope.
    """
    payloads = [
        e.payload
        if e.schema_version >= event.schema_version or event.schema_version == 1
        else upcast_bytes(event, e.payload, e.schema_version, batch=batch)
        for e in envelopes
    ]
    series = pl.Series(payloads, dtype=pl.Binary)
    frame, columns = read_facts(event, batch=batch, payloads=series, fields=fields)
    rows = frame.get_column("_row").to_list()
    times = [envelopes[row].timestamp for row in rows]
    outer = [pl.Series("_at", times), pl.Series("_source", [_source(envelopes[row]) for row in rows])]
    outer += [pl.Series(name, [getattr(envelopes[row], name) for row in rows]) for name in sorted(OF_ENVELOPE & fields)]
    return frame.hstack(outer), [*columns, *(series.name for series in outer)]


def _source(envelope: AnalyticsProcessingEnvelope) -> str:
    return str(envelope.producer_id or envelope.service_source)


def _fold(topic: str, facts: FactsRead, found: Arrivals) -> None:
    """Fold the facts into all tables of the topic's windows, as one plan: each that is handed over waits for a thread,
    and on a busy machine for longer than it computes.
    """
    made = {name: pl.concat([f.lazy().select(columns) for f, columns in parts]) for name, parts in facts.items()}
    folds = [
        (window, fold)
        for projection, window in windows_of(topic)
        for fold in projection.folds_of(window)
        if fold.reads.name in facts
    ]
    plan = fact_plan if sum(f.height for parts in facts.values() for f, _ in parts) <= FEW_FACTS else delta_plan
    plans = [plan(fold, _limited(window, made[fold.reads.name])) for window, fold in folds]
    for (window, fold), delta in zip(folds, pl.collect_all(plans, optimizations=AS_GIVEN), strict=True):
        if fold.into is window.of:
            for frame, _ in facts[fold.reads.name]:
                found.progress += _progress(window, fold, frame)
        time = [c.name for c in fold.into.keys].index(window.time) - 1
        for company, key, cells in _rows_of(fold.into, delta):
            found.deltas.append(Delta(window, fold.into, company, key, cells, key[time]))


def _identity(topic: str, envelope: AnalyticsProcessingEnvelope) -> int:
    """64 bits that stand for an event, in this process alone; an event without an id is like no other."""
    if not envelope.event_id:
        return getrandbits(63)
    return hash((topic, envelope.company_id, envelope.user_id, envelope.event_id))


@cache
def windows_of(topic: str) -> tuple[tuple[Projection, LiveWindow], ...]:
    """The windows that events of a topic fill, each with its projection."""
    return tuple((p, w) for p, w in all_windows().values() if any(f.reads.stream == topic for f in p.folds_of(w)))


@cache
def topics_of(window: str) -> frozenset[str]:
    """The topics whose events fill a window."""
    return frozenset(topic for topic in topics() if any(w.name == window for _, w in windows_of(topic)))


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


def _limited(window: LiveWindow, facts: pl.LazyFrame) -> pl.LazyFrame:
    """The facts that the window is limited to."""
    for name, value in window.only.items():
        facts = facts.filter(pl.col(name) == value)
    return facts


def _progress(window: LiveWindow, fold: AdditiveFold, facts: pl.DataFrame) -> Iterator[SourceProgress]:
    """By tenant, source and minute of the window's time: the highest time and how many."""
    seen: dict[tuple[str, str, int], tuple[int, int]] = {}
    names = ("company_id", "_source", plain_time(fold, window.time), *window.only)
    wanted = tuple(window.only.values())
    for company, source, time, *own in zip(*(facts.get_column(name).to_list() for name in names), strict=True):
        if tuple(own) != wanted:
            continue
        place = company, source, time // MS_PER_MINUTE
        highest, count = seen.get(place, (0, 0))
        seen[place] = max(highest, time), count + 1
    for (company, source, minute), (highest, count) in seen.items():
        yield SourceProgress(window, company, source, minute, highest, count)


def _rows_of(table: Table, delta: pl.DataFrame) -> Iterator[tuple[str, RowKey, Cells]]:
    """Rows of a delta as tenant, key and cells."""
    names, keys = [c.name for c in (*table.keys, *table.values)], len(table.keys)
    order = hidden_columns(table)
    columns = [delta.get_column(name).to_list() for name in (*names, *order)]  # as rows of a frame they cost a plan
    for row in zip(*columns, strict=True):
        at, place = row[-2:] if order else (0, 0)
        yield row[0], row[1:keys], cells_of(table, row[keys : len(names)], at, place)
