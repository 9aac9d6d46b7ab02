"""python -m tests.e2e.neighbours --seconds 20: what does one tenant feel while another asks all that it can?

An instance with 50,000 trades of one company and a few of another. The first asks the dearest questions, one kind after
the other, eight at once and again as soon as each is answered; the second reads one figure, twenty times a second. Its
slowest answers are set beside those of a time in which nobody else asks. A burden is a line in BURDENS: a function that
goes on in a process of its own until it is ended.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread

import httpx

from tests.support.instance import Instance, trade

GREEDY, QUIET = "greedyco", "quietco"
AT_ONCE = 8
PAUSE = 0.05  # seconds between two reads of the quiet company
FACTOR, SLOWEST = 5, 0.5  # a read may take so many times its idle p99, and so many seconds
WIDEST = "user_id,account_id,strategy,symbol,side,hour"
BEGAN, DAY_MS = 1_756_684_800_000, 86_400_000  # September 2025


@dataclass(frozen=True)
class Target:
    """Where the read API is, and the token of the greedy company."""

    url: str
    token: str

    def client(self) -> httpx.Client:
        """A client that waits for answers however long they take."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=300)


Burden = Callable[[Target], None]


def asking(path: str, **params: str) -> Burden:
    """A question, asked by eight at once, for ever."""

    def burden(target: Target) -> None:
        threads = [Thread(target=_ask, args=(target, path, params), daemon=True) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return burden


def _ask(target: Target, path: str, params: Mapping[str, str]) -> None:
    with target.client() as client:
        while True:
            with client.stream("GET", f"/api/v1/{path}", params=params) as answer:
                for _ in answer.iter_raw():
                    pass
            if answer.status_code not in (200, 429):
                print(f"{path}: {answer.status_code}", file=sys.stderr)
            if answer.status_code != 200:
                time.sleep(0.2)


BURDENS: Mapping[str, Burden] = {
    "by six dimensions": asking("query/trading_totals", by=WIDEST),
    "50,000 trades": asking("query/trades", limit="50000"),
    "funnel": asking("query/funnel", steps="signup,activated"),
    "journey": asking("query/journey"),
    "all statistics": asking("query/trading_metrics", by="user_id"),
    "as of": asking("query/trading_totals", by=WIDEST, as_of="2025-10-20"),
    "explain": asking("query/trading_totals/explain", measure="total_pnl", limit="10000"),
}


@dataclass(frozen=True)
class Felt:
    """Seconds that the quiet company's reads took, sorted: under no burden, and under each."""

    idle: list[float]
    under: Mapping[str, list[float]]

    @property
    def bound(self) -> float:
        """Seconds that a read may take."""
        return min(SLOWEST, FACTOR * at(self.idle, 0.99))

    @property
    def faults(self) -> list[str]:
        """Burdens that the quiet company feels too much."""
        return [
            f"{name}: {1000 * at(times, 0.99):.0f} ms, more than {1000 * self.bound:.0f}"
            for name, times in self.under.items()
            if at(times, 0.99) > self.bound
        ]

    def report(self) -> str:
        """One line a burden."""
        lines = [f"{'ms':<20} {'reads':>6} {'p50':>7} {'p99':>7} {'most':>7}"]
        for name, times in {"nobody else": self.idle, **self.under}.items():
            shown = (f"{1000 * seconds:7.1f}" for seconds in (statistics.median(times), at(times, 0.99), times[-1]))
            lines.append(f"{name:<20} {len(times):>6} {' '.join(shown)}")
        return "\n".join(lines)


def at(times: list[float], share: float) -> float:
    """The quantile of sorted times."""
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


def _reads(instance: Instance, seconds: float) -> list[float]:
    """The quiet company's reads, one by one."""
    times = []
    with instance.client("viewer", QUIET, "--tier", "PRO") as client:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            began = time.perf_counter()
            response = client.get("/api/v1/query/trading_totals")
            times.append(time.perf_counter() - began)
            assert response.json()["rows"][0]["total_pnl"] == "20", response.text
            time.sleep(PAUSE)
    return sorted(times)


def neighbours(instance: Instance, seconds: float, burdens: Mapping[str, Burden] = BURDENS) -> Felt:
    """What the quiet company feels of each burden, in an instance that is filled."""
    token = instance.token("analyst", GREEDY, "--tier", "ENTERPRISE")
    target = Target(instance.addresses["read_api"], token)
    _reads(instance, min(3.0, seconds))  # connections are open, statements are planned
    idle, under = _reads(instance, seconds), {}
    for name in burdens:
        process = _begun(name, target)
        time.sleep(min(3.0, seconds))
        under[name] = _reads(instance, seconds)
        process.kill()
        process.join()
    return Felt(idle, under)


def _begun(name: str, target: Target) -> BaseProcess:
    process = multiprocessing.get_context("spawn").Process(target=_burden, args=(name, target), daemon=True)
    process.start()
    return process


def _burden(name: str, target: Target) -> None:
    BURDENS[name](target)


def main() -> int:
    """Run it and print the table; 0 when the quiet company feels none of the burdens too much."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.neighbours", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="of each burden")
    parser.add_argument("--trades", type=int, default=50_000)
    parser.add_argument("--only", default="", help="this burden alone")
    parser.add_argument("--json", type=Path, help="where all times go")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="analytics-neighbours-") as folder:
        instance = Instance(Path(folder) / "data")
        instance.start(ANALYTICS_RATE_LIMITS="0")
        try:
            fill(instance, given.trades)
            burdens = {name: burden for name, burden in BURDENS.items() if given.only in ("", name)}
            felt = neighbours(instance, given.seconds, burdens)
        finally:
            instance.stop()
    if given.json:
        given.json.write_text(json.dumps({"idle": felt.idle, **felt.under}))
    print(felt.report())
    print("\n".join(felt.faults) or "nothing that is felt too much")
    return 1 if felt.faults else 0


if __name__ == "__main__":
    sys.exit(main())
