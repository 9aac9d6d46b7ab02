"""Commands over HTTP, through the real command API with a token, beside a bare insert of one row."""

from __future__ import annotations

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg

from app.bench.environment import Ground
from app.bench.figures import Figure
from app.bench.http import Connection
from app.bench.instance import Instance, running_instance
from domain.access.rights import Role

CLIENTS = 8
PATH = "/api/v1/dashboard/config"
MADE = "CREATE TABLE read_models.bench_floor (id bigserial PRIMARY KEY, state bytea NOT NULL)"
INSERT = "INSERT INTO read_models.bench_floor (state) VALUES (%s)"
STATE = b"x" * 300  # as large as a stored event


async def commands(ground: Ground) -> None:
    """Renames of dashboards: by one client, and by several at once."""
    async with running_instance(ground.folder / "commands") as (instance, _):
        await asyncio.to_thread(_measure, ground, instance)


def _measure(ground: Ground, instance: Instance) -> None:
    count = max(CLIENTS, ground.scale.reads // 5)
    with psycopg.connect(instance.settings.database_url, autocommit=True) as database:
        database.execute(MADE)
        floor = sorted(_insert(database) for _ in range(count))
    alone = _renamed(instance, count)
    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        times = list(clients.map(lambda _: _renamed(instance, count // CLIENTS), range(CLIENTS)))
    rate = sum(map(len, times)) / (time.perf_counter() - began)
    note = "of a command over HTTP, one client (floor: bare insert of one row, durable)"
    ground.report_times("command", alone, floor, note)
    note = f"commands of {CLIENTS} clients, each on an aggregate of its own (floor: bare inserts, one after the other)"
    ground.report(Figure("commands_rate", rate, "commands/s", 1000 * len(floor) / sum(floor), note))


def _insert(database: psycopg.Connection) -> float:
    began = time.perf_counter()
    database.execute(INSERT, (STATE,), prepare=True)
    return 1000 * (time.perf_counter() - began)


def _renamed(instance: Instance, count: int) -> list[float]:
    """Milliseconds of each of so many renames of a new dashboard."""
    company, media_type = "?company=bench", "application/json"
    with closing(Connection(instance.address("command_api"), instance.token(Role.ADMIN))) as connection:
        made = json.loads(connection.post(PATH + company, b'{"name": "new"}', media_type))
        path, times = f"{PATH}/{made['id']}/rename{company}", []
        for number in range(count):
            began = time.perf_counter()
            connection.post(path, json.dumps({"name": f"name {number}"}).encode(), media_type)
            times.append(1000 * (time.perf_counter() - began))
        return times
