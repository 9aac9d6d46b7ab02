"""One run of the proof: an instance, the stream through all doors under kills, the verdict, and a table of it all."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from tests.e2e.exactness.chaos import BrokerVictim, Feed, Killer, MemoryWatch, PostgresVictim, ProjectorVictim
from tests.e2e.exactness.doors import Door, FileDoor, GrpcDoor, HttpDoor, Mixture, deliver, hold
from tests.e2e.exactness.recount import Recount
from tests.e2e.exactness.stream import Stream
from tests.e2e.exactness.verdict import Line, Quarantined, compare, quarantined
from tests.support.instance import Instance
from tests.support.kafka_broker import KafkaBroker

# Resident at most; an API has API_MEGABYTES. The indexer reads its blocks as columns: 226 where it was starved long.
MEGABYTES = {"projector": 400, "indexer": 300, "live": 300, "sealer": 200}
API_MEGABYTES = 125  # of which the client of Kafka has six
PROJECTORS = 2
CATCH_UP = "600"  # seconds
RECOVERIES = 60  # seconds that a killed server may take to answer
Batch = Callable[[], tuple[list[bytes], int]]


@dataclass
class Proof:
    """What a run found."""

    events: int
    duplicates: int
    kills: dict[str, int]
    refusals: dict[str, int]
    lines: dict[str, Line]
    bad: Quarantined
    memory: dict[str, list[int]]
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def exact(self) -> bool:
        """Nothing lost, nothing double, nothing unequal, every bad event kept, every query compared."""
        queries = all(line.questions and not (line.lost or line.double or line.unequal) for line in self.lines.values())
        return queries and not self.bad.missing and not self.bad.strange

    @property
    def too_large(self) -> list[str]:
        """Roles that have been above their limit."""
        return [role for role, sizes in self.memory.items() if max(sizes) > MEGABYTES.get(role, API_MEGABYTES)]

    def report(self) -> str:
        """The run as tables."""
        kills = ", ".join(f"{name} {number}" for name, number in self.kills.items())
        refusals = ", ".join(f"{name} {number}" for name, number in self.refusals.items())
        text = [f"{self.events:,} events, {self.duplicates:,} duplicates, {self.bad.wanted:,} bad; kill -9: {kills}"]
        text.append(f"deliveries repeated: {refusals}; " + ", ".join(f"{n} {s:.0f} s" for n, s in self.seconds.items()))
        text.append(f"{'query':<16}{'questions':>10}{'rows':>10}{'counted':>12}{'lost':>6}{'double':>8}{'unequal':>9}")
        for line in self.lines.values():
            text.append(
                f"{line.query:<16}{line.questions:>10,}{line.rows:>10,}{line.counted:>12,}"
                f"{line.lost:>6,}{line.double:>8,}{line.unequal:>9,}"
            )
            text += [f"    {example}" for example in line.examples]
        text.append(f"quarantine: {self.bad.wanted:,} bad, {self.bad.missing} missing, {self.bad.strange} not ours")
        text.append(f"{'resident MB':<16}{'first third':>12}{'last third':>12}{'largest':>10}")
        for role, sizes in sorted(self.memory.items()):
            third = max(1, len(sizes) // 3)
            first, last = statistics.median(sizes[:third]), statistics.median(sizes[-third:])
            text.append(f"{role:<16}{first:>12.0f}{last:>12.0f}{max(sizes):>10}")
        return "\n".join(text)


@dataclass(frozen=True)
class Size:
    """How large a run is."""

    events: int
    kills: int  # of each kind of process
    parcel: int  # events in one request or stream; files hold some


def prove(folder: Path, size: Size, broker: KafkaBroker | None = None, seed: int = 7) -> Proof:
    """Run it all in a folder; the log is Kafka where a broker is given. The broker must be ours to kill."""
    instance = Instance(folder)
    kafka = {"ANALYTICS_KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap} if broker else {}
    instance.start(ANALYTICS_PROJECTORS=str(PROJECTORS), **kafka)
    try:
        return _prove(instance, size, broker, seed)
    finally:
        instance.stop()


def _prove(instance: Instance, size: Size, broker: KafkaBroker | None, seed: int) -> Proof:
    clock = time.monotonic()
    recount = Recount()
    mixture = Mixture(Stream(seed).events(size.events), recount, seed)
    feed = Feed(size.events)
    killers = _killers(instance, size.kills, feed, broker, seed)
    watch = MemoryWatch(instance).start()
    try:
        refusals = _run(instance, mixture, feed, killers, size)
        fed = time.monotonic()
        _catch_up(instance)
        caught_up = time.monotonic()
    finally:
        watch.stop()
    lines = compare(instance, recount)
    bad = quarantined(instance, mixture.bad)
    kills = {killer.name: killer.killed for killer in killers}
    proof = Proof(recount.events, mixture.duplicates, kills, refusals, lines, bad, dict(watch.samples))
    proof.seconds = {
        "fed in": fed - clock,
        "caught up in": caught_up - fed,
        "compared in": time.monotonic() - caught_up,
    }
    return proof


def _catch_up(instance: Instance) -> None:
    """Return once everything is folded. What was killed last may not be back yet, and then nobody answers at first."""
    for _ in range(RECOVERIES):
        waited = instance.command("projections", "wait", "--timeout", CATCH_UP)
        if waited.exit_code == 0 or "does not answer" not in waited.output:
            break
        time.sleep(1)
    assert waited.exit_code == 0, waited.output


def _killers(instance: Instance, times: int, feed: Feed, broker: KafkaBroker | None, seed: int) -> list[Killer]:
    chance = random.Random(seed + 1)
    killers = [
        Killer("projector", ProjectorVictim(instance, chance), times, feed, chance),
        Killer("postgresql", PostgresVictim(instance), times, feed, chance),
    ]
    if broker is not None:
        killers.append(Killer("broker", BrokerVictim(broker, chance), times, feed, chance))
    return killers


def _doors(instance: Instance, mixture: Mixture, parcel: int) -> Iterator[tuple[str, Door, list[Batch]]]:
    """Each door with what is sent through it in turn; one stream at a time, so that stamps arrive in order."""
    token = instance.token("service", "*")
    yield "file", FileDoor(instance), [lambda: mixture.lines(4 * parcel)]
    yield "http", HttpDoor(instance, token), [lambda: mixture.lines(parcel)]
    plain: Batch = lambda: mixture.envelopes(parcel, stamped=False)  # noqa: E731 # beside the others it reads best
    yield "grpc", GrpcDoor(instance, token), [plain, lambda: mixture.envelopes(parcel, stamped=True)]


def _run(instance: Instance, mixture: Mixture, feed: Feed, killers: list[Killer], size: Size) -> dict[str, int]:
    """Feed and kill until both are through; how many deliveries had to be repeated, by door."""
    with _together(feed) as start:
        for killer in killers:
            start(killer.run)
        producers = {
            name: start(_produce, door, batches, feed, killers)
            for name, door, batches in _doors(instance, mixture, size.parcel)
        }
    return {name: producer.result() for name, producer in producers.items()}


def _produce(door: Door, batches: list[Batch], feed: Feed, killers: list[Killer]) -> int:
    refused = 0
    with closing(door):
        for batch in cycle(batches):
            hold(feed, killers)
            items, fresh = batch()
            if not items:
                break
            refused += deliver(door, items, feed)
            feed.add(fresh)
    return refused


@contextmanager
def _together(feed: Feed) -> Iterator[Callable[..., Future[int]]]:
    """Threads that end together: the first failure stops the others and is raised."""
    with ThreadPoolExecutor() as pool:
        started: list[Future[int]] = []

        def start(work: Callable[..., int], *arguments: object) -> Future[int]:
            started.append(pool.submit(work, *arguments))
            return started[-1]

        yield start
        done, _ = wait(started, return_when=FIRST_EXCEPTION)
        if any(future.exception() for future in done):
            feed.stopped.set()
    for future in done:
        future.result()
