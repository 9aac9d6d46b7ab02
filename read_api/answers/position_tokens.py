"""Position tokens: what a caller has written or seen, turned into what the log must have and projections must reach.

A command's token names a place in the event store (`config-store:0=18`), a publisher's one in the log. The first is
waited for until the relay has carried it into the log, and is then a place there like any other; so tokens mix.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

from domain.errors import Invalid, NotYet
from domain.events.catalogue import STREAMS
from domain.position import Position
from eventlog.relay.ports import STORE, RelayProgress
from eventlog.relay.record import KIND
from read_api.live.changes import RELAY, ProjectionChanges, wait_for

LOOK = 0.1  # seconds after which somebody who waits for a position looks again, whatever the bus said
NOTHING = Position()
BEYOND = "position_beyond_end"

Heads = Callable[[str], Awaitable[Mapping[int, int]]]


class PositionTokens:
    """Reads tokens. `heads` tells where the partitions of a topic end."""

    def __init__(self, relay: RelayProgress, heads: Heads, movements: ProjectionChanges) -> None:
        self._relay, self._heads, self._movements = relay, heads, movements

    async def in_log(self, token: Position, topics: frozenset[str], deadline: float) -> Position:
        """What of these topics the token stands for, waiting until `deadline` (monotonic) for the relay.

        Raises Invalid for a topic that there is not, NotYet where the relay does not get there in time, or never can.
        """
        if unknown := sorted({topic for topic, _ in token.offsets} - {*STREAMS, STORE[0]}):
            raise Invalid(f"position {token} names a topic {unknown[0]!r}, and there is none", code="bad_position")
        needed = token.of_topics(topics)
        if KIND.stream in topics and token[STORE]:
            needed = needed.merge(await self._relayed(token[STORE], deadline))
        return needed

    async def check(self, needed: Position) -> None:
        """Raise NotYet for a position beyond the end of the log: waiting for it would be in vain."""
        topics = sorted({topic for topic, _ in needed.offsets})
        heads = await asyncio.gather(*(self._heads(topic) for topic in topics))
        ends = Position({(t, p): head for t, found in zip(topics, heads, strict=True) for p, head in found.items()})
        if not ends.reaches(needed):
            raise _beyond(f"position {needed} lies beyond the end of the log, which is {ends or 'empty'}")

    async def _relayed(self, number: int, deadline: float) -> Position:
        """Where the log has every event of the store before this number."""
        while True:
            moved = self._movements.next(RELAY)
            found = await self._relay.before(number)
            if found.next_number >= number:
                return found.position
            if found.head < number:
                raise _beyond(f"position {STORE[0]}:0={number} lies beyond the event store, which ends at {found.head}")
            left = deadline - time.monotonic()
            if left <= 0:
                text = f"the relay is at {STORE[0]}:0={found.next_number} and has not reached {number}"
                raise NotYet(text, suggested_actions=("Ask again in a moment; if this goes on, look at the relay.",))
            await wait_for(moved, min(left, LOOK))


def _beyond(text: str) -> NotYet:
    actions = ("Give the token as the command or ingest answered it, to the instance that answered it.",)
    return NotYet(text, code=BEYOND, suggested_actions=actions)
