"""Searching the log: what is wanted, what a block of the log is known to hold, and what a search had to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from common.envelope_pb2 import AnalyticsProcessingEnvelope
from google.protobuf.message import DecodeError

from domain.access.rights import EVERY_COMPANY
from domain.ports import Placed
from domain.position import Position

# beyond any timestamp: an auditor must find events with absurd times, too
ALWAYS, NEVER = -(2**63), 2**63


@dataclass(frozen=True, slots=True)
class Criteria:
    """What wanted events have in common; empty members let everything through, all that are set must match.

    Event time lies in [from_time, to_time), ms since 1970 UTC. `users`: of one of these users.
    """

    company_id: str = EVERY_COMPANY
    event_id: str = ""
    user_id: str = ""
    correlation_id: str = ""
    causation_id: str = ""
    message_types: frozenset[str] = frozenset()
    from_time: int = ALWAYS
    to_time: int = NEVER
    users: frozenset[str] = frozenset()

    @property
    def company(self) -> str:
        """The only company wanted; empty for all."""
        return "" if self.company_id == EVERY_COMPANY else self.company_id

    @property
    def filtered(self) -> tuple[bytes, ...]:
        """What is wanted of a block's filter: ids of the only company wanted, or of any."""
        return tuple(filter_key(self.company.encode(), text) for text in self._identities)

    @property
    def own(self) -> bytes:
        """What stands in the bytes of every envelope of the only company wanted; empty for all."""
        return self.company.encode()

    def needles(self) -> tuple[bytes, ...]:
        """Texts that stand somewhere in every wanted envelope's bytes: they spare most parsing."""
        return (*self._identities, *((self.own,) if self.company else ()))

    @property
    def _identities(self) -> tuple[bytes, ...]:
        ids = (self.event_id, self.correlation_id, self.causation_id, self.user_id)
        return tuple(text.encode() for text in ids if text)

    def envelope(self, value: bytes) -> AnalyticsProcessingEnvelope | None:
        """The envelope, if it is wanted. Bytes that are no envelope belong to no tenant and are never wanted."""
        try:
            envelope = AnalyticsProcessingEnvelope.FromString(value)
        except DecodeError:
            return None
        criteria = (
            self.company_id in (EVERY_COMPANY, envelope.company_id)
            and self.event_id in ("", envelope.event_id)
            and self.user_id in ("", envelope.user_id)
            and (not self.users or envelope.user_id in self.users)
            and self.correlation_id in ("", envelope.correlation_id)
            and self.causation_id in ("", envelope.causation_id)
            and (not self.message_types or envelope.message_type in self.message_types)
            and self.from_time <= envelope.timestamp < self.to_time
        )
        return envelope if criteria else None


def filter_key(company: bytes, text: bytes) -> bytes:
    """What stands for an id in a block's filter; with its company, so that nobody's search depends on others' ids."""
    return company + b"\0" + text if company else text


@dataclass(frozen=True, slots=True)
class BlockSummary:
    """What the records in [first_offset, next_offset) of a partition hold.

    `size` in bytes; `min_time`, `max_time` are event times (None where nothing is an envelope), `appended_at` is when
    the last record was written, all in ms since 1970 UTC. `companies` and `types` are None where they are too many to
    list. `identities` is a Bloom filter of event, user, correlation and causation ids, each by itself and with its
    company (`filter_key`).
    """

    topic: str
    partition: int
    first_offset: int
    next_offset: int
    records: int
    size: int
    min_time: int | None
    max_time: int | None
    appended_at: int
    companies: Sequence[str] | None
    types: Sequence[str] | None
    identities: bytes


@dataclass(frozen=True, slots=True)
class Skips:
    """What the index says of a range of a partition: `ranges` [first, next) hold nothing wanted, ascending.

    `blocks` is how many blocks the index knows there that may hold something of the company wanted, `skipped` how many
    of them are in `ranges`, `indexed_until` the end of the last block (0 where it knows none). What the index does not
    know is to be read.
    """

    ranges: Sequence[tuple[int, int]] = ()
    blocks: int = 0
    skipped: int = 0
    indexed_until: int = 0


class EventIndex(Protocol):
    """The sparse index of the log. It is disposable: without it searches read everything and find the same."""

    async def skips(self, topic: str, ranges: Mapping[int, tuple[int, int]], criteria: Criteria) -> Mapping[int, Skips]:
        """What need not be read in these ranges [from, to) of the topic's partitions. Raises Unavailable."""
        ...

    async def reached(self, topic: str, starts: Mapping[int, int]) -> Position:
        """Up to where each partition is indexed without a hole, from these offsets on. Raises Unavailable."""
        ...

    async def add(self, summary: BlockSummary) -> None:
        """Keep the summary of a block, instead of what was known of one that began at the same offset."""
        ...

    async def forget(self, topic: str, bounds: Mapping[int, tuple[int, int]]) -> None:
        """Drop blocks that are not wholly within these bounds [first retained, head) of the partitions."""
        ...


@dataclass(frozen=True, slots=True)
class Decision:
    """What the projector made of an event: waiting, admitted, duplicate or quarantined, with (code, reason) if bad."""

    outcome: str
    reasons: Sequence[tuple[str, str]] = ()


class Decisions(Protocol):
    """The projector's decisions on events."""

    async def of(self, place: Placed) -> Decision:
        """The decision on the event that lies there. Raises Unavailable."""
        ...


@dataclass(slots=True)
class Scanned:
    """What a search looked at: blocks that the index knew and those it ruled out, and records that were read.

    `unindexed_records` are those of `records` that lie after the end of the index. All of them count what holds the
    company that is asked about: figures of the whole log would tell what other tenants have.
    """

    blocks: int = 0
    blocks_skipped: int = 0
    records: int = 0
    unindexed_records: int = 0

    def add(self, other: Scanned) -> None:
        """Count what another search looked at, too."""
        self.blocks += other.blocks
        self.blocks_skipped += other.blocks_skipped
        self.records += other.records
        self.unindexed_records += other.unindexed_records
