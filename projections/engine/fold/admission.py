"""Admission: which events of the log count. Decided once for each record, recorded, and the same for every projection.

An event is set aside when it breaks a rule of `domain.events.validation`, and left out when it was admitted before: for
stamped events (our publisher's) by the highest sequence of the company's producer in the partition, for foreign ones by
identity. What has the identity of an event that says otherwise is set aside.
A repeat lies in the partition of what it repeats, so a replay decides alike; of two events that contradict each other
under one id the one that is admitted first counts. Because each decision is recorded, a rebuild need not decide again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cache
from typing import cast

import numpy as np
import polars as pl
import polars.selectors as cs
import pyarrow as pa
from common.envelope_pb2 import AuthToken
from google.protobuf.message import DecodeError

from domain.events.catalogue import BATCHES, BY_NAME, CATALOGUE, LATEST, EventType
from domain.events.problems import Code, Problem
from domain.events.record_runs import RunRecords
from domain.events.upcasting import upcast_bytes
from domain.events.validation import judge
from domain.ports import Chunk
from eventlog.columns import ENVELOPE_FIELDS, array_of, decode_envelopes, fault
from eventlog.intake.event_tokens import EventTokens, ended, without_signatures
from projections.engine.fold.decode import DecodedFacts, ahead, decode_facts, order_column, suspect_envelopes
from projections.engine.fold.identities import Identities
from projections.engine.store.port import Admitted, BadEvent, Highest

TO_DECIDE = (*ENVELOPE_FIELDS, "service_source")
WITH_TOKEN = (*TO_DECIDE, "auth_token")
OF_FACTS = ("company_id", "user_id", "timestamp", "event_id", "first_taken_at", "_row")
ONLY_TO_PLACE = ("first_taken_at", "_row")  # of facts: no fold looks at them, and a batch is as large as its columns
PLAIN_FIELDS = ("message_type", "company_id", "payload", "timestamp")  # without texts of each event

OF_ALL = ""  # the company of what was stored before stamps were of companies
NOTHING = b"\xff"  # what no decoder takes

logger = logging.getLogger(__name__)

Reads = Mapping[str, Set[str]]  # fields of facts, of payload and envelope, by event type: what somebody looks at


@dataclass(frozen=True, slots=True)
class Records:
    """The records of one read, flat: parallel values and positions, partition by partition in offset order."""

    values: pa.Array
    partitions: np.ndarray
    offsets: np.ndarray
    append_times: np.ndarray  # when the log took each (ms); `LATEST` where that is not known

    @classmethod
    def of(cls, chunks: Sequence[Chunk], without: Set[tuple[int, int]] = frozenset()) -> Records:
        """The records of these chunks, less those at the given (partition, offset)."""
        values = array_of(RunRecords(run for c in chunks for run in RunRecords.of(c.values).runs))
        partitions = np.repeat(np.array([c.partition for c in chunks], np.int64), [len(c.values) for c in chunks])
        offsets = np.concatenate([_numbers(c.offsets) for c in chunks] or [np.empty(0, np.int64)])
        append_times = np.concatenate([taken_times(c) for c in chunks] or [np.empty(0, np.int64)])
        if without:
            keep = np.ones(len(offsets), np.bool_)
            for partition in {p for p, _ in without}:
                out = [offset for p, offset in without if p == partition]
                keep &= (partitions != partition) | ~np.isin(offsets, out)
            values = values.take(pl.Series(np.flatnonzero(keep)).to_arrow())
            partitions, offsets, append_times = partitions[keep], offsets[keep], append_times[keep]
        return cls(values, partitions, offsets, append_times)

    def value(self, row: int) -> bytes:
        """The bytes of a record."""
        return cast(bytes, self.values[row].as_py())

    def at(self, row: int) -> tuple[int, int]:
        """(partition, offset) of a record."""
        return int(self.partitions[row]), int(self.offsets[row])


def taken_times(chunk: Chunk) -> np.ndarray:
    """When the log took each record of a chunk, which may have been cut since it was read."""
    counts, times = zip(*chunk.taken or [(len(chunk.values), chunk.appended_at or LATEST)], strict=True)
    return np.repeat(np.array(times, np.int64), counts)[: len(chunk.values)]


def _numbers(offsets: Sequence[int]) -> np.ndarray:
    """Offsets as an array; a range is not walked through."""
    if isinstance(offsets, range):
        return np.arange(offsets.start, offsets.stop, offsets.step, dtype=np.int64)
    return np.asarray(offsets, np.int64)


Facts = Mapping[str, pl.DataFrame]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A batch as columns: envelopes, facts by event type (their `_row` points into the records), and the doubtful."""

    envelopes: pl.DataFrame
    facts: dict[str, list[pl.DataFrame]]
    undecodable: set[int]
    suspects: set[int]


def decode(topic: str, records: Records, fields: tuple[str, ...] = ENVELOPE_FIELDS) -> Decoded:
    """Decode envelopes, then the payloads of each message type that the topic carries."""
    envelopes, bad = decode_envelopes(records.values, fields)
    undecodable = set(bad)
    facts: dict[str, list[pl.DataFrame]] = {}
    suspect = envelopes.select(_suspect(topic)).to_series()
    suspects = set(envelopes.get_column("_row").filter(suspect).to_list())
    suspects |= ahead(envelopes, ("timestamp",), records.append_times)
    for event, decoded, group in _payloads(topic, envelopes):
        rows = group.get_column("_row").to_list()
        undecodable.update(rows[i] for i in decoded.bad)
        suspects.update(rows[i] for i in decoded.suspects)
        placed = _placed(decoded, group)
        suspects |= ahead(placed, [name for name in event.times if name not in event.ahead], records.append_times)
        facts.setdefault(event.name, []).append(placed)
    return Decoded(envelopes, facts, undecodable, suspects)


def _payloads(
    topic: str, envelopes: pl.DataFrame, reads: Reads | None = None
) -> Iterable[tuple[EventType, DecodedFacts, pl.DataFrame]]:
    """Decoded payloads by message type of the topic (of what is in `reads` alone), beside their envelopes."""
    for group in _by_type(envelopes):
        message_type = group.item(0, "message_type")
        event = BY_NAME.get(message_type) or BATCHES.get(message_type)
        if event is not None and event.stream == topic and (reads is None or event.name in reads):
            batch = message_type in BATCHES
            payloads = group.get_column("payload") if event.schema_version == 1 else _upcast(event, group, batch=batch)
            fields = None if reads is None else reads[event.name]
            yield event, decode_facts(event, batch=batch, payloads=payloads, fields=fields), group


def _by_type(envelopes: pl.DataFrame) -> Sequence[pl.DataFrame]:
    """Envelopes of one message type each; all of one type, which is common, are found with a look."""
    types = envelopes.get_column("message_type")
    if len(types) and bool((types == types[0]).all()):
        return (envelopes,)
    return envelopes.partition_by("message_type", maintain_order=True)


def _upcast(event: EventType, group: pl.DataFrame, *, batch: bool) -> pl.Series:
    """Payloads in the newest schema; only those of older ones are touched."""
    columns, newest = (group.get_column("payload"), group.get_column("schema_version")), event.schema_version
    read = [p if v >= newest else upcast_bytes(event, p, v, batch=batch) for p, v in zip(*columns, strict=True)]
    return pl.Series(read, dtype=pl.Binary)


@cache
def _suspect(topic: str) -> pl.Expr:
    types = [name for t in CATALOGUE if t.stream == topic for name in (t.name, t.batch_name)]
    users = [name for t in CATALOGUE if t.of_user for name in (t.name, t.batch_name)]
    newest = {name: t.schema_version for t in CATALOGUE if t.schema_version > 1 for name in (t.name, t.batch_name)}
    version = pl.col("message_type").replace_strict(newest, default=1) if newest else pl.lit(1)
    return suspect_envelopes(types, users, version)


def _placed(decoded: DecodedFacts, envelopes: pl.DataFrame) -> pl.DataFrame:
    """Facts with the columns of their envelopes; `_row` becomes the index of the record."""
    outer = envelopes.select(cs.by_name(*OF_FACTS, require_all=False))
    rows = decoded.facts.drop_in_place("_row")
    if not np.array_equal(rows, np.arange(outer.height)):  # as many do not suffice: a batch may hold none, others two
        outer = outer[rows]
    return decoded.facts.hstack(outer)


class Admission:
    """Decides for one topic; remembers what its decisions depend on beyond the store: the batches not yet stored.

    `earlier`: the store has identities of the release that had another form of them.
    """

    def __init__(
        self,
        topic: str,
        admitted_before: Callable[[Sequence[bytes]], Mapping[bytes, int | None]],
        highest: Highest,
        tokens: EventTokens | None = None,
        *,
        earlier: bool = False,
    ) -> None:
        self._topic = topic
        self._tokens = tokens
        self._identities = Identities(topic, admitted_before, earlier=earlier)
        self._highest = dict(highest)

    def decide(self, records: Records) -> tuple[Facts, Admitted]:
        """Admit, set aside or leave out each record; the facts returned are those of admitted events alone.

        Raises Unavailable while nobody can say whether a token is good.
        """
        decoded = self._decoded(records)
        quarantined = list(self._bad_events(records, decoded))
        quarantined += self._with_bad_token(records, decoded, {int(r) for r in _rows_at(records, quarantined)})
        rejected = {int(r) for r in _rows_at(records, quarantined)}
        good = decoded.envelopes if not rejected else decoded.envelopes.filter(~pl.col("_row").is_in(list(rejected)))
        stamped = good.select((pl.col("producer_id") != "") & (pl.col("producer_seq") > 0)).to_series()
        foreign, good = good.filter(~stamped), good.drop("payload")
        repeated, highest = self._repeated_stamps(good.filter(stamped), records)
        identities, more, contradicting = self._identities.decide(
            foreign, records.partitions, records.offsets, records.value
        )
        repeated |= more
        rejected |= contradicting.keys()
        quarantined += contradicting.values()
        good = good.filter(~pl.col("_row").is_in(list(contradicting))) if contradicting else good
        facts = finish(decoded.facts, records, rejected | repeated)
        return facts, Admitted(
            admitted=len(records.values) - len(rejected) - len(repeated),
            duplicates=sorted(records.at(r) for r in repeated),
            quarantined=_with_times(quarantined, records),
            identities=identities,
            highest=highest,
            tenants=_ends_of_tenants(good.filter(~pl.col("_row").is_in(list(repeated))) if repeated else good, records),
        )

    def _decoded(self, records: Records) -> Decoded:
        """The records as columns. Those with which that fails, found by halving, count as undecodable."""
        fields = TO_DECIDE if self._tokens is None else WITH_TOKEN
        try:
            return decode(self._topic, records, fields)
        except BaseException as error:
            fault(error)
        failing = _failing(lambda part: decode(self._topic, part, fields), records, 0, len(records.values))
        logger.error("no columns can be made of the records at %s", [records.at(row) for row in failing])
        values = [NOTHING if row in failing else records.value(row) for row in range(len(records.values))]
        return decode(self._topic, replace(records, values=array_of(values)), fields)

    def stored(self, admitted: Admitted) -> None:
        """The decisions are in the store now and need not be remembered here."""
        self._identities.stored(admitted.identities)

    def _bad_events(self, records: Records, decoded: Decoded) -> Iterable[BadEvent]:
        doubtful = sorted(decoded.suspects | decoded.undecodable)
        outer = {e["_row"]: e for e in _rows_of(decoded.envelopes, doubtful).iter_rows(named=True)}
        for row in doubtful:
            problem = _problem(records.value(row), self._topic, int(records.append_times[row]))
            if problem is None and row in decoded.undecodable:
                problem = Problem(Code.UNDECODABLE, "the bytes are no envelope with a payload of its message_type")
            if problem is None:
                continue
            code, reason, item = problem
            partition, offset = records.at(row)
            envelope = outer.get(row, {})
            company, event_id = envelope.get("company_id", ""), envelope.get("event_id", "")
            yield BadEvent(
                partition, offset, item, code, reason, company, event_id, without_signatures(records.value(row))
            )

    def _with_bad_token(self, records: Records, decoded: Decoded, bad: Set[int]) -> Iterable[BadEvent]:
        """Events whose token is no good. It is judged by the event's own time: that of a replay would decide otherwise.

        What came through a door was checked there; this is for producers that write to the log themselves.
        """
        if self._tokens is None:
            return
        frame = decoded.envelopes.filter(pl.col("auth_token").bin.size() > 0)
        verdicts: dict[tuple[bytes, str], float | Problem] = {}
        columns = frame.select("_row", "auth_token", "company_id", "event_id", "timestamp")
        for row, token, company, event_id, timestamp in columns.iter_rows():
            if row in bad:
                continue
            if (token, company) not in verdicts:
                verdicts[token, company] = self._tokens.verdict(_text_of(token), company)
            problem = ended(verdicts[token, company], timestamp / 1000)
            if problem is not None:
                raw = without_signatures(records.value(row))
                yield BadEvent(*records.at(row), None, problem.code, problem.reason, company, event_id, raw)

    def _repeated_stamps(self, stamped: pl.DataFrame, records: Records) -> tuple[set[int], Highest]:
        """Rows whose sequence is not above all earlier ones of their company, producer and partition; the new highest
        ones.
        """
        if stamped.is_empty():
            return set(), {}
        partitions = pl.Series("partition", records.partitions[stamped.get_column("_row").to_numpy()])
        producers = stamped.hstack([partitions]).group_by("partition", "company_id", "producer_id")
        repeated, highest = set[int](), dict[tuple[int, str, str], int]()
        for partition, company, producer, rows, sequences in producers.agg("_row", "producer_seq").iter_rows():
            before = max(self._highest.get((partition, c, producer), 0) for c in (company, OF_ALL))
            earlier = np.maximum.accumulate([before, *sequences])
            repeated.update(np.array(rows)[np.array(sequences) <= earlier[:-1]].tolist())
            if earlier[-1] > before:
                highest[partition, company, producer] = int(earlier[-1])
        self._highest.update(highest)
        return repeated, highest


def _with_times(bad: Sequence[BadEvent], records: Records) -> list[BadEvent]:
    """With when the log took them."""
    places = zip(records.partitions.tolist(), records.offsets.tolist(), strict=True) if bad else ()
    times = dict(zip(places, records.append_times.tolist(), strict=False))
    return [replace(each, taken_at=times[each.partition, each.offset]) for each in bad]


def _ends_of_tenants(envelopes: pl.DataFrame, records: Records) -> dict[tuple[int, str], int]:
    """Behind the last event of each company, by (partition, company_id)."""
    rows = envelopes.get_column("_row").to_numpy()
    companies = envelopes.get_column("company_id").to_list()
    places = zip(records.partitions[rows].tolist(), companies, records.offsets[rows].tolist(), strict=True)
    return {(partition, company): offset + 1 for partition, company, offset in places}  # the last one counts


def _failing(call: Callable[[Records], object], records: Records, start: int, stop: int) -> set[int]:
    """The rows in [start, stop) with which a call fails."""
    part = slice(start, stop)
    values = array_of(records.values[part].to_pylist())
    try:
        call(Records(values, records.partitions[part], records.offsets[part], records.append_times[part]))
    except BaseException as error:
        fault(error)
    else:
        return set()
    if stop - start == 1:
        return {start}
    middle = (start + stop) // 2
    return _failing(call, records, start, middle) | _failing(call, records, middle, stop)


def _problem(value: bytes, topic: str, taken_at: int) -> Problem | None:
    try:
        return judge(value, topic, taken_at)
    except Exception as error:  # whatever it is, it is about this event alone
        return Problem(Code.UNDECODABLE, f"it cannot be judged: {type(error).__name__}: {error}")


def _text_of(token: bytes) -> str:
    try:
        return AuthToken.FromString(token).token
    except DecodeError:
        return ""  # which no verifier takes


def _rows_of(frame: pl.DataFrame, rows: Sequence[int]) -> pl.DataFrame:
    return frame.filter(pl.col("_row").is_in(list(rows))) if rows else frame.clear()


def _rows_at(records: Records, bad: Sequence[BadEvent]) -> Iterable[int]:
    places = {(b.partition, b.offset) for b in bad}
    if not places:
        return ()
    pairs = zip(records.partitions.tolist(), records.offsets.tolist(), strict=True)
    return [row for row, at in enumerate(pairs) if at in places]


def finish(facts: Mapping[str, list[pl.DataFrame]], records: Records, without: Set[int]) -> Facts:
    """Facts ready to fold: less those of some rows, with the order columns `_at` (ms) and `_seq` (log position); those
    that can be reported again with `_appended`, too: when they were first taken (ms).
    """
    order, taken_at, finished = order_column(records.partitions, records.offsets), records.append_times, {}
    for name, frames in facts.items():
        frame = pl.concat(frames, rechunk=False) if len(frames) > 1 else frames[0]
        if without:
            frame = frame.filter(~pl.col("_row").is_in(list(without)))
        if frame.height:
            rows = frame.get_column("_row").to_numpy()
            places = order[rows] + frame.get_column("_item").to_numpy()
            columns = {"_seq": places}
            if BY_NAME[name].identity:
                first = frame.get_column("first_taken_at").to_numpy()
                columns["_appended"] = np.where(first > 0, np.minimum(first, taken_at[rows]), taken_at[rows])
            placed = [frame["timestamp"].alias("_at"), *map(pl.Series, columns, columns.values())]
            finished[name] = frame.drop(ONLY_TO_PLACE, strict=False).hstack(placed)
    return finished


def readmit(topic: str, chunks: Sequence[Chunk], set_aside: Set[tuple[int, int]], reads: Reads | None = None) -> Facts:
    """Facts of records that were admitted before, for projections that catch up; with what is in `reads` alone."""
    records = Records.of(chunks, without=set_aside)
    return finish(_facts(topic, records, reads), records, frozenset()) if len(records.values) else {}


def _facts(topic: str, records: Records, reads: Reads | None) -> dict[str, list[pl.DataFrame]]:
    envelopes, _ = decode_envelopes(records.values, _envelope_fields(topic, reads))
    facts: dict[str, list[pl.DataFrame]] = {}
    for event, decoded, group in _payloads(topic, envelopes, reads):
        facts.setdefault(event.name, []).append(_placed(decoded, group))
    return facts


def _envelope_fields(topic: str, reads: Reads | None) -> tuple[str, ...]:
    """What to decode of the envelopes: of texts that differ in each of them, only those that somebody looks at; the
    version of the payload where there is more than one; when an event was first taken where reports are ordered by it.
    """
    if reads is None:
        return ENVELOPE_FIELDS
    read = [BY_NAME[name] for name in reads if BY_NAME[name].stream == topic]
    names = frozenset[str]().union(*(reads[event.name] for event in read))
    versions = ("schema_version",) if any(event.schema_version > 1 for event in read) else ()
    repaired = ("first_taken_at",) if any(event.identity for event in read) else ()
    return (*PLAIN_FIELDS, *versions, *repaired, *(name for name in ("user_id", "event_id") if name in names))
