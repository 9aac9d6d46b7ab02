"""A day of dashboards, with and without answers that are made beforehand: `python -m tests.e2e.dashboard_day`.

Three weeks of a company's questions lie in the audit trail; the fourth week's Monday is asked anew, minute by minute,
against real read models, while events of the company and of another one are folded. Printed are the shares of questions
that were answered from what was kept, what the questions waited for, and what warming cost. The clock is the day's own:
what a computation takes is added to it, nothing else takes time.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from adapters.postgres.migrate import migrate
from adapters.servers.servers import Servers
from app.serving.routing import with_parameters
from domain.audit import Actor, Note
from domain.errors import AnalyticsError
from eventlog.publish.audit_events import audit_record
from projections.engine.query.ask import answer
from projections.engine.query.request import Question
from read_api.answers.cache import EXACT, AnswerCache, Freshness
from read_api.answers.warming import Warming
from tests.laws.busy_company import busy_company
from tests.projections.harness import Logged, ReadModels
from tests.projections.small_company import traded

MONDAY = datetime(2025, 3, 31, tzinfo=UTC)
# Who opens what: at which hours, every how many minutes, and which tiles the dashboard has.
DASHBOARDS: tuple[tuple[range, int, tuple[tuple[str, dict[str, str]], ...]], ...] = (
    (range(8, 10), 5, (("kpis", {}), ("trading_metrics", {}))),
    (range(9, 17), 3, (("trading_metrics", {}), ("trading_league", {"by": "symbol"}))),
    (range(13, 15), 10, (("kpis", {"at": "2025-02-15"}), ("retention", {"unit": "week"}))),
)
NUMBERS = itertools.count(10_000)  # of trades
EVERY = 5  # minutes between two events of the company; another one has one a minute


def asked(day: datetime, chance: random.Random) -> Iterator[tuple[datetime, str, dict[str, str]]]:
    """The questions of a day: each dashboard asks all of its tiles at once, some seconds after the minute."""
    for hours, every, tiles in DASHBOARDS:
        for hour, minute in itertools.product(hours, range(0, 60, every)):
            if chance.random() < 0.8:
                at = day + timedelta(hours=hour, minutes=minute, seconds=chance.uniform(5, 55))
                yield from ((at, name, params) for name, params in tiles)


class Day:
    """The fourth Monday, with one process that answers."""

    def __init__(self, models: ReadModels, *, warmed: bool, freshness: Freshness) -> None:
        self.models = models
        self.now, self.waited, self.spent = MONDAY, list[float](), 0.0
        self.freshness, self.warmed = freshness, warmed
        self.cache = AnswerCache(self.models.reads, self._make, clock=lambda: self.now.timestamp())
        self.warming = Warming(self.models.reads, self.cache, lambda: self.now, {})

    async def _make(self, question: Question) -> dict[str, Any]:
        began = time.perf_counter()
        found = await answer(question, self.models.reads)
        self.now += timedelta(seconds=time.perf_counter() - began)
        return found

    async def run(self) -> dict[str, float]:
        """Live through it."""
        questions = sorted(asked(MONDAY, random.Random(4)), key=lambda each: each[0])
        minutes = (MONDAY + timedelta(hours=7, minutes=n) for n in range(11 * 60))
        for minute in minutes:
            self.now = max(self.now, minute)
            self._happen(minute)
            if self.warmed:
                for _ in range(4):
                    await self.warming.step(15.0)
            while questions and questions[0][0] < minute + timedelta(minutes=1):
                at, name, params = questions.pop(0)
                self.now = max(self.now, at)
                began = self.now
                with suppress(AnalyticsError):
                    await self.cache.answer(Question(name, "acme", params, self.now), self.freshness)
                self.waited.append((self.now - began).total_seconds())
        return self.cache.figures() | self.cache.hit_rates()

    def _happen(self, minute: datetime) -> None:
        if minute.minute % EVERY == 0:
            self.models.given([traded(next(NUMBERS), "u1", 5, "AAPL", minute.isoformat())])


def with_trail(url: str) -> ReadModels:
    """Read models with the company's events, and three weeks of its trail."""
    models, chance = ReadModels(url).given(busy_company()), random.Random(3)
    days = (MONDAY - timedelta(days=n) for n in range(1, 22))
    told = [one for day in days if day.weekday() < 5 for one in asked(day, chance)]
    records = []
    for at, name, params in told:
        query = "&".join(f"{key}={text}" for key, text in params.items()).encode()
        note = Note(Actor("ann", "viewer"), "query", with_parameters(name, query), "http", "acme")
        records.append(audit_record(note, int(at.timestamp() * 1000)))
    models.fold([Logged(r.topic, 0, number, r.value) for number, r in enumerate(records)])
    say(f"{len(told)} questions of three weeks in the trail")
    return models


def say(text: str) -> None:
    """To whoever looks on."""
    print(text, flush=True)


async def main() -> None:
    """Both days, exact and for who takes what was right a minute ago."""
    with tempfile.TemporaryDirectory() as folder:
        servers = Servers(Path(folder))
        address = (await servers.start()).database_url
        try:
            await asyncio.to_thread(migrate, address)
            models = with_trail(address)
            await models.reads.open()
            for freshness, warmed in itertools.product((EXACT, Freshness(max_staleness=120.0)), (False, True)):
                day = Day(models, warmed=warmed, freshness=freshness)
                found = await day.run()
                waited = sorted(day.waited)
                say(
                    f"max_staleness {freshness.max_staleness:3.0f} s, {'with   ' if warmed else 'without'} warming:"
                    f" {found['process']:.0%} of {len(waited)} questions from what was kept"
                    f" (warming made {found['warmed']:.0%}), mean wait {1000 * sum(waited) / len(waited):.1f} ms,"
                    f" p95 {1000 * waited[int(0.95 * len(waited))]:.0f} ms; warming took"
                    f" {found['warming_seconds']:.1f} s of 11 h ({found['warmed']:.0%} hits), saved"
                    f" {found['saved_by_warming_seconds']:.1f} s"
                )
            await models.close()
        finally:
            await servers.stop()


if __name__ == "__main__":
    asyncio.run(main())
