"""The ports: what the domain needs from the outside, without saying who gives it.

Adapters implement them; `tests/contracts/` holds one suite a port, which every adapter must pass.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from domain.access.rights import Member
from domain.position import TopicPartition


@dataclass(frozen=True, slots=True)
class Record:
    """One record to be appended: which topic, the ordering key, the bytes, and metadata that brokers can see."""

    topic: str
    key: bytes
    value: bytes
    timestamp: int
    headers: Mapping[str, bytes] = field(default_factory=dict)


class Placed(NamedTuple):
    """Where an appended record lies. A tuple, which is cheaper to make than a dataclass: every record gets one."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive records of one partition as read: `offsets` and `values` are parallel and ascending.

    Offsets need not be dense. `next_offset` is where reading goes on; `appended_at` is when the last record was
    written to the log (ms since 1970 UTC), `head` the partition's next free offset as known when this was read.
    `taken`: how many records the log took when (ms), one pair after the other; empty where it took all of them at
    `appended_at`.
    """

    partition: int
    offsets: Sequence[int]
    values: Sequence[bytes]
    next_offset: int
    appended_at: int
    head: int
    taken: Sequence[tuple[int, int]] = ()


class LogReader(Protocol):
    """Reads one topic from given offsets; holds its own buffers and connection."""

    async def read(self, start: Mapping[int, int], *, max_records: int, wait: float) -> list[Chunk]:
        """Read what is there from `start` (partition → next offset), at most `max_records` in all.

        Returns at once when there is something, otherwise waits up to `wait` seconds and may return [].
        Raises Unavailable when the log does not answer, Defect when an offset is out of range (retention passed it).
        """
        ...

    async def close(self) -> None:
        """Give back what the reader holds."""
        ...


class Membership(Protocol):
    """This worker's place in a group of workers that share the partitions of some topics."""

    def assigned(self) -> frozenset[TopicPartition]:
        """The partitions owned now. May change at any await: what fences is the checkpoint's compare-and-set."""
        ...

    async def wait_changed(self, timeout: float) -> bool:  # noqa: ASYNC109 (a bound that is no error)
        """Wait until the assignment changes, at most `timeout` seconds; True if it did."""
        ...

    async def leave(self) -> None:
        """Give all partitions back at once, so that others need not wait for a time-out."""
        ...


class EventLog(Protocol):
    """The append-only event log. Topics are named without any prefix here; adapters add their own."""

    async def create_topics(self, partitions: Mapping[str, int]) -> None:
        """Create topics that are missing, with that many partitions; never changes an existing one.

        Raises Unavailable.
        """
        ...

    async def append(self, records: Sequence[Record]) -> list[Placed]:
        """Append and return the place of each record, in the order given, once all of them are durable.

        Records with the same topic and key keep their order, also between successive calls that do not overlap.
        Raises Unavailable if it is not known that all are durable (some may be: the caller repeats with the same
        event ids, and readers count them once), LimitExceeded for a record that the log can never take.
        """
        ...

    async def heads(self, topic: str) -> dict[int, int]:
        """Next free offset of every partition of the topic; every record below it is visible to readers.

        Raises NotFound for a topic that was not created, Unavailable; so does `starts`.
        """
        ...

    async def starts(self, topic: str) -> dict[int, int]:
        """First retained offset of every partition of the topic. Raises NotFound, Unavailable."""
        ...

    def reader(self, topic: str) -> LogReader:
        """A new reader of the topic."""
        ...

    async def join(self, group: str, topics: Sequence[str]) -> Membership:
        """Join a group of workers that share the partitions of these topics. Raises NotFound, Unavailable."""
        ...

    async def close(self) -> None:
        """Finish what is under way and close connections."""
        ...


Handler = Callable[[str, bytes], Awaitable[None]]


class Subscription(Protocol):
    """A running subscription of the live bus."""

    async def stop(self) -> None:
        """No more calls of the handler after this returns."""
        ...


class LiveBus(Protocol):
    """The fast, disposable bus. Nothing on it is relied on: the log can give all of it again."""

    async def publish(self, subject: str, data: bytes) -> None:
        """Send to whoever listens now. Raises Unavailable when not connected."""
        ...

    async def flush(self) -> None:
        """Return when the server has all that was published; raises Unavailable when it does not answer."""
        ...

    async def subscribe(self, subject: str, handler: Handler) -> Subscription:
        """Call `handler(subject, data)` for each message; `*` matches one token, `>` the rest.

        The handler is awaited one message at a time; a slow one loses the oldest messages, and that is counted. Raises
        Unavailable when the server does not take the subscription.
        """
        ...

    @property
    def connected(self) -> bool:
        """Whether the bus can take messages now."""
        ...

    @property
    def losses(self) -> int:
        """How often messages to this connection's subscriptions may have been lost; it only grows."""
        ...

    async def close(self) -> None:
        """Flush and close."""
        ...


class ReadStore(Protocol):
    """Read models for queries: parametrised SQL in, rows out, in one snapshot together with the position."""

    async def ask(self, company: str, projection: str, sql: str, params: Sequence[object]) -> Answer:
        """Run one SELECT over the tables of the projection's live version. `{name}` in `sql` stands for table `name`.

        The tables hold the rows of `company` alone, whatever the statement says: the store is a wall of its own.

        Raises Unavailable when the store does not answer, LimitExceeded when the statement takes too long.
        """
        ...


class PositionedStore(ReadStore, Protocol):
    """Read models that say where they stand."""

    async def checkpoints(self, projections: Sequence[str], company: str = "") -> Mapping[str, Checkpoint]:
        """Checkpoints of the live versions, by projection; those that are not stored yet are left out.

        With a company they say where its own rows were changed last.

        Raises Unavailable when the store does not answer.
        """
        ...


class LiveStore(PositionedStore, Protocol):
    """Read models that move."""

    def snapshot(self, company: str, member: Member | None = None) -> AbstractAsyncContextManager[PositionedStore]:
        """All that is asked of what this gives, of this company alone, is of one moment; a failure spoils nothing.

        Raises Unavailable when the store does not answer, LimitExceeded where the company asks too much at once.
        """
        ...


class AnswerTier(Protocol):
    """Keeps bytes under names, for as long as it likes."""

    async def get(self, name: str) -> bytes | None:
        """What is there under a name. Raises Unavailable."""
        ...

    async def put(self, name: str, value: bytes) -> None:
        """Keep it, unless it is too large. Raises Unavailable."""
        ...


class Consents(Protocol):
    """Who agreed to be compared with others: all that is read across tenants, and nothing of them but their ids."""

    async def agreed(self, tier: str, currency: str | None, most: int) -> Sequence[str]:
        """Ids of companies of the tier that agreed, of that currency where one is named; at most `most`.

        Of more than that always the same ones. Raises Unavailable when the store does not answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a projection's live version has folded; `as_of`, `complete` and `lag_ms` as of an `Answer`.

    `of_company`: where it last folded anything of the company that was asked about; `of_all`: of what is everybody's.
    While both stay the same so do the company's rows, whatever comes of others. `defaults`: a digest of what answers of
    other projections rest on of these rows; None where that is all of them.
    """

    version: int
    position: str
    as_of: int
    complete: bool
    lag_ms: int
    of_company: str = ""
    of_all: str = ""
    defaults: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows as tuples in the order of `columns`, with the position that they stand for.

    `as_of`: the moment (ms since 1970 UTC) at which the projector last confirmed this position; `complete`: whether
    that was the head of the log then; `lag_ms`: age of the oldest event not yet folded, 0 when complete.
    """

    columns: Sequence[str]
    rows: Sequence[tuple[object, ...]]
    position: str
    as_of: int
    complete: bool
    lag_ms: int
    definition_version: int
