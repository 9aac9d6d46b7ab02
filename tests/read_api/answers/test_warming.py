"""Answers that are made before they are asked for: by habit, for a share of the time, and only while nobody waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.audit import Actor, Note
from eventlog.publish.audit_events import audit_record
from projections.engine.query.ask import answer
from projections.engine.query.asked_at import LastingAnswer
from projections.engine.query.request import Question
from read_api.answers.cache import AnswerCache
from read_api.answers.warming import BUDGET, Target, Warming
from tests.projections.harness import Logged, ReadModels
from tests.projections.small_company import company

NOW = datetime(2025, 3, 31, 10, 20, tzinfo=UTC)  # a Monday
MONTH = {"at": "2025-03-15"}
DOORS = {"trading/metrics": Target("trading_metrics", {})}


class World:
    """Read models with a trail, the answers of a process, and its warming, with a clock of their own."""

    def __init__(self, url: str) -> None:
        self.models = ReadModels(url).given(company())
        self.now, self.made = NOW, list[tuple[str, str, dict[str, str]]]()
        self.cache = AnswerCache(self.models.reads, self.make, clock=lambda: self.now.timestamp())
        self.warming = Warming(self.models.reads, self.cache, lambda: self.now, DOORS)

    async def make(self, question: Question) -> LastingAnswer:
        self.made.append((question.company, question.name, dict(question.params)))
        self.now += timedelta(milliseconds=100)
        return await answer(question, self.models.reads)

    def trail(self, *told: tuple[datetime, str, str]) -> None:
        """Who asked: moment, role and target."""
        records = [
            audit_record(Note(Actor("ann", role), "query", target, "http", "acme"), int(at.timestamp() * 1000))
            for at, role, target in told
        ]
        self.models.fold([Logged(r.topic, 0, n, r.value) for n, r in enumerate(records)])

    async def ask(self, name: str = "kpis", **params: str) -> dict[str, Any]:
        """The answer to a question of acme."""
        return await self.cache.answer(Question(name, "acme", params, self.now))


@pytest.fixture
async def world(read_models_url: str) -> AsyncIterator[World]:
    """One in which acme has the habit of asking for a month's key figures at ten on Mondays."""
    made = World(read_models_url)
    await made.models.reads.open()
    week = timedelta(weeks=1)
    made.trail(
        *((NOW - n * week, "viewer", "kpis?at=2025-03-15") for n in (1, 2)),
        *((NOW - n * week, "viewer", "trading/metrics?user_id=u1") for n in (1, 2)),
        *((NOW - n * week - timedelta(hours=3), "viewer", "kpis?at=2025-02-15") for n in (1, 2)),
        *((NOW - n * week, "member", "kpis?at=2025-01-15") for n in (1, 2)),
        *((NOW - n * week, "viewer", "events/search?x=1") for n in (1, 2)),
        *((NOW - n * week, "viewer", "no_such_query") for n in (1, 2)),
        (NOW - week, "viewer", "kpis?at=2024-12-15"),
    )
    yield made
    await made.models.close()


async def test_what_is_asked_at_this_hour_is_made_beforehand(world: World) -> None:
    """Of those who ask here; what is asked then is there, and is counted as what warming won."""
    await world.warming.step(60.0)
    assert world.made == []
    await world.ask("kpis", at="2025-03-01")
    world.made.clear()
    for _ in range(3):
        await world.warming.step(60.0)
    assert sorted(world.made) == [("acme", "kpis", MONTH), ("acme", "trading_metrics", {"user_id": "u1"})]
    world.made.clear()
    await world.ask(**MONTH)
    await world.ask("trading_metrics", user_id="u1")
    assert world.made == []
    assert world.cache.figures()["warmed_hits"] == 2


async def test_before_the_hour_it_is_made_what_is_asked_then(world: World) -> None:
    """In its last minutes."""
    await world.ask("kpis", at="2025-03-01")
    for minutes, begun in ((50, False), (58, True)):
        world.now, world.made = NOW.replace(hour=6, minute=minutes), []
        await world.warming.step(60.0)
        assert (("acme", "kpis", {"at": "2025-02-15"}) in world.made) is begun


async def test_it_takes_no_more_than_its_share_of_the_time(world: World) -> None:
    """However much there is to be made: each answer costs 0.1 s here."""
    await world.ask("kpis", at="2025-03-01")
    world.made.clear()
    for _ in range(100):
        world.models.given([])
        world.now += timedelta(minutes=1)
        await world.warming.step(1.0)
    assert len(world.made) * 0.1 <= 100 * BUDGET + 0.2


async def test_it_waits_while_anything_is_computed(world: World) -> None:
    """Nobody's question waits for a connection that makes what nobody has asked for."""
    begun, gate = asyncio.Event(), asyncio.Event()
    plain = world.cache._make

    async def held(question: Question) -> LastingAnswer:
        begun.set()
        await gate.wait()
        return await plain(question)

    world.cache._make = held
    asking = asyncio.create_task(world.ask("kpis", at="2025-03-01"))
    await begun.wait()
    await world.warming.step(60.0)
    assert world.made == []
    gate.set()
    await asking
    await world.warming.step(60.0)
    assert len(world.made) > 1
