"""python -m tests.e2e.live_hour --minutes 60 --rate 300: is what was said last of each minute what is stored of it?

Events of all kinds that fill live windows go through the HTTP door, for two companies: mixed in order, late, and some
of them twice. Those of `prompt` are late by seconds, those of `tardy` by up to nine minutes, and some by more than the
ten within which live windows are revised. A WebSocket client follows the documents of all windows of both, a gRPC
client message by message. For each minute that was closed the last word of either is compared with the projections'
rows, and with a count of its own of what was sent.

The documents show two minutes, so that what is late by more than one never reaches a WebSocket client: of `tardy` the
gRPC client alone is asked for its last word.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eventlog import tasks
from projections.engine.live.view import moment
from tests.e2e.live_clients import Place, SocketClient, StreamClient, Words, differs, stored
from tests.e2e.live_load import COMPANIES, MINUTE, Load, Rows, publish
from tests.support.instance import Instance, command_line, temporary_instance

CLOSING = 75.0  # seconds after the last event until the last minute has ended everywhere


@dataclass
class Hour:
    """What was sent and said, and the projections' rows."""

    load: Load
    socket: Words
    stream: Words
    stored: Mapping[Place, Rows]
    places: Sequence[Place]  # minutes that were closed, and that all were there for

    def faults(self) -> list[str]:
        """What is wrong."""
        found = []
        for place in self.places:
            told = f"{place[1]} of {place[0]} at {moment(place[2])}"
            clients = {"gRPC": self.stream, **({"WebSocket": self.socket} if place[0] == "prompt" else {})}
            if wrong := differs(self.stored.get(place), self.load.all_rows[place]):
                found.append(f"stored: {told}: {wrong}")
            for name, words in clients.items():
                if words.kinds.get(place) != "durable":
                    found.append(f"{name} never durable: {told} ended as {words.kinds.get(place)}")
                elif wrong := differs(words.rows.get(place), self.load.in_time[place]):
                    found.append(f"{name} another value: {told}: {wrong}")
                if words.finals[place] > 1:
                    found.append(f"{name} several finals: {told} had {words.finals[place]}")
        return found

    def report(self) -> str:
        """For people."""
        load, faults = self.load, self.faults()
        kinds = Counter(fault.partition(":")[0] for fault in faults)
        minutes = len({start for _, _, start in self.places})
        return "\n".join(
            [
                f"{load.events:,} events and {load.repeated:,} of them again; late by more than 5 s {load.late:,}"
                f" ({load.late / load.events:.1%}), by more than ten minutes {load.too_late:,}",
                f"{minutes} closed minutes, {len(self.places)} of companies and windows; messages: WebSocket"
                f" {self.socket.messages:,}, gRPC {self.stream.messages:,}",
                *faults[:20],
                f"wrong: {len(faults)} {dict(kinds)}",
            ]
        )


async def kill(instance: Instance, minutes: float, kills: int) -> None:
    """Kill the live lane so many times while the load runs."""
    for _ in range(kills):
        await asyncio.sleep(60.0 * minutes / (kills + 1))
        for child in instance.children():
            if "live" in command_line(child):
                child.kill()


async def run(instance: Instance, minutes: float, rate: int, seed: int, kills: int) -> Hour:
    """Load, follow, and compare."""
    load, over = Load(seed), threading.Event()
    socket, stream = SocketClient(instance, COMPANIES), StreamClient(instance, COMPANIES)
    following = [tasks.owned(client.follow(), "a client") for client in (socket, stream)]
    following.append(tasks.owned(kill(instance, minutes, kills), "the killer"))
    await asyncio.sleep(5.0)
    first = (time.time_ns() // 1_000_000 // MINUTE + 1) * MINUTE  # the first minute of which everybody has all
    asyncio.get_running_loop().call_later(60.0 * minutes, over.set)
    longest = await asyncio.to_thread(publish, instance, load, rate, over)
    last = time.time_ns() // 1_000_000 // MINUTE * MINUTE
    await asyncio.sleep(CLOSING)
    await tasks.end(*following)
    print(f"a body was taken within {longest:.2f} s; begun anew: {dict(socket.words.anew)}, {dict(stream.words.anew)}")
    places = [place for place in sorted(load.all_rows) if first <= place[2] < last]
    return Hour(load, socket.words, stream.words, await stored(instance, places), places)


def main() -> int:
    """Run it; 1 where a minute is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.live_hour", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=int, default=300, help="events a second")
    parser.add_argument("--seed", type=int, default=16)
    parser.add_argument("--kills", type=int, default=0, help="of the live lane, at even distances")
    given = parser.parse_args()
    with temporary_instance("live-hour") as instance:
        hour = asyncio.run(run(instance, given.minutes, given.rate, given.seed, given.kills))
    print(hour.report())
    return int(bool(hour.faults()))


if __name__ == "__main__":
    sys.exit(main())
