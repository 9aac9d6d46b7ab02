"""python -m tests.e2e.neighbours: what does one tenant feel while another asks all that it can?

An instance with 50,000 trades of one company and a few of another. The first asks the dearest questions, one kind after
the other, eight at once and again as soon as each is answered; the second reads one figure, thirty times a second. Its
slowest answers are set beside those of the times in which nobody else asks, which lie before and after each burden,
since the machine may have other work. Printed with them: how much processor the burden itself took, and the load.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from tests.e2e.burdens import BURDENS, Target, carry
from tests.support.instance import Instance, trade

GREEDY, QUIET = "greedyco", "quietco"
PAUSE = 0.03  # seconds between two reads of the quiet company
SETTLING = 2.0  # seconds of a burden, and after it, that are not counted
FACTOR, SLOWEST = 5, 0.5  # a read may take so many times its idle p99, and so many seconds
BEGAN, DAY_MS = 1_756_684_800_000, 86_400_000  # September 2025


@dataclass
class Felt:
    """Seconds that the quiet company's reads took under one burden, and before and after it; and the processor's."""

    idle: list[float] = field(default_factory=list)
    under: list[float] = field(default_factory=list)
    took: list[float] = field(default_factory=list)  # share of one processor that the burden itself took
    load: list[float] = field(default_factory=list)

    def line(self, name: str, idle: list[float]) -> str:
        """The burden's line of the table, and whether it is felt too much."""
        under, bound = sorted(self.under), min(SLOWEST, FACTOR * at(idle, 0.99))
        times = [at(kind, share) for kind in (self.idle, under) for share in (0.5, 0.99)]
        shown = " ".join(f"{1000 * seconds:7.1f}" for seconds in (*times, under[-1]))
        own, load = statistics.mean(self.took), statistics.mean(self.load)
        verdict = "" if at(under, 0.99) <= bound else f"more than {1000 * bound:.0f}"
        return f"{name:<20} {len(under):>6} {shown} {own:>6.2f} {load:>5.1f}  {verdict}"


HEAD = "ms                    reads idle 50 idle 99     p50     p99    most burden  load"


def at(times: list[float], share: float) -> float:
    """A quantile of times."""
    times = sorted(times)
    return times[min(len(times) - 1, int(share * len(times)))]


def fill(instance: Instance, trades: int) -> None:
    """Trades of both companies, of the greedy one so that each is a row of its own; and what its users did."""
    greedy = (
        trade(GREEDY, n, float(n % 21) - 10, account_id=f"a{n % 500}", strategy=f"s{n % 7}", symbol=f"S{n % 40}")
        | {"user_id": f"u{n % 500}"}
        for n in range(trades)
    )
    instance.take([*greedy, *_steps(trades // 10), *(trade(QUIET, number, 1.0) for number in range(20))])


def _steps(users: int) -> list[Mapping[str, object]]:
    return [
        {
            "message_type": "user_event", "company_id": GREEDY, "user_id": f"u{user}",
            "event_id": f"step-{user}-{number}", "timestamp": BEGAN + user * 1_000 + number * DAY_MS,
            "payload": {"name": name},
        }
        for user in range(users)
        for number, name in enumerate(("signup", "page_view", "activated"))
    ]  # fmt: skip


def _reads(client: httpx.Client, seconds: float) -> list[float]:
    """The quiet company's reads, one by one."""
    times = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.perf_counter()
        response = client.get("/api/v1/query/trading_totals")
        times.append(time.perf_counter() - began)
        assert response.json()["rows"][0]["total_pnl"] == "20", response.text
        time.sleep(PAUSE)
    return times


def neighbours(instance: Instance, seconds: float, rounds: int, burdens: Iterable[str] = BURDENS) -> Mapping[str, Felt]:
    """What the quiet company feels of each burden, in an instance that is filled; idle and loaded in turns."""
    addresses = instance.addresses
    tokens = [instance.token(role, GREEDY, "--tier", "ENTERPRISE") for role in ("analyst", "service")]
    target = Target(addresses["read_api"], addresses["command_api"], *tokens)
    felt = {name: Felt() for name in burdens}
    with instance.client("viewer", QUIET, "--tier", "PRO") as client:
        _reads(client, SETTLING)  # connections are open, statements are planned
        for _ in range(rounds):
            before = _reads(client, seconds / 2)
            for name, each in felt.items():
                _burdened(client, name, target, each, seconds)
                time.sleep(SETTLING)
                after = _reads(client, seconds / 2)
                each.idle += before + after
                before = after
    return felt


def _burdened(client: httpx.Client, name: str, target: Target, felt: Felt, seconds: float) -> None:
    process = multiprocessing.get_context("spawn").Process(target=carry, args=(name, target), daemon=True)
    process.start()
    time.sleep(SETTLING)
    watched = psutil.Process(process.pid)
    before, began = sum(watched.cpu_times()[:2]), time.monotonic()
    felt.under += _reads(client, seconds)
    felt.took.append((sum(watched.cpu_times()[:2]) - before) / (time.monotonic() - began))
    felt.load.append(os.getloadavg()[0])
    process.kill()
    process.join()


def main() -> int:
    """Run it and print the table; 0 when the quiet company feels none of the burdens too much."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.neighbours", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="of each burden, and of the rest between two")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--trades", type=int, default=50_000)
    parser.add_argument("--only", default="", help="these burdens alone, separated by commas")
    parser.add_argument("--json", type=Path, help="where all times go")
    given = parser.parse_args()
    only = [name for name in BURDENS if not given.only or name in given.only.split(",")]
    with tempfile.TemporaryDirectory(prefix="analytics-neighbours-") as folder:
        instance = Instance(Path(folder) / "data")
        instance.start(ANALYTICS_RATE_LIMITS="0")
        try:
            fill(instance, given.trades)
            felt = neighbours(instance, given.seconds, given.rounds, only)
        finally:
            instance.stop()
    if given.json:
        given.json.write_text(json.dumps({name: [each.idle, each.under] for name, each in felt.items()}))
    idle = [seconds for each in felt.values() for seconds in each.idle]
    lines = [each.line(name, idle) for name, each in felt.items()]
    print(HEAD, *lines, sep="\n")
    missed = any("more than" in line for line in lines)
    print("felt too much" if missed else "nothing that is felt too much")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
