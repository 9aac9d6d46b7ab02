"""Waiting for a position: whoever needs it is given one answer, computed when it is reached, and none before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.postgres.read_models.read_store import PostgresReadStore
from domain.access.rights import OPERATOR
from domain.errors import NotYet
from domain.ports import Answer
from domain.position import Position
from projections.engine.query.request import Question
from read_api.answers.position_tokens import PositionTokens
from read_api.answers.questions import Questions
from read_api.live.changes import ProjectionChanges
from tests.projections.harness import Log, Logged, ReadModels
from tests.projections.small_company import traded

TOTALS = Question("trading_totals", "acme", {}, datetime(2025, 4, 1, tzinfo=UTC))
FIGURES = Question("kpis", "acme", {"section": "trading", "at": "2025-03-05"}, TOTALS.asked_at)
NOBODY: Any = None  # asked for nothing here: the bus is away, and nothing waits for the relay


class Counting(PostgresReadStore):
    """A read store that counts the statements of answers."""

    asked = 0

    async def ask(self, company: str, projection: str, statement: str, params: Sequence[object]) -> Answer:
        """The store's answer."""
        self.asked += 1
        return await super().ask(company, projection, statement, params)


@pytest.fixture
async def store(read_models_url: str) -> AsyncIterator[Counting]:
    """The read store of the test's database."""
    opened = Counting(read_models_url, connections=2)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def records() -> list[Logged]:
    """Ten trades in the log."""
    return Log().append(traded(number, "u1", 1.0, "AAPL", "2025-03-05T10:00:00") for number in range(10))


def questions(store: Counting, records: Sequence[Logged], patience: float) -> Questions:
    """Of that store, beside a log of those records."""

    async def heads(topic: str) -> Mapping[int, int]:
        return {r.partition: r.offset + 1 for r in records if r.topic == topic}

    movements = ProjectionChanges(NOBODY)
    return Questions(store, movements, PositionTokens(NOBODY, heads, movements), patience=patience)


def end_of(records: Sequence[Logged]) -> Position:
    """The position after all of them."""
    return Position({(r.topic, r.partition): r.offset + 1 for r in records})


@pytest.mark.parametrize("question", [TOTALS, FIGURES], ids=lambda question: question.name)
async def test_one_answer_is_computed_when_the_position_is_reached(
    question: Question, store: Counting, read_models_url: str, records: list[Logged]
) -> None:
    """However often it was looked whether it is; by a query of one projection, and by one of several."""
    models = ReadModels(read_models_url)
    models.fold(records[:5])
    side = questions(store, records, patience=30)
    await side.answer(question)
    one_answer, store.asked = store.asked, 0
    waiting = asyncio.ensure_future(side.ask(OPERATOR, question, end_of(records)))
    await asyncio.sleep(0.5)
    assert store.asked == 0
    await asyncio.to_thread(models.fold, records[5:])
    found = await waiting
    assert (store.asked, Position.parse(found["position"]).reaches(end_of(records))) == (one_answer, True)
    await models.close()


async def test_nothing_is_computed_for_a_position_that_is_not_reached(
    store: Counting, read_models_url: str, records: list[Logged]
) -> None:
    """The error says who stands where, and what was needed."""
    models = ReadModels(read_models_url)
    models.fold(records[:5])
    with pytest.raises(NotYet, match=r"trading_totals is at trading-events:\S+ and has not reached trading-events:"):
        await questions(store, records, patience=0.3).ask(OPERATOR, TOTALS, end_of(records))
    assert store.asked == 0
    await models.close()
