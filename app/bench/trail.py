"""What the audit trail costs a reader: the same reads through two read APIs, one that keeps it and one that does not.

Both run at once on the servers of the instance and are asked in turn, round by round, so that whatever else the machine
does falls on both. Told is the pair whose ratio is the median.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import psycopg

from app.bench.child import child, first_line
from app.bench.environment import Ground
from app.bench.figures import Figure, quantile
from app.bench.http import Connection
from app.bench.instance import Instance
from app.bench.reading import some_trade, timed
from domain.access.rights import Role

ROUNDS = 40


async def measure(ground: Ground, instance: Instance) -> None:
    """Reads with the trail beside reads without it."""
    async with _read_api(instance, 10_000) as kept, _read_api(instance, 0) as unkept:
        await asyncio.to_thread(_measure, ground, instance, kept, unkept)


def _measure(ground: Ground, instance: Instance, kept: int, unkept: int) -> None:
    with psycopg.connect(instance.settings.database_url, autocommit=True) as database:
        company, trade = some_trade(database)
    path, token = f"/api/v1/query/trades?company={company}&trade_id={trade}", instance.token(Role.VIEWER)
    count = max(10, ground.scale.reads // ROUNDS)
    p50s, rates = [], []
    for number in range(ROUNDS):
        order = (kept, unkept) if number % 2 else (unkept, kept)  # whoever comes second finds warmer caches
        times = {port: _round(port, token, path, count) for port in order}
        p50s.append((quantile(times[kept], 0.5), quantile(times[unkept], 0.5)))
        rates.append((1000 * count / sum(times[kept]), 1000 * count / sum(times[unkept])))
    with_it, without = _median(p50s)
    note = "p50 of an HTTP query for one row with the audit trail (floor: the same without it, in turns)"
    ground.report(Figure("audited_read_p50", with_it, "ms", without, note))
    with_it, without = _median(rates)
    ground.report(Figure("audited_read_rate", with_it, "reads/s", without, "the same as a rate, one client"))


def _round(port: int, token: str, path: str, count: int) -> list[float]:
    """Milliseconds of each read; a connection of its own, because an idle one is closed after some seconds."""
    with closing(Connection(("127.0.0.1", port), token)) as connection:
        return timed(count, lambda: connection.get(path))


def _median(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    """The pair whose ratio is the median of all."""
    return sorted(pairs, key=lambda pair: pair[0] / pair[1])[len(pairs) // 2]


@asynccontextmanager
async def _read_api(instance: Instance, notes: int) -> AsyncIterator[int]:
    """A read API of its own on the instance's servers; its port."""
    environment = {
        **os.environ,
        "ANALYTICS_DATABASE_URL": instance.settings.database_url,
        "ANALYTICS_NATS_URL": instance.settings.nats_url,
        "ANALYTICS_READ_PORT": "0",
        "ANALYTICS_TRAIL_NOTES": str(notes),
        "ANALYTICS_LOG_LEVEL": "WARNING",
    }
    arguments = ["app.cli", "serve", "read-api", "--data", str(instance.settings.data)]
    async with child(*arguments, environment=environment) as output:
        yield int(json.loads(await first_line(output, "the read API to be measured did not start"))["port"])
