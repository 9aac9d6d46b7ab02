"""python -m tests.e2e.handover --log kafka --minutes 5: projectors come, go, die and freeze while events flow.

Every few seconds one joins, leaves in order, or is killed; again and again one is frozen for longer than its session
lasts, so that others take its partitions, and then woken. At the end every answer is compared with a plain recount, and
every step of every checkpoint, which a trigger wrote down, must begin where the one before it ended: a frozen worker
that had written what it once read would stand there as a step from the past.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg

from tests.e2e.exactness.chaos import Feed
from tests.e2e.exactness.doors import GrpcDoor, HttpDoor, Mixture, deliver
from tests.e2e.exactness.recount import Recount
from tests.e2e.exactness.stream import Stream
from tests.e2e.exactness.verdict import Line, Quarantined, compare, quarantined
from tests.support.instance import Instance, environment
from tests.support.kafka_broker import KafkaBroker, find_broker, work_place

PARCEL = 500  # events in one request
PACE = 0.25  # seconds between two requests
FREEZE = 14.0  # seconds: longer than a session or a lease, which last 10

WITNESS = """
    CREATE TABLE steps (
        number bigint GENERATED ALWAYS AS IDENTITY, worker text, projection text, version int, topic text,
        partition int, old_offset bigint, new_offset bigint);
    CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO steps (worker, projection, version, topic, partition, old_offset, new_offset)
        VALUES (current_setting('application_name'), new.projection, new.version, new.topic, new.partition,
                old.next_offset, new.next_offset);
        RETURN NULL;
    END $$;
    CREATE TRIGGER witness AFTER UPDATE ON checkpoints FOR EACH ROW
        WHEN (old.next_offset <> new.next_offset) EXECUTE FUNCTION witness()
"""
BROKEN = """
    SELECT count(*) FROM (
        SELECT old_offset, lag(new_offset) OVER (PARTITION BY projection, version, topic, partition ORDER BY number)
            AS before FROM steps) AS told
    WHERE old_offset <> before
"""


@dataclass
class Members:
    """Projectors beside the instance's own one; each writes a log of its own, and its name stands at its steps."""

    instance: Instance
    settings: dict[str, str]
    chance: random.Random
    living: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    names: count[int] = field(default_factory=lambda: count(1))
    done: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("joined", "left", "killed", "frozen"), 0))
    zombies: set[str] = field(default_factory=set)

    def join(self) -> None:
        """Start one."""
        name = f"member-{next(self.names)}"
        command = [sys.executable, "-m", "app.cli", "serve", "projector", "--data", str(self.instance.folder)]
        with self.log_of(name).open("wb") as log:
            self.living[name] = subprocess.Popen(
                command, env=environment(PGAPPNAME=name, **self.settings), stdout=log, stderr=log
            )
        self.done["joined"] += 1

    def log_of(self, name: str) -> Path:
        return self.instance.folder.parent / f"{name}.log"

    def part(self, name: str, how: signal.Signals) -> None:
        """Let one go: SIGTERM in order, SIGKILL at once."""
        process = self.living.pop(name)
        process.send_signal(how)
        process.wait(30)
        self.done["left" if how == signal.SIGTERM else "killed"] += 1

    def freeze(self, over: threading.Event, seconds: float) -> None:
        """Stop one for longer than its session, and wake it."""
        name = self.chance.choice(list(self.living))
        self.zombies.add(name)
        self.living[name].send_signal(signal.SIGSTOP)
        over.wait(seconds)
        self.living[name].send_signal(signal.SIGCONT)
        self.done["frozen"] += 1

    def stir(self, over: threading.Event, freeze: float) -> None:
        """Come and go until it is over, a freeze at every fourth turn."""
        for turn in count():
            if len(self.living) < 2:
                self.join()
            elif turn % 4 == 0:
                self.freeze(over, freeze)
            elif len(self.living) > 3 or self.chance.random() < 0.5:
                how = self.chance.choice([signal.SIGTERM, signal.SIGKILL])
                self.part(self.chance.choice(list(self.living)), how)
            else:
                self.join()
            if over.wait(self.chance.uniform(1.5, 4.0)):
                break

    def end(self) -> None:
        for name in list(self.living):
            self.living[name].send_signal(signal.SIGCONT)
            self.part(name, signal.SIGTERM)

    @property
    def fenced(self) -> int:
        """How often a member found that somebody else had gone on where it stood."""
        logs = [self.log_of(f"member-{n}") for n in range(1, next(self.names))]
        return sum(log.read_text().count("moved by another worker") for log in logs)


@dataclass(frozen=True)
class Proof:
    """What a run found. `broken`: steps of checkpoints that do not begin where the one before ended."""

    events: int
    done: dict[str, int]
    fenced: int
    steps: int
    workers: int
    broken: int
    lines: dict[str, Line]
    bad: Quarantined

    @property
    def exact(self) -> bool:
        """Nothing lost, nothing double, and no step from the past."""
        queries = all(line.questions and not (line.lost or line.double or line.unequal) for line in self.lines.values())
        return queries and not self.broken and not self.bad.missing

    def report(self) -> str:
        """The run in a few lines."""
        moves = ", ".join(f"{name} {times}" for name, times in self.done.items())
        lost, double = (sum(getattr(line, name) for line in self.lines.values()) for name in ("lost", "double"))
        unequal = sum(line.unequal for line in self.lines.values())
        examples = [example for line in self.lines.values() for example in line.examples]
        return "\n".join(
            [
                f"{self.events:,} events; members: {moves}; fenced {self.fenced} times",
                f"{self.steps:,} steps of checkpoints by {self.workers} workers, {self.broken} out of turn",
                f"{len(self.lines)} queries against the recount: lost {lost}, double {double}, unequal {unequal};"
                f" quarantine {self.bad.missing} missing",
                *examples[:10],
            ]
        )


def prove(
    folder: Path, seconds: float, broker: KafkaBroker | None = None, freeze: float = FREEZE, seed: int = 5
) -> Proof:
    """Run it in a folder; the log is Kafka where a broker is given."""
    settings = {"ANALYTICS_KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap} if broker else {}
    instance = Instance(folder)
    instance.start(**settings)
    members, recount = Members(instance, settings, random.Random(seed)), Recount()
    mixture, over = Mixture(Stream(seed).events(2**40), recount, seed), threading.Event()
    try:
        with psycopg.connect(instance.addresses["database"], autocommit=True) as connection:
            connection.execute(WITNESS.encode())
        stirring = threading.Thread(target=members.stir, args=(over, freeze))
        stirring.start()
        try:
            _feed(instance, mixture, seconds)
        finally:
            over.set()
            stirring.join()
        waited = instance.command("projections", "wait", "--timeout", "300")
        assert waited.exit_code == 0, waited.output
        with psycopg.connect(instance.addresses["database"]) as connection:
            [told] = connection.execute("SELECT count(*), count(DISTINCT worker) FROM steps").fetchall()
            [(broken,)] = connection.execute(BROKEN.encode()).fetchall()
        lines, bad = compare(instance, recount), quarantined(instance, mixture.bad)
        return Proof(recount.events, members.done, members.fenced, told[0], told[1], broken, lines, bad)
    finally:
        members.end()
        instance.stop()


def _feed(instance: Instance, mixture: Mixture, seconds: float) -> None:
    """Send steadily, through HTTP and gRPC in turn."""
    token, feed, until = instance.token("service", "*"), Feed(1), time.monotonic() + seconds
    with closing(HttpDoor(instance, token)) as http, closing(GrpcDoor(instance, token)) as rpc:
        for turn in count():
            if time.monotonic() > until:
                return
            if turn % 2:
                deliver(rpc, mixture.envelopes(PARCEL, stamped=turn % 4 == 1)[0], feed)
            else:
                deliver(http, mixture.lines(PARCEL)[0], feed)
            time.sleep(PACE)


def main() -> int:
    """Run it and print what was found; 0 when it is exact."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.handover", description=__doc__)
    parser.add_argument("--log", choices=("embedded", "kafka"), default="kafka")
    parser.add_argument("--minutes", type=float, default=5)
    given = parser.parse_args()
    broker = find_broker() if given.log == "kafka" else None
    with work_place("handover", broker) as folder:
        proof = prove(folder, given.minutes * 60, broker)
    print(proof.report())
    return 0 if proof.exact else 1


if __name__ == "__main__":
    sys.exit(main())
