"""Seals: what is kept of each block of the log so that no byte of it can change unseen.

A seal has two digests of the block: one over all of its bytes at once, which verifying recomputes at the speed of
reading, and the root of a Merkle tree, from which one event is proved without the others. Both go into the chain, each
link of which depends on all blocks of the partition before it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Protocol

from domain.events.record_runs import RunRecords
from domain.position import TopicPartition
from eventlog.seals import merkle

GENESIS = bytes(32)  # what the first link of a partition hangs on


@dataclass(frozen=True, slots=True)
class Header:
    """Which records a block holds and their digests. `records` lie in [first_offset, next_offset)."""

    topic: str
    partition: int
    first_offset: int
    next_offset: int
    records: int
    content: bytes
    root: bytes

    def link(self, previous: bytes) -> bytes:
        """The next link of the chain."""
        place = f"{self.topic}\0{self.partition}\0{self.first_offset}\0{self.next_offset}\0{self.records}\0"
        return sha256(b"analytics-chain-1\0" + previous + place.encode() + self.content + self.root).digest()

    def as_json(self) -> dict[str, Any]:
        """For proofs."""
        return asdict(self) | {"content": self.content.hex(), "root": self.root.hex()}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Header:
        """The inverse; raises KeyError, TypeError or ValueError for what is none."""
        return cls(
            str(document["topic"]),
            int(document["partition"]),
            int(document["first_offset"]),
            int(document["next_offset"]),
            int(document["records"]),
            bytes.fromhex(document["content"]),
            bytes.fromhex(document["root"]),
        )


@dataclass(frozen=True, slots=True)
class Seal:
    """A block's header in its place in the chain."""

    header: Header
    previous: bytes
    chain: bytes

    @property
    def sound(self) -> bool:
        """Whether the link follows from what it is said to follow from."""
        return self.chain == self.header.link(self.previous)


def content(offsets: Sequence[int], values: Sequence[bytes]) -> bytes:
    """Digest of a block's records with their offsets and lengths: one hash over a few pieces of memory."""
    count, runs = len(values), RunRecords.of(values).runs
    digest = sha256(struct.pack(f"<Q{count}Q", count, *offsets))
    for piece in (*(run.sizes for run in runs), *(run.records for run in runs)):
        digest.update(piece)
    return digest.digest()


def leaves(offsets: Sequence[int], values: Sequence[bytes]) -> list[bytes]:
    """The leaves of a block's Merkle tree."""
    return [merkle.leaf(offset, value) for offset, value in zip(offsets, values, strict=True)]


def seal(
    place: TopicPartition, bounds: tuple[int, int], offsets: Sequence[int], values: Sequence[bytes], previous: bytes
) -> Seal:
    """Seal a block: its records in `bounds`, behind the link `previous`."""
    root = merkle.root(leaves(offsets, values))
    header = Header(*place, *bounds, len(values), content(offsets, values), root)
    return Seal(header, previous, header.link(previous))


class Seals(Protocol):
    """Where seals are kept. Every method raises Unavailable when it does not answer."""

    async def add(self, new: Seal) -> None:
        """Keep a seal; raises Fenced where another sealer was first."""
        ...

    async def last(self) -> dict[TopicPartition, Seal]:
        """The newest seal of every partition that has one."""
        ...

    async def report(self, problem: str, every: float) -> None:
        """Say that a sealer is there, what it waits for (nothing: empty), and in how many seconds it is heard again."""
        ...

    async def between(self, place: TopicPartition, begin: int, end: int) -> list[Seal]:
        """Seals of blocks that hold offsets in [begin, end), ascending."""
        ...
