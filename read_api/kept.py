"""Answers that cost much are kept: at the same positions they are the same, so only a movement has them made anew.

What a kept answer costs is one statement, which asks where its projections stand. Where they have moved, the answer
that was right a moment ago is given, at its own position, and a new one is made meanwhile: nobody waits for it, and
nobody's questions are more than a share of the store's work. Who needs a newer position asks past this.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from domain.errors import AnalyticsError
from domain.ports import Checkpoint, LiveStore
from projections.engine.composed import Composed, Part, projections_of
from projections.engine.query import age, known, show_time

KEPT = 100  # answers of a process: 8 MB, where all are key figures
BEHIND = 10.0  # seconds since an answer was right for which it may be given, beyond what making it anew may take
SHARE = 5  # an answer is made anew after so many times what it cost, at the earliest
MINUTE = 60  # seconds after which what "now" means in an answer is old

Key = tuple[str, str, tuple[tuple[str, str], ...]]

logger = logging.getLogger(__name__)


@dataclass
class _Kept:
    """An answer, where its projections stood, and monotonic moments: when it was made, when it was last right."""

    answer: Mapping[str, Any]
    reads: Sequence[str]
    stood: Mapping[str, tuple[int, str]]
    minute: int
    cost: float
    made: float
    right: float


class KeptAnswers:
    """Answers by question; `make` computes one. `clock` tells seconds that only go on."""

    def __init__(
        self,
        store: LiveStore,
        make: Callable[[Part, str], Awaitable[dict[str, Any]]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._make = make
        self._clock = clock
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._making: dict[Key, asyncio.Task[dict[str, Any]]] = {}
        self._renewing: asyncio.Task[dict[str, Any]] | None = None  # one at a time: others need connections too

    async def answer(self, part: Part, company: str) -> dict[str, Any]:
        """The answer as it is now, or as it was right a moment ago. Raises what making it raises."""
        if not _is_kept(part):
            return await self._make(part, company)
        key = _key(part, company)
        kept = self._kept.get(key)
        if kept is None:
            return await self._shared(key, part, company)
        checkpoints = await self._store.checkpoints(kept.reads)
        now = self._clock()
        if kept.stood == _stood(checkpoints) and kept.minute == _minute():
            kept.right = now
            return {**kept.answer, **_freshness(checkpoints)}
        if now - kept.right > BEHIND + SHARE * kept.cost:
            return await self._shared(key, part, company)
        if now - kept.made >= SHARE * kept.cost and self._renewing is None:
            self._renewing = self._begun(key, part, company)
            self._renewing.add_done_callback(partial(self._renewed, key))
        return {**kept.answer, "complete": False, "lag_ms": age(kept.answer["as_of"])}

    async def fresh(self, part: Part, company: str) -> dict[str, Any]:
        """The answer of a computation that begins now; kept where answers of this query are."""
        if not _is_kept(part):
            return await self._make(part, company)
        return await self._computed(_key(part, company), part, company)

    async def _computed(self, key: Key, part: Part, company: str) -> dict[str, Any]:
        names = sorted(projections_of(part, company))
        before, began, minute = await self._store.checkpoints(names), self._clock(), _minute()
        answer = await self._make(part, company)
        stood = _stood(before) if await self._stood_still(before, answer) else {}
        now = self._clock()
        self._kept[key] = _Kept(answer, names, stood, minute, now - began, now, began)
        self._kept.move_to_end(key)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return answer

    async def _stood_still(self, before: Mapping[str, Checkpoint], answer: Mapping[str, Any]) -> bool:
        """Whether the whole answer stands for these checkpoints: that of one projection says so itself.

        Parts of several are read one by one: only where nothing moved meanwhile do they all stand for one position.
        """
        if len(before) == 1:
            return all(answer["position"] == each.position for each in before.values())
        return _stood(before) == _stood(await self._store.checkpoints(sorted(before)))

    async def _shared(self, key: Key, part: Part, company: str) -> dict[str, Any]:
        """The answer of the computation that is under way, or of a new one: many who ask at once are one question."""
        return await asyncio.shield(self._begun(key, part, company))

    def _begun(self, key: Key, part: Part, company: str) -> asyncio.Task[dict[str, Any]]:
        if key not in self._making:
            self._making[key] = asyncio.create_task(self._computed(key, part, company))
            self._making[key].add_done_callback(lambda _: self._making.pop(key))
        return self._making[key]

    def _renewed(self, key: Key, task: asyncio.Task[dict[str, Any]]) -> None:
        """Say why an answer that nobody waits for was not made anew."""
        self._renewing = None
        if not task.cancelled() and (error := task.exception()) is not None:
            if not isinstance(error, AnalyticsError):
                raise error
            logger.warning("%s was not made anew: %s", key[0], error)


def _is_kept(part: Part) -> bool:
    query = known(part.query)
    return isinstance(query, Composed) and query.kept


def _key(part: Part, company: str) -> Key:
    return part.query, company, tuple(sorted(part.params.items()))


def _stood(checkpoints: Mapping[str, Checkpoint]) -> Mapping[str, tuple[int, str]]:
    return {name: (each.version, each.position) for name, each in checkpoints.items()}


def _freshness(checkpoints: Mapping[str, Checkpoint]) -> dict[str, Any]:
    moments = [each.as_of for each in checkpoints.values()]
    return {
        "as_of": show_time(datetime.fromtimestamp(min(moments) / 1000, UTC)) if moments and all(moments) else None,
        "complete": all(each.complete for each in checkpoints.values()),
        "lag_ms": max((each.lag_ms for each in checkpoints.values()), default=0),
    }


def _minute() -> int:
    return int(time.time() // MINUTE)
