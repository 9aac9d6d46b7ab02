"""What one step of a projector hands to the store: rows, positions and set-aside events, to be committed together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from domain.errors import Defect
from projections.engine.declare import Fact, OrderedFold, Projection, Table
from projections.engine.failure import Culprit, Failure, Heartbeat, TopicBeat

Offsets = Mapping[int, int]


class FoldFailed(Defect):
    """A fold, or storing what it gave, failed on good events: that projection's code is wrong.

    `culprit`: the event with which it fails, where that is known.
    """

    def __init__(
        self, projection: Projection, error: Exception, culprit: Culprit | None = None, code: str = "fold_failed"
    ) -> None:
        name = f"{projection.name} v{projection.version}"
        super().__init__(f"{name} failed: {type(error).__name__}: {error}", code=code)
        self.projection = projection
        self.culprit = culprit


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one table as CSV in the order of `sql.stored_columns`, one a key; those of a live batch sorted by key."""

    table: Table
    csv: bytes
    count: int


@dataclass(frozen=True, slots=True)
class OrderedFacts:
    """Facts of one ordered fold, by key in log order."""

    fold: OrderedFold
    facts: Mapping[tuple[str, ...], Sequence[Fact]]


@dataclass(frozen=True, slots=True)
class Folded:
    """One projection's share of a batch."""

    projection: Projection
    rows: Sequence[Rows]
    ordered: Sequence[OrderedFacts]


@dataclass(frozen=True, slots=True)
class BadEvent:
    """An event that admission set aside: where it lies, what is wrong, its bytes."""

    partition: int
    offset: int
    item: int | None
    code: str
    reason: str
    company_id: str
    event_id: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Admitted:
    """Admission's decisions on a batch of one topic: recorded once, the same for every projection and for ever."""

    admitted: int
    duplicates: Sequence[tuple[int, int]] = ()
    quarantined: Sequence[BadEvent] = ()
    identities: Sequence[tuple[bytes, int, int]] = ()
    highest: Mapping[tuple[int, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Commit:
    """One transaction: positions move from `expected` to `reached` and the rows with them, or nothing happens.

    `admitted` is None when the batch was admitted before (a projection catching up). `size` is what its facts take as
    columns, in bytes. `heads` and `appended_at`
    (ms) tell how far the log was when the batch was read; `now` when it was folded (ms).
    """

    topic: str
    expected: Offsets
    reached: Offsets
    heads: Offsets
    appended_at: Offsets
    events: int
    size: int
    now: int
    folded: Sequence[Folded]
    admitted: Admitted | None


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

    def highest(self, topic: str, partitions: Sequence[int]) -> dict[tuple[int, str], int]:
        """Highest sequence admitted of every producer, by (partition, producer_id)."""
        ...

    def known(self, identities: Sequence[bytes]) -> set[bytes]:
        """Which of these identities were admitted before."""
        ...

    def set_aside(self, topic: str, ranges: Mapping[int, tuple[int, int]]) -> set[tuple[int, int]]:
        """(partition, offset) of duplicates and quarantined events in these ranges (from inclusive, to exclusive)."""
        ...

    def commit(self, commit: Commit) -> None:
        """All of it in one transaction. Raises Fenced, with nothing written, when a position is not as expected."""
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

    def close(self) -> None:
        """Give back what is open; the next call opens it again."""
        ...

    def statuses(self) -> list[ProjectionStatus]:
        """The stored state of every projection version that is in use."""
        ...

    def checksum(self, projection: Projection) -> Checksum:
        """Checksum of all tables of the projection, with the position that it stands for, in one snapshot."""
        ...
