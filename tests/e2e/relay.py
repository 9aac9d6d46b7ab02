"""python -m tests.e2e.relay --kills 100: relays killed with kill -9 under load, beside a slow committer.

Two relay processes run, one at work and one standing by. Writers put events into the store without a pause; one of
them holds its transaction open again and again. The one at work is killed and started again, over and over. At the end
the topic must have every event of the store once in effect, in commit order, each where the progress says; and the
read models, folded from it, must have each event in its history, and each dashboard as its events made it.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
from common.envelope_pb2 import AnalyticsProcessingEnvelope

from adapters.postgres.migrate import migrate
from adapters.servers.servers import Addresses, Servers
from app.bench.folding import fold
from app.settings import Settings
from app.wiring import event_log
from domain.events.catalogue import STREAMS
from projections.engine.declare.registry import projection
from projections.engine.fold.admission import Admission, Records
from projections.engine.store.sql import over_tables
from tests.projections.harness import Logged, chunks_of
from tests.support.event_logs import read_all
from tests.support.event_store import decide, state
from tests.support.instance import environment
from tests.support.kafka_broker import KafkaBroker, find_broker, work_place

TOPIC = "config-events"
PARTITIONS = 4
COMPANIES = 12
SLOW = 0.15  # seconds that the slow committer holds its transaction at most
PACE = 0.004  # seconds between two events of a fast writer
AT_WORK = """
    SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND application_name LIKE 'relay-%'
"""

MISREAD = """
    SELECT count(*) FROM config_events AS e FULL JOIN {configuration_change} AS c
        ON c.aggregate_id = e.originator_id::text AND c.version = e.originator_version
    LEFT JOIN {configured_dashboard} AS d ON d.aggregate_id = e.originator_id::text
    WHERE e IS NULL OR c IS NULL OR d IS NULL OR d.unread_events > 0 OR c.topic <> e.topic
        OR c.body::jsonb <> convert_from(e.state, 'UTF8')::jsonb -> 'body'
        OR d.name <> convert_from(e.state, 'UTF8')::jsonb -> 'body' ->> 'name'
"""


@dataclass(frozen=True)
class Proof:
    """What a run found. `repeats`: records that count for nothing, because an earlier one says the same."""

    kills: int
    stored: int
    records: int
    admitted: int
    quarantined: int
    missing: int
    disorder: int
    misplaced: int
    unlike: int
    misread: int
    seconds: float

    @property
    def repeats(self) -> int:
        """Records beyond those that count."""
        return self.records - self.admitted

    @property
    def exact(self) -> bool:
        """Every event of the store once in effect, in commit order, where the progress says."""
        wrong = self.quarantined + self.missing + self.disorder + self.misplaced + self.unlike + self.misread
        return not wrong and 0 < self.stored == self.admitted

    def report(self) -> str:
        """The run in a few lines."""
        return (
            f"{self.kills} kills in {self.seconds:.0f} s; {self.stored:,} events in the store,"
            f" {self.records:,} records in the log, of them {self.repeats:,} repeats\n"
            f"counted {self.admitted:,}: missing {self.missing}, out of order {self.disorder}, misplaced"
            f" {self.misplaced}, of another content {self.unlike}, set aside {self.quarantined}, misread {self.misread}"
        )


@dataclass
class Relays:
    """Relay processes by name; the name is what their database session is called."""

    settings: Mapping[str, str]
    folder: Path
    living: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    names: count[int] = field(default_factory=lambda: count(1))

    def start(self) -> None:
        """One more."""
        name = f"relay-{next(self.names)}"
        command = [sys.executable, "-m", "app.cli", "serve", "relay", "--data", str(self.folder)]
        with (self.folder.parent / "relays.log").open("ab") as log:
            self.living[name] = subprocess.Popen(
                command, env=environment(PGAPPNAME=name, **self.settings), stdout=log, stderr=log
            )

    def end(self, name: str, how: signal.Signals) -> None:
        process = self.living.pop(name)
        process.send_signal(how)
        process.wait(30)

    def end_all(self) -> None:
        for name in list(self.living):
            self.end(name, signal.SIGTERM)


class Writers:
    """Threads that decide without a pause until they are told to end."""

    def __init__(self, url: str, fast: int, seed: int) -> None:
        self._url, self._over, self._seed = url, threading.Event(), seed
        self._threads = [threading.Thread(target=self._write, args=(f"w{n}", PACE, 0.0)) for n in range(fast)]
        self._threads.append(threading.Thread(target=self._write, args=("slow", 0.05, SLOW)))

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _write(self, name: str, pace: float, hold: float) -> None:
        chance = random.Random(f"{self._seed}{name}")
        with psycopg.connect(self._url, autocommit=True) as connection:
            for number in count(1):
                company = f"company-{number % COMPANIES}"
                body = {"name": f"{name} {number}", "owner": name}
                said = state(company, body=body, command_id=f"{name}-{number}")
                decide(connection, f"{name}-{number}", 1, said, "dashboard.created", chance.uniform(0, hold))
                if self._over.wait(chance.uniform(0, 2 * pace)):
                    return


def prove(folder: Path, kills: int, broker: KafkaBroker | None = None, seed: int = 5) -> Proof:
    """Run it on servers of its own in a folder; the log is Kafka where a broker is given."""
    servers = Servers(folder)
    addresses = asyncio.run(servers.start())
    try:
        migrate(addresses.database_url)
        settings = _settings(folder, addresses, broker)
        asyncio.run(_create(settings))
        began = time.monotonic()
        _kill(settings, kills, random.Random(seed), seed)
        return asyncio.run(_verdict(settings, kills, time.monotonic() - began))
    finally:
        asyncio.run(servers.stop())


def _settings(folder: Path, addresses: Addresses, broker: KafkaBroker | None) -> Settings:
    kafka = broker.bootstrap if broker else ""
    return Settings(
        data=folder, database_url=addresses.database_url, nats_url=addresses.nats_url, kafka_bootstrap_servers=kafka
    )


async def _create(settings: Settings) -> None:
    async with event_log(settings) as log:
        await log.create_topics({TOPIC: PARTITIONS})


def _kill(settings: Settings, kills: int, chance: random.Random, seed: int) -> None:
    """Kill the relay at work so many times while the writers write, then let the last ones catch up."""
    told = {
        "ANALYTICS_DATABASE_URL": settings.database_url,
        "ANALYTICS_NATS_URL": settings.nats_url,
        "ANALYTICS_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
    }
    relays, writers = Relays(told, settings.data), Writers(settings.database_url, 3, seed)
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        relays.start()
        relays.start()
        writers.start()
        try:
            for _ in range(kills):
                name = _at_work(connection, relays)
                time.sleep(chance.uniform(0, 0.3))
                relays.end(name, signal.SIGKILL)
                relays.start()
        finally:
            writers.end()
        _caught_up(connection)
        relays.end_all()


def _at_work(connection: psycopg.Connection, relays: Relays) -> str:
    """The name of the relay that has the turn, once one has it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        names = {str(name) for (name,) in connection.execute(AT_WORK.encode())} & relays.living.keys()
        if names:
            return names.pop()
        time.sleep(0.01)
    raise AssertionError("no relay took the turn within 60 s")


def _caught_up(connection: psycopg.Connection) -> None:
    deadline = time.monotonic() + 60
    query = "SELECT last_id = (SELECT max(notification_id) FROM config_events) FROM relay"
    while connection.execute(query).fetchone() != (True,):
        assert time.monotonic() < deadline, "the relay did not catch up within 60 s"
        time.sleep(0.05)


async def _verdict(settings: Settings, kills: int, seconds: float) -> Proof:
    async with event_log(settings) as log:
        found = await read_all(log, TOPIC)
        await log.create_topics(dict.fromkeys(STREAMS, 1))
        await fold(log, settings.database_url, [projection("configuration")])
    records = [Logged(TOPIC, p, offset, value) for p, rows in found.items() for offset, value in rows]
    _, decision = Admission(TOPIC, lambda _: {}, {}).decide(Records.of(chunks_of(records)))
    repeats = set(decision.duplicates)
    read = {(r.partition, r.offset): AnalyticsProcessingEnvelope.FromString(r.value) for r in records}
    effective = [(place, e.producer_seq) for place, e in read.items() if place not in repeats]
    with psycopg.connect(settings.database_url) as connection:
        stored = [int(n) for (n,) in connection.execute("SELECT notification_id FROM config_events ORDER BY 1")]
        places = connection.execute("SELECT partition, log_offset, notification_id FROM relay_places").fetchall()
        [(misread,)] = connection.execute(over_tables(projection("configuration"), MISREAD).encode()).fetchall()
    return Proof(
        kills=kills,
        stored=len(stored),
        records=len(records),
        admitted=decision.admitted,
        quarantined=len(decision.quarantined),
        missing=len(set(stored) ^ {number for _, number in effective}),
        disorder=_out_of_order(effective),
        misplaced=sum(read[p, offset].producer_seq != n for p, offset, n in places) + abs(len(stored) - len(places)),
        unlike=_unlike(records),
        misread=misread,
        seconds=seconds,
    )


def _out_of_order(effective: list[tuple[tuple[int, int], int]]) -> int:
    """Records that count and follow one of a later commit in their partition."""
    last: dict[int, int] = {}
    wrong = 0
    for (partition, _), number in sorted(effective):
        wrong += number <= last.get(partition, 0)
        last[partition] = number
    return wrong


def _unlike(records: list[Logged]) -> int:
    """Repeats whose bytes are not those of the record that they repeat."""
    first: dict[int, bytes] = {}
    return sum(
        first.setdefault(AnalyticsProcessingEnvelope.FromString(r.value).producer_seq, r.value) != r.value
        for r in records
    )


def main() -> int:
    """Run it and print what was found; 0 when it is exact."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.relay", description=__doc__)
    parser.add_argument("--log", choices=("embedded", "kafka"), default="embedded")
    parser.add_argument("--kills", type=int, default=100)
    given = parser.parse_args()
    broker = find_broker() if given.log == "kafka" else None
    with work_place("relay", broker) as folder:
        proof = prove(folder, given.kills, broker)
    sys.stdout.write(proof.report() + "\n")
    return 0 if proof.exact else 1


if __name__ == "__main__":
    sys.exit(main())
