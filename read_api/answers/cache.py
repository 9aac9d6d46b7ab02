"""Answers that cost much are kept: at the same positions, in the same minute, they are the same.

What "now" means in a kept answer is the beginning of the minute in which it was asked, so that all who ask in a minute
are told the same. What a kept answer costs is one statement, which asks where its projections stand. Where they have
moved, or the minute has turned, the answer that was right a moment ago is given, as it was then, and a new one is made
meanwhile: nobody waits for it, and nobody's questions are more than a share of the store's work. But none is given
across the turn of a day: what was yesterday's month is no answer to a question of today. Who needs a newer position
asks past this.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from cachetools import LRUCache

from domain.errors import AnalyticsError
from domain.ports import Checkpoint, LiveStore
from eventlog import tasks
from projections.engine.query.ask import answerable
from projections.engine.query.composed import Composed, projections_of
from projections.engine.query.formatting import age, show_time
from projections.engine.query.request import Question

MOST_ANSWERS = 100  # answers of a process: 8 MB, where all are key figures
BEHIND = 10.0  # seconds since an answer was right for which it may be given, beyond what making it anew may take
SHARE = 5  # an answer is made anew after so many times what it cost, at the earliest
TURN = timedelta(minutes=15)  # in every time zone there is, a day begins at such a quarter of an hour

logger = logging.getLogger(__name__)


@dataclass
class _CachedAnswer:
    """An answer, the moment that it is of, where its projections stood, and monotonic moments: made, last right."""

    answer: Mapping[str, Any]
    reads: Sequence[str]
    stood: Mapping[str, tuple[int, str]]
    asked_at: datetime
    cost: float
    made: float
    right: float


class AnswerCache:
    """Answers by question; `make` computes one. `clock` tells seconds that only go on."""

    def __init__(
        self,
        store: LiveStore,
        make: Callable[[Question], Awaitable[dict[str, Any]]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._make = make
        self._clock = clock
        self._kept: LRUCache[Hashable, _CachedAnswer] = LRUCache(MOST_ANSWERS)
        self._making: dict[tuple[Hashable, datetime], asyncio.Task[dict[str, Any]]] = {}
        self._renewing: asyncio.Task[dict[str, Any]] | None = None  # one at a time: others need connections too

    async def answer(self, question: Question) -> dict[str, Any]:
        """The answer as it is now, or as it was right a moment ago. Raises what making it raises."""
        if not _is_kept(question):
            return await self._make(question)
        asked = _of_its_minute(question)
        kept = self._kept.get(asked.key)
        if kept is None:
            return await self._shared(asked)
        checkpoints = await self._store.checkpoints(kept.reads)
        now = self._clock()
        if kept.stood == _stood(checkpoints) and kept.asked_at == asked.asked_at:
            kept.right = now
            return {**kept.answer, **_freshness(checkpoints)}
        if now - kept.right > BEHIND + SHARE * kept.cost or _turned(kept.asked_at, asked.asked_at):
            return await self._shared(asked)
        if now - kept.made >= SHARE * kept.cost and self._renewing is None:
            self._renewing = self._begun(asked)
            self._renewing.add_done_callback(partial(self._renewed, asked))
        return {**kept.answer, "complete": False, "lag_ms": age(kept.answer["as_of"], question.asked_at)}

    async def fresh(self, question: Question) -> dict[str, Any]:
        """The answer of a computation that begins now; kept where answers of this query are.

        Raises what making it raises, Unavailable.
        """
        return await (self._computed(_of_its_minute(question)) if _is_kept(question) else self._make(question))

    async def _computed(self, question: Question) -> dict[str, Any]:
        names = sorted(projections_of(question))
        before, began = await self._store.checkpoints(names), self._clock()
        answer = await self._make(question)
        stood = _stood(before) if await self._stood_still(before, answer) else {}
        now = self._clock()
        kept = _CachedAnswer(answer, names, stood, question.asked_at, now - began, now, began)
        self._kept[question.key] = kept
        return answer

    async def _stood_still(self, before: Mapping[str, Checkpoint], answer: Mapping[str, Any]) -> bool:
        """Whether the whole answer stands for these checkpoints: that of one projection says so itself.

        Parts of several are read one by one: only where nothing moved meanwhile do they all stand for one position.
        """
        if len(before) == 1:
            return all(answer["position"] == each.position for each in before.values())
        return _stood(before) == _stood(await self._store.checkpoints(sorted(before)))

    async def _shared(self, question: Question) -> dict[str, Any]:
        """The answer of the computation that is under way, or of a new one: many who ask at once are one question."""
        return await asyncio.shield(self._begun(question))

    def _begun(self, question: Question) -> asyncio.Task[dict[str, Any]]:
        place = question.key, question.asked_at
        if place not in self._making:
            self._making[place] = tasks.owned(self._computed(question), f"answer {question.name}")
            self._making[place].add_done_callback(lambda _: self._making.pop(place))
        return self._making[place]

    def _renewed(self, question: Question, task: asyncio.Task[dict[str, Any]]) -> None:
        """Say why an answer that nobody waits for was not made anew."""
        self._renewing = None
        if not task.cancelled() and (error := task.exception()) is not None:
            if not isinstance(error, AnalyticsError):
                raise error
            logger.warning("%s was not made anew: %s", question.name, error)


def _is_kept(question: Question) -> bool:
    query = answerable(question.name)
    return isinstance(query, Composed) and query.kept


def _of_its_minute(question: Question) -> Question:
    return replace(question, asked_at=question.asked_at.replace(second=0, microsecond=0))


def _turned(before: datetime, now: datetime) -> bool:
    """Whether a day may have begun between two moments."""
    epoch = datetime.fromtimestamp(0, UTC)
    return (before - epoch) // TURN != (now - epoch) // TURN


def _stood(checkpoints: Mapping[str, Checkpoint]) -> Mapping[str, tuple[int, str]]:
    return {name: (each.version, each.position) for name, each in checkpoints.items()}


def _freshness(checkpoints: Mapping[str, Checkpoint]) -> dict[str, Any]:
    moments = [each.as_of for each in checkpoints.values()]
    return {
        "as_of": show_time(datetime.fromtimestamp(min(moments) / 1000, UTC)) if moments and all(moments) else None,
        "complete": all(each.complete for each in checkpoints.values()),
        "lag_ms": max((each.lag_ms for each in checkpoints.values()), default=0),
    }
