"""Folding: good messages as delta rows of the windows' tables, by the projections' own folds.

What comes for somebody who follows is a handful of facts, and is folded fact by fact; many are folded as columns, all
tables of a topic as one plan. Both work out the same expressions (`fold/scalar.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import NamedTuple

import numpy as np
import polars as pl
from common.envelope_pb2 import AnalyticsProcessingEnvelope

from domain.errors import Defect
from domain.events.catalogue import BATCHES, BY_NAME, EventType
from domain.events.identity import producer_of
from domain.events.problems import Problem
from domain.events.upcasting import upcast_bytes
from domain.events.validation import decode_payload
from projections.engine.declare.live_window import LiveWindow
from projections.engine.declare.merge_rules import MS_PER_MINUTE
from projections.engine.declare.projection import AdditiveFold, Projection
from projections.engine.declare.registry import all_windows
from projections.engine.declare.rows import Table
from projections.engine.fold.additive import OF_ENVELOPE, fields_of
from projections.engine.fold.admission import Reads
from projections.engine.fold.decode import read_facts
from projections.engine.fold.deltas import delta_rows, plain_time
from projections.engine.fold.log_order import ITEM_BITS
from projections.engine.fold.scalar import Facts, ScalarFold, has_scalar_facts, scalar_facts, scalar_fold
from projections.engine.live.panes import Cells, RowKey, cells_of

FactsRead = dict[str, list[tuple[pl.DataFrame, Sequence[pl.Expr | str]]]]  # by event type: frames, and their columns
Envelopes = Sequence[AnalyticsProcessingEnvelope]
AS_GIVEN = pl.QueryOptFlags.none()  # on few facts a better plan costs more than it saves
FEW = 8_192  # bytes of payloads that are folded fact by fact: up to some 130 facts that is faster
_of_envelope = attrgetter(*sorted(OF_ENVELOPE))


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


class Report(NamedTuple):
    """A report of something that can be reported again, for a window; `minute`: None where it is taken back."""

    window: LiveWindow
    company: str
    identity: tuple[object, ...]
    minute: int | None


class FoldedFacts(NamedTuple):
    """What events come to."""

    progress: list[SourceProgress]
    deltas: list[Delta]
    reports: list[Report]


def fold_events(topic: str, envelopes: Envelopes, first: int) -> FoldedFacts:
    """What good events of a topic come to; they have the numbers from `first` on, in which order they came."""
    if sum(len(envelope.payload) for envelope in envelopes) <= FEW and _scalars(topic) is not None:
        return fold_facts(topic, envelopes, first)
    return fold_columns(topic, envelopes, first)


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
def reads(topic: str) -> Reads:
    """The fields that the windows' folds look at, by event type."""
    fields: dict[str, set[str]] = {}
    for _, window, fold in _folds(topic):
        fields.setdefault(fold.reads.name, {"company_id", "timestamp", *window.only}).update(fields_of(fold))
    for name, reported in _reported(topic).items():
        fields.setdefault(name, {"company_id", "timestamp"}).update(*(each.names for each in reported))
    return fields


class _Reported(NamedTuple):
    """How facts of a type are told apart for a window; `moment`: of which time they are, None where they take back."""

    window: LiveWindow
    names: tuple[str, ...]
    moment: str | None


@cache
def _reported(topic: str) -> dict[str, list[_Reported]]:
    """By type of the topic's events that can be reported again, or take back."""
    reported: dict[str, list[_Reported]] = {}
    for projection, window, fold in _folds(topic):
        for ledger in (each for each in projection.ledgers if fold in each.counting and fold.into is window.of):
            for report in ledger.folds:
                moment = plain_time(fold, window.time) if report.reads is ledger.of else None
                reported.setdefault(report.reads.name, []).append(_Reported(window, report.reads.identity, moment))
    return reported


@cache
def _folds(topic: str) -> Sequence[tuple[Projection, LiveWindow, AdditiveFold]]:
    return [(p, w, fold) for p, w in windows_of(topic) for fold in p.folds_of(w) if fold.reads.stream == topic]


class _Scalar(NamedTuple):
    """A fold of single facts with where its row has what: `time` among the keys, `moment` the fact's own."""

    window: LiveWindow
    table: Table
    fold: ScalarFold
    keys: int
    time: int
    moment: str


@cache
def _scalars(topic: str) -> dict[str, list[_Scalar]] | None:
    """The topic's folds of single facts by event type; None where one of them has no such form."""
    scalars: dict[str, list[_Scalar]] = {}
    for _, window, fold in _folds(topic):
        scalar, table = scalar_fold(fold), fold.into
        if scalar is None or not has_scalar_facts(fold.reads, frozenset(reads(topic)[fold.reads.name])):
            return None
        time = [c.name for c in table.keys].index(window.time)
        moment = plain_time(fold, window.time)
        scalars.setdefault(fold.reads.name, []).append(_Scalar(window, table, scalar, len(table.keys), time, moment))
    return scalars


def fold_facts(topic: str, envelopes: Envelopes, first: int) -> FoldedFacts:
    """The same, fact by fact. Raises Defect where a fold of the topic has no such form."""
    scalars, result = _scalars(topic), FoldedFacts([], [], [])
    if scalars is None:
        raise Defect(f"folds of {topic} have no scalar form")
    seen: dict[LiveWindow, _Seen] = {}
    for number, envelope in enumerate(envelopes, first):
        event, batch = _event_of(envelope)
        folds, reported = scalars.get(event.name, ()), _reported(topic).get(event.name, ())
        for item, fact in enumerate(_facts_of(topic, event, envelope, batch=batch) if folds or reported else ()):
            for each in reported:
                minute = None if each.moment is None else fact[each.moment] // MS_PER_MINUTE
                identity = tuple(fact[name] for name in each.names)
                result.reports.append(Report(each.window, envelope.company_id, identity, minute))
            for scalar in folds:
                if all(fact[name] == value for name, value in scalar.window.only.items()):
                    if scalar.table is scalar.window.of:
                        of = seen.setdefault(scalar.window, _Seen())
                        of.note(envelope.company_id, producer_of(envelope), fact[scalar.moment])
                    result.deltas.extend(_delta(scalar, fact, (number << ITEM_BITS) + item))
    for window, of in seen.items():
        result.progress.extend(of.progress(window))
    return result


def _facts_of(topic: str, event: EventType, envelope: AnalyticsProcessingEnvelope, *, batch: bool) -> Iterator[Facts]:
    payload = decode_payload(envelope)
    assert not isinstance(payload, Problem)  # it was judged before
    outer = dict(zip(sorted(OF_ENVELOPE), _of_envelope(envelope), strict=True))
    for fact in scalar_facts(event, payload, frozenset(reads(topic)[event.name]), batch=batch):
        yield {**fact, **outer}


def _delta(scalar: _Scalar, fact: Facts, place: int) -> Iterator[Delta]:
    row = scalar.fold.row(fact)
    if row is not None:
        at = fact["timestamp"] if scalar.fold.rank is None else scalar.fold.rank(fact)
        cells = cells_of(scalar.table, row[scalar.keys :], at, place)
        yield Delta(scalar.window, scalar.table, row[0], tuple(row[1 : scalar.keys]), cells, row[scalar.time])


class _Seen:
    """What came for a window, by tenant, source and minute: the highest time and how many facts."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, str, int], tuple[int, int]] = {}

    def note(self, company: str, source: str, time: int) -> None:
        """One fact came."""
        place = company, source, time // MS_PER_MINUTE
        highest, count = self._of.get(place, (0, 0))
        self._of[place] = max(highest, time), count + 1

    def progress(self, window: LiveWindow) -> Iterator[SourceProgress]:
        """What came of a window."""
        for (company, source, minute), (highest, count) in self._of.items():
            yield SourceProgress(window, company, source, minute, highest, count)


def fold_columns(topic: str, envelopes: Envelopes, first: int) -> FoldedFacts:
    """The same as columns, all tables as one plan: each that is handed over waits for a thread, and on a busy machine
    for longer than it computes.
    """
    facts, result = _facts(topic, envelopes, first), FoldedFacts([], [], [])
    for name, parts in facts.items():
        for each in _reported(topic).get(name, ()):
            result.reports.extend(report for frame, _ in parts for report in _reports(each, frame))
    frames = {name: pl.concat([f.lazy().select(columns) for f, columns in parts]) for name, parts in facts.items()}
    folds = [(window, fold) for _, window, fold in _folds(topic) if fold.reads.name in facts]
    plans = [delta_rows(fold, _limited(window, frames[fold.reads.name])) for window, fold in folds]
    for (window, fold), delta in zip(folds, pl.collect_all(plans, optimizations=AS_GIVEN), strict=True):
        if fold.into is window.of:
            result.progress.extend(_progress(window, fold, [frame for frame, _ in facts[fold.reads.name]]))
        time = [c.name for c in fold.into.keys].index(window.time) - 1
        for company, key, cells in _rows_of(fold.into, delta):
            result.deltas.append(Delta(window, fold.into, company, key, cells, key[time]))
    return result


def _facts(topic: str, envelopes: Envelopes, first: int) -> FactsRead:
    """Facts by event type, as they are read, and what makes facts of them. Envelopes are read one by one before: as
    columns a few of them cost ten times as much.
    """
    groups: dict[str, list[int]] = {}
    for number, envelope in enumerate(envelopes):
        groups.setdefault(envelope.message_type, []).append(number)
    facts: FactsRead = {}
    for numbers in groups.values():
        event, batch = _event_of(envelopes[numbers[0]])
        if event.name in reads(topic):
            own = [envelopes[number] for number in numbers]
            frame, columns = _decoded(event, own, reads(topic)[event.name], batch=batch)
            places = frame.get_column("_row").to_numpy()
            order = (first + np.array(numbers)[places] << ITEM_BITS) + frame.get_column("_item").to_numpy()
            facts.setdefault(event.name, []).append((frame.hstack([pl.Series("_seq", order)]), [*columns, "_seq"]))
    return facts


def _event_of(envelope: AnalyticsProcessingEnvelope) -> tuple[EventType, bool]:
    """The type of an event's facts, and whether it is a batch of them."""
    name = envelope.message_type
    return BATCHES.get(name) or BY_NAME[name], name in BATCHES


def _decoded(
    event: EventType, envelopes: Envelopes, fields: Set[str], *, batch: bool
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
    outer = [pl.Series("_at", times), pl.Series("_source", [producer_of(envelopes[row]) for row in rows])]
    outer.append(pl.Series("_appended", [0] * len(rows), pl.Int64))  # of reports here the one counts that came last
    outer += [pl.Series(name, [getattr(envelopes[row], name) for row in rows]) for name in sorted(OF_ENVELOPE & fields)]
    return frame.hstack(outer), [*columns, *(series.name for series in outer)]


def _reports(each: _Reported, frame: pl.DataFrame) -> Iterator[Report]:
    columns = [frame.get_column(name).to_list() for name in ("company_id", *each.names)]
    moments = [None] * frame.height if each.moment is None else frame.get_column(each.moment).to_list()
    for moment, company, *identity in zip(moments, *columns, strict=True):
        yield Report(each.window, company, tuple(identity), None if moment is None else moment // MS_PER_MINUTE)


def _limited(window: LiveWindow, facts: pl.LazyFrame) -> pl.LazyFrame:
    """The facts that the window is limited to."""
    for name, value in window.only.items():
        facts = facts.filter(pl.col(name) == value)
    return facts


def _progress(window: LiveWindow, fold: AdditiveFold, frames: Iterable[pl.DataFrame]) -> Iterator[SourceProgress]:
    """By tenant, source and minute of the window's time: the highest time and how many."""
    seen = _Seen()
    names = ("company_id", "_source", plain_time(fold, window.time), *window.only)
    values = list(window.only.values())
    for frame in frames:
        for company, source, time, *own in zip(*(frame.get_column(name).to_list() for name in names), strict=True):
            if own == values:
                seen.note(company, source, time)
    return seen.progress(window)


def _rows_of(table: Table, delta: pl.DataFrame) -> Iterator[tuple[str, RowKey, Cells]]:
    """Rows of a delta as tenant, key and cells."""
    names, keys = [c.name for c in (*table.keys, *table.values)], len(table.keys)
    order = [name for rule in table.ends for name in rule.order]
    columns = [delta.get_column(name).to_list() for name in (*names, *order)]  # as rows of a frame they cost a plan
    for row in zip(*columns, strict=True):
        at, place = (row[len(names)], row[-1]) if order else (0, 0)
        yield row[0], row[1:keys], cells_of(table, row[keys : len(names)], at, place)
