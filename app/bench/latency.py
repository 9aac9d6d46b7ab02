"""From an event that was accepted to a row that a SELECT sees, while events of all types come at a fixed rate.

Publisher library → log → projector process → table. Some of the events are probes: each is of a user of its own, and
the row of that user is looked for every few milliseconds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import psycopg
from common.envelope_pb2 import AnalyticsProcessingEnvelope

from app.bench.environment import Ground
from app.bench.events import BEGIN, envelopes, record
from app.bench.figures import Figure
from app.bench.instance import Instance
from app.publisher import connect
from eventlog.publish import builders
from eventlog.publish.event import Event
from eventlog.publish.publisher import Publisher
from projections.engine.declare.registry import projection
from projections.engine.store.sql import table_name

TICK = 0.01  # seconds between two publications
LOOK = 0.003  # seconds between two looks for the rows of probes
COMPANY = "probes"
ARRIVED_USERS = (
    f"SELECT user_id FROM {table_name('user_seen', projection('user_activity').version)}"
    " WHERE company_id = 'probes' AND user_id = ANY(%s)"
)
BARE = """
    INSERT INTO bare_rows AS t VALUES (%s, 1) ON CONFLICT (id) DO UPDATE SET events = t.events + excluded.events
"""


class Probes:
    """Events whose way is timed: when each was accepted, and how long until its row was there."""

    def __init__(self) -> None:
        self.accepted: dict[str, float] = {}
        self.times: list[float] = []  # ms

    def record(self, users: Sequence[str]) -> None:
        """Rows of these users are there now."""
        now = time.perf_counter()
        self.times += [1000 * (now - self.accepted.pop(user)) for user in users]


async def measure(ground: Ground, instance: Instance) -> None:
    """Publish at the scale's rate and report the times of the probes and the rate that was really published."""
    scale, probes = ground.scale, Probes()
    load = [_event(e) for e in envelopes(int(scale.rate * scale.seconds), producer="", begin=BEGIN + 7_200_000)]
    floor = await asyncio.to_thread(_bare, instance.settings.database_url)
    done = asyncio.Event()
    async with connect(instance.settings) as publisher, asyncio.TaskGroup() as group:
        group.create_task(_watch(instance.settings.database_url, probes, done))
        rate = await _publish(publisher, load, ground, probes)
        done.set()
    note = f"from accepted to visible while {scale.rate:,} events/s come (floor: bare append, then bare upsert)"
    ground.report_times("latency", probes.times, floor, note)
    ground.report(
        Figure("latency_rate", rate, "events/s", scale.rate, "events/s published meanwhile (floor: what was asked for)")
    )


def _event(envelope: AnalyticsProcessingEnvelope) -> Event:
    envelope.event_id = f"load-{envelope.event_id}"
    return Event.of(envelope, record(envelope))


async def _publish(publisher: Publisher, load: Sequence[Event], ground: Ground, probes: Probes) -> float:
    """Publish a piece each tick, however long earlier pieces take; every so often a probe goes along."""
    scale, began = ground.scale, time.perf_counter()
    size = max(1, int(scale.rate * TICK))
    every = max(1, int(1 / (scale.probes * TICK)))
    async with asyncio.TaskGroup() as group:
        for number, start in enumerate(range(0, len(load), size)):
            await asyncio.sleep(max(0.0, began + number * TICK - time.perf_counter()))
            group.create_task(publisher.publish_many(load[start : start + size]))
            if number % every == 0:
                group.create_task(_probe(publisher, f"probe-{number}", probes))
    return len(load) / (time.perf_counter() - began)


async def _probe(publisher: Publisher, user: str, probes: Probes) -> None:
    await publisher.publish(builders.user_event(company_id=COMPANY, user_id=user, name="page_view"))
    probes.accepted[user] = time.perf_counter()


async def _watch(url: str, probes: Probes, done: asyncio.Event) -> None:
    """Look for rows until all probes are seen and no more come."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        while not done.is_set() or probes.accepted:
            if probes.accepted:
                cursor = await connection.execute(ARRIVED_USERS, (list(probes.accepted),))
                probes.record([user for (user,) in await cursor.fetchall()])
            await asyncio.sleep(LOOK)


def _bare(url: str) -> list[float]:
    """Milliseconds of a committed insert of one event's bytes followed by an upsert of one row."""
    times = []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TEMP TABLE bare_rows (id int PRIMARY KEY, events bigint NOT NULL)")
        connection.execute("CREATE TABLE read_models.bare_events (value bytea NOT NULL)")
        for number in range(300):
            began = time.perf_counter()
            connection.execute("INSERT INTO read_models.bare_events VALUES (%s)", (b"x" * 220,))
            connection.execute(BARE, (number % 100,))
            times.append(1000 * (time.perf_counter() - began))
        connection.execute("DROP TABLE read_models.bare_events")
    return times
