"""The past: how long as-of queries and explanations of one company take, beside a bare read of the same topics.

The log holds five times `one` events of all types, of 20 companies evenly: no block of it can be passed over. Its
records count as decided, so that nothing but telling the past is measured.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from random import Random

import psycopg

from app.bench.events import BEGIN, SPAN, envelopes, pieces
from app.bench.figures import Figure
from app.bench.ground import Ground
from app.bench.logs import append, read
from app.past import tell
from app.settings import Settings
from domain.events import STREAMS
from domain.ports import EventLog
from domain.position import Position
from projections.engine.registry import projection
from read_api.past import Telling

REPEATED = 10  # times that the same events are appended: making them takes longer than anything that is measured
PAIRS = 10
COMPANY, QUERY, PROJECTION = "company-7", "trading_totals", "trading"


async def past(ground: Ground) -> None:
    """As-of at random event times and positions, then explanations of the whole."""
    async with ground.embedded_log() as (log, url):
        parts = list(pieces(envelopes(5 * ground.scale.one // REPEATED)))
        for _ in range(REPEATED):
            await append(log, iter(parts))
        decided = await _decided(log, url)
        settings = replace(Settings.read({}), database_url=url)
        records, reading = await read(log, sorted(projection(PROJECTION).topics))
        total = sum(decided.offsets.values())
        whole = f"of {records:,} records that the projection reads in a log of {total:,} (floor: bare read of those)"
        await tell(settings, Telling(QUERY, COMPANY))  # what is loaded once for a process is no part of a question
        latest = await _median(settings, lambda _: Telling(QUERY, COMPANY))
        note = f"as-of now, one company in 20, median; {whole}"
        ground.found(Figure("as_of_whole", latest, "s", reading, note))
        asked = await _median(settings, lambda chance: _anywhere(chance, decided))
        note = f"as-of at a random event time and position, median; {whole}"
        ground.found(Figure("as_of_random", asked, "s", reading, note))
        explained = await _median(settings, lambda _: Telling(QUERY, COMPANY, measure="total_pnl"))
        ground.found(Figure("explain", explained, "s", reading, f"a sum explained, first page, median; {whole}"))


def _anywhere(chance: Random, head: Position) -> Telling:
    position = Position({place: chance.randint(0, offset) for place, offset in head.offsets.items()})
    return Telling(QUERY, COMPANY, time=BEGIN + chance.randint(0, SPAN), position=str(position))


async def _median(settings: Settings, asked: Callable[[Random], Telling]) -> float:
    chance, times = Random(5), []
    for _ in range(PAIRS):
        question, began = asked(chance), time.perf_counter()
        await tell(settings, question)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


async def _decided(log: EventLog, url: str) -> Position:
    """Note that admission has taken the whole log."""
    heads = {(topic, p): head for topic in STREAMS for p, head in (await log.heads(topic)).items()}
    insert = "INSERT INTO admissions VALUES (%s, %s, %s, 0, 0, 0)"

    def note() -> None:
        with psycopg.connect(url) as connection, connection.cursor() as cursor:
            cursor.executemany(insert.encode(), [(topic, p, head) for (topic, p), head in heads.items()])

    await asyncio.to_thread(note)
    return Position(heads)
