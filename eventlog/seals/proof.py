"""A proof that one event is in the log: everything from the record's bytes up to a signature.

Checking it needs the proof and the public key alone: no server, no log. The way up: record → leaf → path → root of the
block → link of the chain → links of the blocks after it → head in a checkpoint → signature.
Making it needs the log, its seals and the oldest checkpoint that covers the record.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.errors import Invalid, NotFound, NotYet
from domain.ports import EventLog
from domain.position import TopicPartition
from eventlog.read import Reading
from eventlog.seals import merkle
from eventlog.seals.chain import Header, Seals, leaves
from eventlog.seals.checkpoints import Check, Checkpoint, Checkpoints

AGAIN = ("Try again shortly.",)


@dataclass(frozen=True, slots=True)
class Proof:
    """`blocks` are the block of the record and those after it, up to the end of its chain in the checkpoint.

    `previous` is the link that the first of them hangs on.
    """

    offset: int
    record: bytes
    path: Sequence[tuple[str, bytes]]
    previous: bytes
    blocks: Sequence[Header]
    checkpoint: Checkpoint

    def as_json(self) -> dict[str, Any]:
        """The form of the exported file."""
        return {
            "version": 1,
            "offset": self.offset,
            "record": base64.b64encode(self.record).decode(),
            "path": [[side, sibling.hex()] for side, sibling in self.path],
            "previous": self.previous.hex(),
            "blocks": [block.as_json() for block in self.blocks],
            "checkpoint": self.checkpoint.as_json(),
        }

    @classmethod
    def from_json(cls, document: Any) -> Proof:
        """The inverse; raises Invalid for what is none."""
        try:
            if document["version"] != 1:
                raise ValueError(f"version {document['version']}")
            path = [(str(side), bytes.fromhex(sibling)) for side, sibling in document["path"]]
            if any(side not in ("left", "right") for side, _ in path):
                raise ValueError("a side that is neither left nor right")
            return cls(
                int(document["offset"]),
                base64.b64decode(document["record"], validate=True),
                path,
                bytes.fromhex(document["previous"]),
                [Header.from_json(block) for block in document["blocks"]],
                Checkpoint.from_json(document["checkpoint"]),
            )
        except (KeyError, TypeError, ValueError, binascii.Error) as error:
            raise Invalid(f"this is no proof: {error}", code="bad_proof") from None


async def prove(log: EventLog, seals: Seals, checkpoints: Checkpoints, place: TopicPartition, offset: int) -> Proof:
    """The proof of the record at an offset.

    Raises NotFound where there is none, NotYet while its block is not sealed or not covered by a checkpoint,
    Unavailable where the log does not give the block.
    """
    chain = await seals.between(place, offset, 2**62)
    if not chain or chain[0].header.first_offset > offset:
        raise NotYet(f"{place[0]}:{place[1]}={offset} is not sealed yet", suggested_actions=AGAIN)
    block = chain[0].header
    ends = {seal.header.next_offset: number for number, seal in enumerate(chain)}
    covering = next((c for c in checkpoints.all() if place in c.heads and c.heads[place].next_offset in ends), None)
    if covering is None:
        raise NotYet(f"no checkpoint covers {place[0]}:{place[1]}={offset} yet", suggested_actions=AGAIN)
    offsets, values = await _records(log, place, block)
    if offset not in offsets:
        raise NotFound(f"there is no record at {place[0]}:{place[1]}={offset}")
    index = offsets.index(offset)
    return Proof(
        offset=offset,
        record=values[index],
        path=merkle.path(leaves(offsets, values), index),
        previous=chain[0].previous,
        blocks=[seal.header for seal in chain[: ends[covering.heads[place].next_offset] + 1]],
        checkpoint=covering,
    )


async def _records(log: EventLog, place: TopicPartition, block: Header) -> tuple[list[int], list[bytes]]:
    offsets: list[int] = []
    values: list[bytes] = []
    async with Reading(log, place[0], {place[1]: [(block.first_offset, block.next_offset)]}) as reading:
        while reading.left:
            for chunk in await reading.read(block.next_offset - block.first_offset):
                offsets += chunk.offsets
                values += chunk.values
    return offsets, values


def check(proof: Proof, signature_holds: Check) -> Header:
    """Check a proof; the header of the block that holds the record. Raises Invalid saying what does not hold."""
    if not proof.blocks:
        raise _fails("it names no block")
    block, chain = proof.blocks[0], proof.previous
    if not block.first_offset <= proof.offset < block.next_offset:
        raise _fails("the record's offset is not in its block")
    if merkle.climb(merkle.leaf(proof.offset, proof.record), proof.path) != block.root:
        raise _fails("the record and its path do not lead to the root of its block")
    expected = block.first_offset
    for header in proof.blocks:
        if (header.topic, header.partition, header.first_offset) != (block.topic, block.partition, expected):
            raise _fails("its blocks do not follow each other")
        chain, expected = header.link(chain), header.next_offset
    head = proof.checkpoint.heads.get((block.topic, block.partition))
    if head is None or (head.next_offset, head.chain) != (expected, chain):
        raise _fails("its blocks do not lead to the head that the checkpoint names")
    if not signature_holds(proof.checkpoint.signature, proof.checkpoint.message()):
        raise _fails("the checkpoint is not signed by this key")
    return block


def _fails(reason: str) -> Invalid:
    return Invalid(f"the proof does not hold: {reason}", code="proof_fails")
