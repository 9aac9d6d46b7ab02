"""What an answer rests on beside its own rows: the settings of the company, and rates of exchange.

Each of it is read once for all parts of an answer, so that a setting that changes meanwhile does not cut half of it;
and where it was read is noted, so that the answer's position names it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import lru_cache

from domain.ports import Answer, ReadStore
from domain.position import Position
from projections.engine.declare.registry import all_beside
from projections.engine.query.composed import least_position, topics_of


class Basis:
    """`domain.ports.ReadStore` of one answer, over another one."""

    def __init__(self, store: ReadStore) -> None:
        self._store: ReadStore = store._store if isinstance(store, Basis) else store
        self._answers: dict[str, Answer] = {}
        self._alone = asyncio.Lock()  # parts are asked side by side
        self._reached: dict[tuple[str, str], None] = {}

    async def ask(self, company: str, projection: str, statement: str, params: Sequence[object]) -> Answer:
        """As the store that it is over; what answers rest on beside their rows is asked once."""
        if projection not in all_beside():
            return await self._store.ask(company, projection, statement, params)
        key = repr((company, projection, statement, params))
        async with self._alone:
            if key not in self._answers:
                self._answers[key] = await self._store.ask(company, projection, statement, params)
                self._reached[projection, self._answers[key].position] = None
        return self._answers[key]

    @property
    def projections(self) -> frozenset[str]:
        """Those beside that were read."""
        return frozenset(name for name, _ in self._reached)

    def position(self, own: Iterable[str], reached: str) -> str:
        """The position of an answer whose own projections have reached this one, with those that were read beside."""
        return _position(frozenset(own), reached, tuple(self._reached))


def position_at(reached: Iterable[tuple[str, str]]) -> str:
    """The position of what rests on projections that stand there: what all of them have seen, and no newer.

    A stream that others' answers rest on is named where there is nothing of it yet, too: a past that is told at the
    position has nothing of it either.
    """
    return least_position((topics_of([name]), _naming([name], position)) for name, position in reached)


@lru_cache(1_000)  # the same until something moves
def _position(own: frozenset[str], reached: str, beside: tuple[tuple[str, str], ...]) -> str:
    named = _naming(own, reached)
    if not own or not beside:
        return named
    return least_position([(topics_of(own), named), *((topics_of([name]), _naming([name], at)) for name, at in beside)])


def _naming(names: Iterable[str], position: str) -> str:
    """A position of projections, which names those of their streams that others' answers rest on."""
    return Position.parse(position).naming(topics_of(all_beside().intersection(names)))
