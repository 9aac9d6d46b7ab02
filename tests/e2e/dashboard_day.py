"""Dashboards of a day, with and without answers that are made beforehand: `python -m tests.e2e.dashboard_day`.

The day is one that the demo's audit trail had (tests/data/dashboard_day.jsonl.gz, by tests/e2e/record_dashboards.py).
Three weeks of such days, of which somebody is away now and then, lie in the trail; the fourth week's Monday is asked
minute by minute, in one hour (`--hours 8 18` for all of it, which takes an hour), against the demo's own read models,
while events of the company are folded. Printed are the shares of questions that were answered from what was kept, what
the questions waited for, and what warming cost of processor. The clock is the day's own: what a computation takes is
added to it, nothing else takes time.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import itertools
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl

import msgspec

from adapters.postgres.migrate import migrate
from adapters.servers.servers import Servers
from app.demo.companies import COMPANIES, UNTIL
from app.demo.sample import PARTS
from domain.audit import Actor, Note
from domain.errors import AnalyticsError
from eventlog.publish.audit_events import audit_record
from projections.engine.query.ask import answer
from projections.engine.query.asked_at import LastingAnswer
from projections.engine.query.request import Question
from read_api.answers.cache import EXACT, AnswerCache, Freshness
from read_api.answers.warming import Warming
from tests.architecture.sources import ROOT
from tests.e2e.record_dashboards import COMPANY, Read
from tests.projections.harness import Logged, ReadModels
from tests.projections.small_company import traded

TRAIL = ROOT / "tests/data/dashboard_day.jsonl.gz"
MONDAY = datetime.fromtimestamp(UNTIL / 1000, UTC)  # where the sample ends
NUMBERS = itertools.count(10_000)  # of trades
EVERY = 5  # minutes between two events of the company
THERE = 0.8  # of the times that somebody is


def the_day(hours: range) -> list[Read]:
    """What was recorded of these hours."""
    reads = (msgspec.json.decode(line, type=Read) for line in gzip.decompress(TRAIL.read_bytes()).splitlines())
    return [read for read in reads if read.minute // 60 in hours]


def asked(day: datetime, reads: Sequence[Read], chance: random.Random) -> Iterator[tuple[datetime, Read]]:
    """The questions of a day like the recorded one: each dashboard asks at once, some seconds after its minute."""
    for (minute, _), together in itertools.groupby(reads, key=lambda read: (read.minute, read.subject)):
        if chance.random() < THERE:
            at = day + timedelta(minutes=minute, seconds=chance.uniform(5, 55))
            yield from ((at, read) for read in together)


class Day:
    """The fourth Monday, with one process that answers."""

    def __init__(self, models: ReadModels, reads: Sequence[Read], *, warmed: bool, freshness: Freshness) -> None:
        self.models, self.reads = models, reads
        self.now, self.waited, self.warming_seconds = MONDAY, list[float](), 0.0
        self.freshness, self.warmed = freshness, warmed
        self.cache = AnswerCache(self.models.reads, self._make, clock=lambda: self.now.timestamp())
        self.warming = Warming(self.models.reads, self.cache, lambda: self.now, {})

    async def _make(self, question: Question) -> LastingAnswer:
        began = time.perf_counter()
        found = await answer(question, self.models.reads)
        self.now += timedelta(seconds=time.perf_counter() - began)
        return found

    async def run(self) -> None:
        """Live through it."""
        questions = sorted(asked(MONDAY, self.reads, random.Random(4)), key=lambda each: each[0])
        first, last = (questions[at][0] for at in (0, -1))
        minute = first.replace(minute=0, second=0, microsecond=0)
        while minute <= last:
            self.now = max(self.now, minute)
            self._happen(minute)
            await self._warm()
            while questions and questions[0][0] < minute + timedelta(minutes=1):
                await self._ask(*questions.pop(0))
            minute += timedelta(minutes=1)

    async def _warm(self) -> None:
        """What warming has time for in a minute."""
        began = time.process_time()
        if self.warmed:
            for _ in range(4):
                await self.warming.step(15.0)
        self.warming_seconds += time.process_time() - began

    async def _ask(self, at: datetime, read: Read) -> None:
        self.now = began = max(self.now, at)
        name, _, query = read.target.partition("?")
        with suppress(AnalyticsError):
            await self.cache.answer(Question(name, COMPANY, dict(parse_qsl(query)), self.now), self.freshness)
        self.waited.append((self.now - began).total_seconds())

    def line(self) -> str:
        """For people."""
        found, waited, total = self.cache.figures(), sorted(self.waited), len(self.waited)
        kept = (found["process_hits"] + found["stale_hits"]) / total
        return (
            f"max_staleness {self.freshness.max_staleness:3.0f} s, {'with   ' if self.warmed else 'without'} warming:"
            f" {kept:.1%} of {total} questions from what was kept ({found['warmed_hits'] / total:.1%} from what warming"
            f" made), mean wait {1000 * sum(waited) / total:.1f} ms, p95 {1000 * waited[int(0.95 * total)]:.1f} ms;"
            f" computing {found['computing_seconds']:.1f} s, of it warming {found['warming_seconds']:.1f} s"
            f" ({self.warming_seconds:.1f} s of this process's processor) for {found['warmed']:.0f} answers,"
            f" which saved {found['saved_by_warming_seconds']:.1f} s"
        )

    def _happen(self, minute: datetime) -> None:
        if minute.minute % EVERY == 0:
            self.models.given([traded(next(NUMBERS), "u1", 5, "AAPL", minute.isoformat())])


def with_trail(url: str, reads: Sequence[Read]) -> ReadModels:
    """Read models of the demo's company, and three weeks of its trail."""
    models, chance = ReadModels(url).given(event for part in PARTS for event in part(COMPANIES[0])), random.Random(3)
    days = (MONDAY - timedelta(days=n) for n in range(1, 22))
    told = [one for day in days if day.weekday() < 5 for one in asked(day, reads, chance)]
    records = []
    for at, read in told:
        note = Note(Actor(read.subject, read.role), read.action, read.target, "http", COMPANY)
        records.append(audit_record(note, int(at.timestamp() * 1000)))
    models.fold([Logged(r.topic, 0, number, r.value) for number, r in enumerate(records)])
    say(f"{len(told)} questions of three weeks in the trail, {len({read.target for read in reads})} different ones")
    return models


def say(text: str) -> None:
    """To whoever looks on."""
    print(text, flush=True)


async def main(hours: range) -> None:
    """Both days, exact and for who takes what was right a minute ago."""
    with tempfile.TemporaryDirectory() as folder:
        servers = Servers(Path(folder))
        address = (await servers.start()).database_url
        try:
            await asyncio.to_thread(migrate, address)
            reads = the_day(hours)
            models = await asyncio.to_thread(with_trail, address, reads)
            await models.reads.open()
            for freshness, warmed in itertools.product((EXACT, Freshness(max_staleness=120.0)), (False, True)):
                day = Day(models, reads, warmed=warmed, freshness=freshness)
                await day.run()
                say(day.line())
            await models.close()
        finally:
            await servers.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=int, nargs=2, default=(9, 10), help="the first one, and where they end")
    asyncio.run(main(range(*parser.parse_args().hours)))
