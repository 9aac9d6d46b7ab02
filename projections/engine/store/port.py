"""What one step of a projector hands to the store: rows, positions and set-aside events, to be committed together."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, Protocol

from domain.errors import Defect, Unavailable
from domain.events.problems import Code
from domain.ports import Chunk
from projections.engine.declare.projection import Fact, Ledger, OrderedFold, Projection
from projections.engine.declare.rows import Table
from projections.engine.project.failure import Culprit, Failure, Heartbeat, TopicBeat

if TYPE_CHECKING:  # API processes come by here, and should not load it
    import polars as pl

Offsets = Mapping[int, int]
Places = Set[tuple[int, int]]  # (partition, offset)
Highest = Mapping[tuple[int, str, str], int]  # sequence, by (partition, company_id, producer_id)


class FoldFailed(Defect):
    """A fold, or storing what it gave, failed on good events: a few, or the projection's code is wrong.

    `culprit`: the event with which it fails, where that is known. `cause`: what was raised.
    """

    def __init__(
        self,
        projection: Projection,
        cause: BaseException,
        culprit: Culprit | None = None,
        code: str = Code.FOLD_FAILED,
    ) -> None:
        name = f"{projection.name} v{projection.version}"
        super().__init__(f"{name} failed: {type(cause).__name__}: {cause}", code=code)
        self.projection = projection
        self.cause = cause
        self.culprit = culprit


class Interrupted(Unavailable):
    """The store began with what it was given and gave up; where it does so again and again, that may be the reason.

    `culprit`: where what it was given begins, while the server answers; the event, if it is a single one.
    """

    culprit: Culprit | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one table as CSV in the order of `sql.stored_columns`, one a key; those of a live batch sorted by key.

    `delta`: the same as columns.
    """

    table: Table
    csv: bytes
    count: int
    delta: pl.DataFrame = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class OrderedFacts:
    """Facts of one ordered fold, by key in log order."""

    fold: OrderedFold
    facts: Mapping[tuple[str, ...], Sequence[Fact]]


@dataclass(frozen=True, slots=True)
class Reports:
    """Reports of a ledger, as rows of it: the last of each fact, which counts in other rows, and those it replaces."""

    ledger: Ledger
    last: Rows
    replaced: Rows


@dataclass(frozen=True, slots=True)
class Changes:
    """What facts come to: rows that are merged, facts of ordered folds, reports of what can be reported again."""

    rows: Sequence[Rows] = ()
    ordered: Sequence[OrderedFacts] = ()
    reports: Sequence[Reports] = ()

    def of(self, part: Projection) -> Changes:
        """What of it belongs to a part of the projection, whose ledgers count in the tables of that part alone."""
        ledgers = {ledger.into: ledger for ledger in part.ledgers}
        return Changes(
            [r for r in self.rows if r.table in part.tables],
            [o for o in self.ordered if o.fold in part.ordered],
            [replace(r, ledger=ledgers[r.ledger.into]) for r in self.reports if r.ledger.into in ledgers],
        )


@dataclass(frozen=True, slots=True)
class Folded:
    """One projection's share of a batch: its facts and what they come to, or the error with which its folds failed."""

    projection: Projection
    facts: Mapping[str, pl.DataFrame]
    changes: Changes = field(default_factory=Changes)
    error: FoldFailed | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event that a projection's fold or table refuses; for others it may be good. `code`, `reason`: why."""

    projection: Projection
    partition: int
    offset: int
    code: str
    reason: str
    company_id: str
    event_id: str


class Aside(NamedTuple):
    """What is not folded of some ranges of a topic.

    `everywhere`: duplicates and what is quarantined for all; `refused`: the rest, by projection and its definition.
    """

    everywhere: Places
    refused: Mapping[tuple[str, int], Places]

    def of(self, projection: Projection) -> Places:
        """What this projection alone leaves out."""
        return self.refused.get((projection.name, projection.definition_version), frozenset())


@dataclass(frozen=True, slots=True)
class BadEvent:
    """An event that admission set aside: where it lies, what is wrong, its bytes, when the log took it (ms)."""

    partition: int
    offset: int
    item: int | None
    code: str
    reason: str
    company_id: str
    event_id: str
    raw: bytes
    taken_at: int = 0


class Identified(NamedTuple):
    """An admitted event that no publisher stamped: its identity (16 bytes), its content (64 bits), where it lies."""

    identity: bytes
    content: int
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Admitted:
    """Admission's decisions on a batch of one topic: recorded once, the same for every projection and for ever.

    `tenants`: where the last admitted event of each company ends, by (partition, company_id).
    """

    admitted: int
    duplicates: Sequence[tuple[int, int]] = ()
    quarantined: Sequence[BadEvent] = ()
    identities: Sequence[Identified] = ()
    highest: Highest = field(default_factory=dict)
    tenants: Mapping[tuple[int, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Commit:
    """One transaction: positions move from `expected` to `reached` and the rows with them, or nothing happens.

    `admitted` is None when the batch was admitted before (a projection catching up). `chunks` are its records, `size`
    is what its facts take as columns, in bytes; `now` when it was folded (ms).
    """

    topic: str
    expected: Offsets
    chunks: Sequence[Chunk]
    events: int
    size: int
    now: int
    folded: Sequence[Folded]
    admitted: Admitted | None

    @property
    def reached(self) -> Offsets:
        """Where the positions are afterwards."""
        return {c.partition: c.next_offset for c in self.chunks}

    @property
    def heads(self) -> Offsets:
        """Where the log ended when the batch was read."""
        return {c.partition: c.head for c in self.chunks}

    @property
    def left(self) -> bool:
        """Whether the log had more when the batch was read."""
        return any(c.head > c.next_offset for c in self.chunks)

    @property
    def appended_at(self) -> Offsets:
        """When the last record of each partition was appended (ms)."""
        return {c.partition: c.appended_at for c in self.chunks}


def record_at(chunks: Sequence[Chunk], partition: int, offset: int) -> bytes:
    """The record at a place that lies in these chunks."""
    chunk = next(c for c in chunks if c.partition == partition)
    return chunk.values[bisect_left(chunk.offsets, offset)]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where admission and every stored (projection, version) stand in one topic, for the partitions asked for."""

    admission: Offsets
    projections: Mapping[tuple[str, int], Offsets]


@dataclass(frozen=True, slots=True)
class ProjectionStatus:
    """One stored version's state: `rate` in events/s, times in ms since 1970 UTC.

    `error`, `failure`: why it stopped, as one line and classified. `live`: whether readers see this version.
    """

    name: str
    version: int
    state: str
    offsets: Mapping[tuple[str, int], int]
    confirmed_at: int
    appended_at: int
    rate: float
    error: str | None
    live: bool = True
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Checksum:
    """Canonical checksum of all tables of a projection at a position: equal states give equal checksums."""

    name: str
    version: int
    position: str
    rows: int
    checksum: str


class ProjectionStore(Protocol):
    """Where rows and positions are kept. Blocking calls: the projector makes them in a thread of their own.

    Every method raises Unavailable when the store does not answer.
    """

    def prepare(self, projections: Sequence[Projection]) -> None:
        """Store projections that never were, as live, at their declared versions. Raises Defect on another shape."""
        ...

    def progress(self, topic: str, partitions: Sequence[int], projections: Sequence[Projection]) -> Progress:
        """Stored offsets of admission and of the projections."""
        ...

    def running(self, projections: Sequence[Projection]) -> list[Projection]:
        """Stored versions of these projections that are neither paused nor stopped and have the declared shape."""
        ...

    def highest(self, topic: str, partitions: Sequence[int]) -> Highest:
        """Highest sequence admitted of every producer; with an empty company it holds for all of them."""
        ...

    def admitted_before(self, identities: Sequence[bytes]) -> Mapping[bytes, int | None]:
        """Which of these identities were admitted before, with the content that each has; those of an earlier release
        have None.
        """
        ...

    def has_earlier_identities(self) -> bool:
        """Whether there are identities of the release that had another form of them."""
        ...

    def set_aside(self, topic: str, ranges: Mapping[int, tuple[int, int]]) -> Aside:
        """What is not folded of these ranges (from inclusive, to exclusive)."""
        ...

    def commit(self, commit: Commit) -> Sequence[Refusal]:
        """All of it in one transaction but the events that a projection refuses, which are set aside for it.

        Raises Fenced, with nothing written, when a position is not as expected, or another worker has admitted one of
        the identities meanwhile; FoldFailed, with nothing written, when a projection refuses too many.
        """
        ...

    def confirm(self, topic: str, heads: Offsets, now: int) -> None:
        """Note that projections which stand at these heads were up to date at `now`."""
        ...

    def stop(self, projection: Projection, failure: Failure) -> None:
        """Mark a stored version stopped, with the reason; it does not run again until resumed."""
        ...

    def beat(self, worker: str, topics: Mapping[str, TopicBeat]) -> None:
        """Note that a worker is there now, and how it is with its topics."""
        ...

    def forget(self, worker: str) -> None:
        """A worker has left as it should."""
        ...

    def heartbeats(self) -> list[Heartbeat]:
        """Workers that were heard of lately, by name."""
        ...

    def pause(self, projection: str) -> None:
        """Let a projection rest where it stands, until it is resumed."""
        ...

    def resume(self, projection: str) -> None:
        """Let a paused or stopped projection run again, from its checkpoint."""
        ...

    def answers(self) -> bool:
        """Whether the server takes connections and statements at all."""
        ...

    def close(self) -> None:
        """Give back what is open; the next call opens it again."""
        ...

    def statuses(self) -> list[ProjectionStatus]:
        """The stored state of every projection version that is in use."""
        ...

    def checksum(self, projection: Projection) -> Checksum:
        """Checksum of all tables of the projection, with the position that it stands for, in one snapshot."""
        ...
