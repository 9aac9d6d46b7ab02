"""python -m tests.e2e.steady --minutes 10 --rate 4000: does memory stay flat under a steady load?

Events come through HTTP and gRPC in turn while a dashboard reads; subscriptions are left out, because the stream gives
all of them to a few customers, whose histories would grow as no real customer's does. Each role's resident size is
sampled; after a minute of warming up a line is laid through the samples, whose slope says what would be left of the
machine tomorrow.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.exactness.chaos import MemoryWatch
from tests.e2e.exactness.doors import Door, GrpcDoor, HttpDoor
from tests.e2e.exactness.proof import API_MEGABYTES, MEGABYTES
from tests.e2e.exactness.stream import Event, Stream
from tests.e2e.exactness.wire import envelope, line
from tests.support.instance import Instance

WARM = 60.0  # seconds
SAMPLE = 0.5  # seconds between two samples
STEP = 0.5  # seconds between two parcels
FLAT = 1.0  # megabytes a minute that count as noise


@dataclass(frozen=True)
class Memory:
    """Samples of each role in megabytes, after the warm-up, and how many events were sent."""

    samples: Mapping[str, Sequence[int]]
    events: int

    def slope(self, role: str) -> float:
        """Megabytes a minute, by least squares."""
        sizes = self.samples[role]
        return statistics.linear_regression(range(len(sizes)), sizes).slope * 60 / SAMPLE

    @property
    def faults(self) -> list[str]:
        """Roles that are above their limit or that grow."""
        found = []
        for role, sizes in self.samples.items():
            limit = MEGABYTES.get(role, API_MEGABYTES)
            if max(sizes) > limit:
                found.append(f"{role} took {max(sizes)} MB, more than {limit}")
            if self.slope(role) > FLAT:
                found.append(f"{role} grows by {self.slope(role):.1f} MB a minute")
        return found

    def report(self) -> str:
        """One line a role: the median of each minute, the largest, the slope."""
        minute = int(60 / SAMPLE)
        lines = [f"{self.events:,} events; resident MB, median of each minute after the first"]
        for role, sizes in sorted(self.samples.items()):
            medians = " ".join(f"{statistics.median(sizes[i : i + minute]):4.0f}" for i in range(0, len(sizes), minute))
            lines.append(f"{role:<12} {medians}  largest {max(sizes)}, {self.slope(role):+.2f} MB/min")
        return "\n".join(lines)


def _parcels(doors: Sequence[Door], rate: int, events: Iterator[Event], until: float) -> int:
    """Send `rate` events a second through the doors in turn; how many were sent."""
    sent, began = 0, time.monotonic()
    for turn in itertools.count():
        if (now := time.monotonic()) >= until:
            return sent
        time.sleep(max(0.0, began + turn * STEP - now))
        some = list(itertools.islice(events, int(rate * STEP)))
        door = doors[turn % len(doors)]
        items = [line(e) if isinstance(door, HttpDoor) else envelope(e).SerializeToString() for e in some]
        door.send(items)
        sent += len(items)
    raise AssertionError("unreachable")


def _events() -> Iterator[Event]:
    return (event for event in Stream(11).events(2**40) if event.kind != "subscription")


def _read(instance: Instance, over: threading.Event) -> None:
    with instance.client("viewer", "acme", "--tier", "PRO") as client:
        while not over.wait(0.05):
            response = client.get("/api/v1/query/trading_totals", params={"company": "acme", "by": "symbol"})
            assert response.status_code == 200, response.text


def steady(folder: Path, minutes: float, rate: int, **settings: str) -> Memory:
    """Run an instance in `folder` under load and watch its processes."""
    instance = Instance(folder)
    instance.start(**settings)
    watch, over = MemoryWatch(instance), threading.Event()
    reader = threading.Thread(target=_read, args=(instance, over), daemon=True)
    try:
        token = instance.token("service", "*")
        with closing(HttpDoor(instance, token)) as http, closing(GrpcDoor(instance, token)) as rpc:
            watch.start()
            reader.start()
            sent = _parcels([http, rpc], rate, _events(), time.monotonic() + minutes * 60)
    finally:
        over.set()
        watch.stop()
        instance.stop()
    warm = int(min(WARM, minutes * 20) / SAMPLE)
    return Memory({role: sizes[warm:] for role, sizes in watch.samples.items()}, sent)


def main() -> int:
    """Run it and print the table; 0 when every role is within its limit and flat."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.steady", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=int, default=4_000, help="events a second")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="analytics-steady-") as folder:
        memory = steady(Path(folder) / "data", given.minutes, given.rate)
    print(memory.report())
    print("\n".join(memory.faults) or "flat, and within the limits")
    return 1 if memory.faults else 0


if __name__ == "__main__":
    sys.exit(main())
