"""The past: how long as-of queries and explanations of one company take, beside a bare read of the same topics.

The log holds five times `one` events of all types, of 20 companies evenly: no block of it can be passed over. Its
records count as decided, so that nothing but telling the past is measured.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from random import Random

from app.bench.environment import Ground
from app.bench.events import BEGIN, SPAN
from app.bench.figures import Figure
from app.bench.logs import long_log, read
from app.read_side.past import answer_question
from app.settings import Settings
from domain.position import Position
from projections.engine.declare.registry import projection
from projections.engine.query.request import Question

PAIRS = 10
COMPANY, QUERY, PROJECTION = "company-7", "trading_totals", "trading"


async def past(ground: Ground) -> None:
    """As-of at random event times and positions, then explanations of the whole."""
    async with ground.embedded_log() as (log, url):
        head = await long_log(log, url, 5 * ground.scale.one)
        settings = replace(Settings.read({}), database_url=url)
        records, reading = await read(log, sorted(projection(PROJECTION).topics))
        total = sum(head.offsets.values())
        whole = f"of {records:,} records that the projection reads in a log of {total:,} (floor: bare read of those)"
        await answer_question(settings, _question())  # what is loaded once for a process is no part of a question
        latest = await _median(settings, lambda _: _question())
        note = f"as-of now, one company in 20, median; {whole}"
        ground.report(Figure("as_of_whole", latest, "s", reading, note))
        asked = await _median(settings, lambda chance: _anywhere(chance, head))
        note = f"as-of at a random event time and position, median; {whole}"
        ground.report(Figure("as_of_random", asked, "s", reading, note))
        explained = await _median(settings, lambda _: _question(measure="total_pnl"))
        ground.report(Figure("explain", explained, "s", reading, f"a sum explained, first page, median; {whole}"))


def _question(**about: str) -> Question:
    return Question(QUERY, COMPANY, {}, datetime.now(UTC), about=about)


def _anywhere(chance: Random, head: Position) -> Question:
    position = Position({place: chance.randint(0, offset) for place, offset in head.offsets.items()})
    as_of = datetime.fromtimestamp((BEGIN + chance.randint(0, SPAN)) / 1000, UTC).isoformat()
    return _question(as_of=as_of, as_known_at=str(position))


async def _median(settings: Settings, asked: Callable[[Random], Question]) -> float:
    chance, times = Random(5), []
    for _ in range(PAIRS):
        question, began = asked(chance), time.perf_counter()
        await answer_question(settings, question)
        times.append(time.perf_counter() - began)
    return statistics.median(times)
