"""Making a proof of one event, from the log, its seals and the oldest checkpoint that covers it."""

from __future__ import annotations

from domain.errors import NotFound, NotYet
from domain.ports import EventLog
from domain.position import TopicPartition
from eventlog.read import Reading
from eventlog.seals import merkle
from eventlog.seals.chain import Header, Seals, leaves
from eventlog.seals.checkpoints import Checkpoints
from eventlog.seals.proof import Proof

AGAIN = ("Try again shortly.",)


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
