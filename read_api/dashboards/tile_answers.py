"""Answers of tiles: out of the dashboard's snapshot, or the same as before where nothing of the company has changed.

The answer of the same rows is the same in a minute, and up to the moment at which time matters to it; what "now" means
in it is the beginning of the minute. What is fitted in a process of its own (models) takes seconds, and is not waited
for much longer than the other tiles take: until it is there its tile is pending, or shows the answer of before with the
position of before. It is made anew after so many times what it cost, at the earliest; of a dashboard that is followed
so is every tile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from cachetools import LRUCache

from domain.errors import AnalyticsError, Unavailable
from domain.ports import Checkpoint, ReadStore
from eventlog import tasks
from projections.engine.declare.registry import read_beside
from projections.engine.query.ask import answerable, is_stamped
from projections.engine.query.asked_at import LastingAnswer
from projections.engine.query.composed import Composed, projections_of
from projections.engine.query.formatting import age
from projections.engine.query.instance_query import InstanceQuery
from projections.engine.query.request import Question
from read_api.answers.cache import SHARE
from read_api.answers.cached_answer import CachedAnswer, Entry, State, state_of, stood_still
from read_api.answers.questions import Questions

MOST = 2_000  # answers that are kept
PATIENCE = 1.0  # seconds that a dashboard waits for what is made in another process
OLDEST = 900.0  # seconds since an answer was right which is shown until its successor is there
REST = 20  # a tile of a dashboard that is followed is made anew after so many times what it cost, at the earliest
PENDING = "pending"
Checkpoints = Mapping[str, Checkpoint]
Content = Mapping[str, Any] | AnalyticsError


class TileAnswer(NamedTuple):
    """What a tile shows, and whether it is that of the dashboard's snapshot."""

    content: Content
    exact: bool


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why there was no answer, when (monotonic seconds), and what finding that out cost."""

    error: AnalyticsError
    made: float
    cost: float


class TileAnswers:
    """The answers of one process."""

    def __init__(self, questions: Questions, clock: Callable[[], float] = time.monotonic) -> None:
        self._questions = questions
        self._clock = clock
        self._entries: LRUCache[Hashable, Entry | _Refusal] = LRUCache(MOST)
        self._making: dict[Hashable, asyncio.Task[None]] = {}

    async def of_snapshot(
        self, question: Question, snapshot: ReadStore, checkpoints: Checkpoints, *, followed: bool
    ) -> TileAnswer:
        """The answer of this snapshot; of a dashboard that is followed perhaps the one of before."""
        if isinstance(answerable(question.name), InstanceQuery):  # of this moment, whether or not anything was folded
            return TileAnswer(await self._answer_or_error(question, snapshot), True)
        if (same := self._same(question, checkpoints)) is not None:
            return same
        if followed and self._rests(question, REST) and (before := self._before(question)) is not None:
            return before
        began = self._clock()
        answer = await self._answer_or_error(question, snapshot)
        if isinstance(answer, AnalyticsError):
            self._entries[question.key] = _Refusal(answer, *self._cost_since(began))
        else:
            self._keep(question, answer, _state(question, checkpoints), began)
        return TileAnswer(answer, True)

    async def _answer_or_error(self, question: Question, snapshot: ReadStore) -> LastingAnswer | AnalyticsError:
        try:
            return await self._questions.answer_from(snapshot, question)
        except AnalyticsError as error:
            return error

    def meanwhile(self, question: Question) -> TileAnswer:
        """What is shown until there is an answer: the one of before, or none yet."""
        return self._before(question) or NOT_YET

    def begin(self, questions: Iterable[Question], checkpoints: Checkpoints) -> None:
        """Have made apart what is not there."""
        for question in questions:
            if self._same(question, checkpoints) is None and not self._rests(question):
                self._begin(question, checkpoints)

    async def made_apart(self, questions: Sequence[Question], checkpoints: Checkpoints) -> list[TileAnswer]:
        """The answers as far as they are there in time. They are not of the snapshot, but may be the same."""
        self.begin(questions, checkpoints)
        making = {self._making[question.key] for question in questions if question.key in self._making}
        if making:
            await asyncio.wait(making, timeout=PATIENCE)
        return [self._same(each, checkpoints) or self.meanwhile(each) for each in questions]

    def _begin(self, question: Question, checkpoints: Checkpoints) -> None:
        if question.key not in self._making:
            work = self._make(question, checkpoints)
            self._making[question.key] = tasks.start(work, f"tile of {question.name}")
            self._making[question.key].add_done_callback(lambda _: self._making.pop(question.key))

    async def _make(self, question: Question, among: Checkpoints) -> None:
        checkpoints, state, began = _of(question, among), _state(question, among), self._clock()
        try:
            answer = await self._questions.answer(question)
            after = await self._questions.checkpoints(sorted(checkpoints), question.company)
        except AnalyticsError as error:
            self._entries[question.key] = _Refusal(error, *self._cost_since(began))
        else:
            self._keep(question, answer, state if stood_still(checkpoints, after) else (), began)

    def _cost_since(self, began: float) -> tuple[float, float]:
        now = self._clock()
        return now, now - began

    def _keep(self, question: Question, answer: LastingAnswer, state: State, began: float) -> None:
        now, cost = self._cost_since(began)
        reads, stamped = tuple(sorted(projections_of(question))), is_stamped(answerable(question.name))
        content = CachedAnswer(answer, answer.asked_at, answer.until, answer.beside)
        self._entries[question.key] = Entry(content, reads, state, cost, now, now, stamped)

    def _same(self, question: Question, checkpoints: Checkpoints) -> TileAnswer | None:
        """The answer that was made of the same rows and is the same at this moment, with how fresh it is now."""
        kept = self._entries.get(question.key)
        if isinstance(kept, _Refusal):
            return TileAnswer(kept.error, True) if self._rests(question) else None
        if kept is None or not kept.holds(_state(question, checkpoints), question.asked_at):
            return None
        kept.right = self._clock()
        return TileAnswer(kept.as_of_now(checkpoints), True)

    def _before(self, question: Question) -> TileAnswer | None:
        """The answer of before, saying that it is not complete."""
        kept = self._entries.get(question.key)
        if kept is None or isinstance(kept, _Refusal) or self._clock() - kept.right > OLDEST:
            return None
        as_of = kept.answer["as_of"]
        lag = max(0, age(as_of, self._questions.now())) if as_of else 0
        return TileAnswer({**kept.answer, "complete": False, "lag_ms": lag}, False)

    def _rests(self, question: Question, share: float = SHARE) -> bool:
        """Whether it is too early to make it anew."""
        kept = self._entries.get(question.key)
        return kept is not None and self._clock() - kept.made < share * kept.cost


NOT_YET = TileAnswer(
    Unavailable("the answer is being made", code=PENDING, suggested_actions=("Ask again in a moment.",)), False
)


def is_made_apart(question: Question) -> bool:
    """Whether the answer is made in a process of its own."""
    query = answerable(question.name)
    return isinstance(query, Composed) and query.apart


def _state(question: Question, checkpoints: Checkpoints) -> State:
    return state_of(_of(question, checkpoints), projections_of(question))


def _of(question: Question, checkpoints: Checkpoints) -> Checkpoints:
    """Of what the answer may rest on."""
    reads = projections_of(question)
    return {name: checkpoints[name] for name in sorted(reads | read_beside(reads)) if name in checkpoints}
