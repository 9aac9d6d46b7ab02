"""python -m tests.e2e.live_kills --kills 20: the live lane, NATS and the projector killed in turn, so many times each.

Events of all windows come at the HTTP door without a pause, a little late and some of them twice; a gRPC client follows
message by message. After each kill there is time until all is well again: what was lost is said to be durable before
the next one. At the end what was said last of each closed minute is compared with the projections' rows, and with a
count of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from eventlog import tasks
from projections.engine.live.view import moment
from tests.e2e.live_clients import WINDOWS, Place, StreamClient, Words, differs, stored
from tests.e2e.live_load import MINUTE, Load, Rows, publish
from tests.support.instance import Instance, command_line, temporary_instance

COMPANY = "prompt"  # late by seconds
RATE = 30  # events a second
BETWEEN = (1.0, 6.0)  # seconds from when all is well again to the next kill
OPEN = 45_000  # ms after its end in which a minute may be about to become durable: its late events come in 25
HEALED = 150.0  # seconds, on a machine that does much else
LOOK = 0.2  # seconds between two looks whether all is well
CLOSING = 90.0  # seconds after the last event until all minutes must be durable
TARGETS = ("live", "nats", "projector")


@dataclass
class Kills:
    """What was sent and said, the projections' rows, and how long each kill was felt (s)."""

    load: Load
    words: Words
    places: Sequence[Place]
    stored: Mapping[Place, Rows]
    felt: Mapping[str, Sequence[float]]

    def faults(self) -> list[str]:
        """What is wrong with the minutes."""
        found = []
        for place in self.places:
            told = f"{place[1]} at {moment(place[2])}"
            if wrong := differs(self.stored[place], self.load.all_rows[place]):
                found.append(f"stored {told}: {wrong}")
            if self.words.kinds.get(place) != "durable":
                found.append(f"{told} ended as {self.words.kinds.get(place)}")
            elif wrong := differs(self.words.rows.get(place), self.load.all_rows[place]):
                found.append(f"said {told}: {wrong}")
        return found

    def report(self) -> str:
        """For people."""
        faults, load = self.faults(), self.load
        felt = ", ".join(f"{name} {len(of)} times, felt for {max(of):.0f} s at most" for name, of in self.felt.items())
        lines = [
            f"killed: {felt}",
            f"{load.events:,} events and {load.repeated:,} of them again; {len(self.places)} closed minutes of windows,"
            f" {self.words.messages:,} messages; begun anew: {dict(self.words.anew)}",
            *faults[:20],
            f"wrong: {len(faults)}",
        ]
        return "\n".join(lines)


@dataclass
class _Run:
    """An instance under load whose processes are killed."""

    instance: Instance
    load: Load
    words: Words
    first: int
    felt: dict[str, list[float]] = field(default_factory=lambda: {target: [] for target in TARGETS})

    async def kill_in_turn(self, kills: int, chance: random.Random) -> None:
        """Each target so many times."""
        for number in range(kills * len(TARGETS)):
            await asyncio.sleep(chance.uniform(*BETWEEN))
            target, began = TARGETS[number % len(TARGETS)], time.monotonic()
            for process in self._processes(target):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            await self._heal()
            self.felt[target].append(time.monotonic() - began)
            print(f"{number + 1}: {target}, {self.felt[target][-1]:.1f} s", flush=True)

    async def _heal(self) -> None:
        """Return once something new is said, and all minutes that ended a while ago are durable."""
        await asyncio.sleep(1.0)  # what was under way may still come
        messages = self.words.messages
        await until(lambda: self.words.messages > messages and not self.lacking(), HEALED)

    def lacking(self) -> list[Place]:
        """Minutes that should be durable by now and are not."""
        before = time.time_ns() // 1_000_000 - OPEN - MINUTE
        minutes = range(self.first, before // MINUTE * MINUTE + 1, MINUTE)
        places = [(COMPANY, window, minute) for window in WINDOWS for minute in minutes]
        return [place for place in places if self.words.kinds.get(place) != "durable"]

    def _processes(self, target: str) -> list[psutil.Process]:
        if target == "nats":
            return [psutil.Process(int((self.instance.folder / "run/nats.pid").read_text().split()[0]))]
        return [child for child in self.instance.children() if target in command_line(child)]


async def until(condition: Callable[[], bool], seconds: float) -> None:
    """Return once it is so, or after so many seconds."""
    for _ in range(round(seconds / LOOK)):
        if condition():
            return
        await asyncio.sleep(LOOK)


async def run(instance: Instance, kills: int, seed: int) -> Kills:
    """Load, follow, kill, and compare."""
    load, client, over = Load(seed, [COMPANY]), StreamClient(instance, [COMPANY]), threading.Event()
    first = (time.time_ns() // 1_000_000 // MINUTE + 1) * MINUTE
    running = _Run(instance, load, client.words, first)
    following = tasks.owned(client.follow(), "a client")
    loading = tasks.owned(asyncio.to_thread(publish, instance, load, RATE, over), "events")
    try:
        await asyncio.sleep(first / 1000 - time.time())
        await running.kill_in_turn(kills, random.Random(seed))
        await asyncio.sleep((first + MINUTE) / 1000 - time.time())  # one minute is whole, however few kills there are
    finally:
        over.set()
        await loading
    last = time.time_ns() // 1_000_000 // MINUTE * MINUTE
    await asyncio.sleep(OPEN / 1000)
    await until(lambda: not running.lacking(), CLOSING)
    await tasks.end(following)
    places = [place for place in sorted(load.all_rows) if first <= place[2] < last]
    return Kills(load, client.words, places, await stored(instance, places), running.felt)


def main() -> int:
    """Run it; 1 where a minute is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.live_kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="of each process")
    parser.add_argument("--seed", type=int, default=16)
    given = parser.parse_args()
    with temporary_instance("live-kills") as instance:
        killed = asyncio.run(run(instance, given.kills, given.seed))
    print(killed.report())
    return int(bool(killed.faults()))


if __name__ == "__main__":
    sys.exit(main())
