"""Kill -9 at random moments of a feed: of projectors, of PostgreSQL, of the broker; and a watch of everybody's memory.

A moment is a share of the feed, so that every kill strikes while events flow, however fast the machine is. The feed
waits for a killer that is late: nothing is spared by coming to an end first.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import psutil

from tests.support.instance import Instance, role_of
from tests.support.kafka_broker import KafkaBroker

PATIENCE = 120.0  # seconds that a killed process may take to be there again
LEAD = 0.04  # share of the feed by which it may be ahead of a kill that is due
NEVER = 2.0

Kill = Callable[[], bool]  # whether something was killed: not while what was killed before has not come back


@dataclass
class Feed:
    """How far the feed is; told by the doors, read by the killers."""

    total: int
    accepted: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def share(self) -> float:
        """Accepted events as a share of all."""
        return self.accepted / self.total

    def add(self, events: int) -> None:
        """So many events were accepted."""
        with self.lock:
            self.accepted += events


class Killer:
    """Kills one kind of process so many times."""

    def __init__(self, name: str, kill: Kill, times: int, feed: Feed, chance: random.Random) -> None:
        self.name = name
        self.killed = 0
        self.next = NEVER
        self._kill = kill
        self._feed = feed
        self._chance = chance
        self._points = sorted(chance.uniform(0.02, 0.93) for _ in range(times))
        self.next = self._points[0] if self._points else NEVER

    def run(self) -> None:
        """Strike at every point, each time a process that has come up since the last time."""
        for point in self._points:
            self.next = point
            while self._feed.share < point and not self._feed.stopped.is_set():
                time.sleep(0.02)
            self._strike()
            self.killed += 1
        self.next = NEVER

    def _strike(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self._feed.stopped.wait(self._chance.uniform(0, 0.5)):
            if self._kill():
                return
            assert time.monotonic() < deadline, f"{self.name} did not come back within {PATIENCE:.0f} s"
        raise AssertionError(f"{self.name}: the feed ended early")


def serving(instance: Instance) -> Iterator[tuple[str, psutil.Process]]:
    """The instance's living processes with their roles; the supervisor may be starting or burying some meanwhile."""
    assert instance.process is not None
    for process in psutil.Process(instance.process.pid).children():
        with contextlib.suppress(psutil.Error):
            if role := role_of(process):
                yield role, process


class ProjectorVictim:
    """Some projector of the instance, none twice."""

    def __init__(self, instance: Instance, chance: random.Random) -> None:
        self._instance = instance
        self._chance = chance
        self._dead: set[int] = set()

    def __call__(self) -> bool:
        """Kill one that lives."""
        living = [p for role, p in serving(self._instance) if role == "projector" and p.pid not in self._dead]
        if not living:
            return False
        victim = self._chance.choice(living)
        victim.kill()
        self._dead.add(victim.pid)
        return True


class PostgresVictim:
    """The PostgreSQL server of the instance's own folder, once it takes connections again."""

    def __init__(self, instance: Instance) -> None:
        self._file = instance.folder / "postgres" / "postmaster.pid"
        self._dead: set[int] = set()

    def __call__(self) -> bool:
        """Kill the postmaster; its children notice and end."""
        try:
            lines = self._file.read_text().splitlines()
        except FileNotFoundError:
            return False
        if len(lines) < 8 or lines[7].strip() != "ready" or int(lines[0]) in self._dead:
            return False
        server = psutil.Process(int(lines[0]))
        assert server.name() == "postgres", server
        server.kill()
        self._dead.add(server.pid)
        return True


class BrokerVictim:
    """The broker, which is started again by whoever killed it."""

    def __init__(self, broker: KafkaBroker, chance: random.Random) -> None:
        self._broker = broker
        self._chance = chance

    def __call__(self) -> bool:
        """Kill it, leave it dead for a moment, start it again."""
        self._broker.kill()
        time.sleep(self._chance.uniform(0, 1.5))
        self._broker.restart()
        return True


class MemoryWatch:
    """Samples the resident size of every process of an instance, by what it serves."""

    def __init__(self, instance: Instance) -> None:
        self.samples: defaultdict[str, list[int]] = defaultdict(list)  # megabytes
        self._instance = instance
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> MemoryWatch:
        """Begin."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.5):
            largest: dict[str, int] = {}
            for role, process in serving(self._instance):
                with contextlib.suppress(psutil.Error):  # it was killed between two looks
                    largest[role] = max(process.memory_info().rss // 1_000_000, largest.get(role, 0))
            for role, size in largest.items():
                self.samples[role].append(size)
