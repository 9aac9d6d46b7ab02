"""Reading: one row over HTTP, through the real read API with a token, beside a bare SELECT of the same row."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import closing

import psycopg

from app.bench.environment import Ground
from app.bench.figures import Figure
from app.bench.http import Connection
from app.bench.instance import Instance
from domain.access.rights import Role
from domain.errors import Unavailable
from projections.engine.declare.registry import projection
from projections.engine.store.sql import over_tables

ROW = "SELECT * FROM {trade} WHERE company_id = %s AND trade_id = %s"
ANY_ROW = "SELECT company_id, trade_id FROM {trade} LIMIT 1"
PATIENCE = 60.0  # seconds until the events of the doors are folded


async def measure(ground: Ground, instance: Instance) -> None:
    """Requests of one client, one after the other, for one trade."""
    await asyncio.to_thread(_measure, ground, instance)


def _measure(ground: Ground, instance: Instance) -> None:
    with psycopg.connect(instance.settings.database_url, autocommit=True) as database:
        key = some_trade(database)
        row = of_trading(ROW)
        floor = timed(ground.scale.reads, lambda: database.execute(row, key, prepare=True).fetchone())
    path = f"/api/v1/query/trades?company={key[0]}&trade_id={key[1]}"
    with closing(Connection(instance.address("read_api"), instance.token(Role.VIEWER))) as connection:
        assert [row["trade_id"] for row in json.loads(connection.get(path))["rows"]] == [key[1]]
        times = timed(ground.scale.reads, lambda: connection.get(path))
    note = "of an HTTP query for one row, one client (floor: bare SELECT of the row)"
    ground.report_times("http_read", times, floor, note)
    note = "the same as a rate: one client, one request after the other"
    ground.report(
        Figure("http_read_rate", 1000 * len(times) / sum(times), "reads/s", 1000 * len(floor) / sum(floor), note)
    )


def of_trading(statement: str) -> bytes:
    """A statement over tables of trading, in the version that runs."""
    return over_tables(projection("trading"), statement).encode()


def some_trade(database: psycopg.Connection) -> tuple[str, str]:
    """Company and id of a trade, as soon as one is folded. Raises Unavailable."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = database.execute(of_trading(ANY_ROW)).fetchone()
        if found is not None:
            return str(found[0]), str(found[1])
        time.sleep(0.1)
    raise Unavailable(f"no trade was folded within {PATIENCE:.0f} s")


def timed(count: int, work: Callable[[], object]) -> list[float]:
    """Milliseconds of each of so many calls, after some that are not counted."""
    for _ in range(max(1, count // 20)):
        work()
    times = []
    for _ in range(count):
        began = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - began))
    return times
