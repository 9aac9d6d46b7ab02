"""python -m tests.e2e.live_kills --kills 20: the live lane, NATS and the projector killed in turn, so many times each.

Trades come at the HTTP door without a pause; whoever is killed, each is handed in until it is accepted. Meanwhile the
live metrics are read as a dashboard reads them. At the end every minute must have been said to be durable, with exactly
the trades that were accepted in it, and no minute may have been said to be final after that.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.support.instance import Instance, command_line, trade

COMPANY = "kills"
PAUSE = 0.05  # seconds between two trades
LOOK = 0.4  # seconds between two looks at the live metrics
BETWEEN = (1.0, 4.0)  # seconds between two kills, beside the time until all is well again
HEALED = 60.0  # seconds, on a machine that does much else
CLOSING = 150.0  # seconds until the last minute must be durable
TARGETS = ("live", "nats", "projector")


@dataclass
class Run:
    """What was accepted and what was said, by minute (ms since 1970 UTC)."""

    instance: Instance
    door: httpx.Client
    reader: httpx.Client
    probe: httpx.Client
    stop: threading.Event = field(default_factory=threading.Event)
    accepted: Counter[int] = field(default_factory=Counter)
    said: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    numbers: count[int] = field(default_factory=count)

    def publish(self) -> None:
        """Hand trades in, one after the other, each until it is accepted."""
        with self.door as client:
            while not self.stop.is_set():
                now, number = time.time_ns() // 1_000_000, next(self.numbers)
                event = {**trade(COMPANY, number, closed_at=now, opened_at=now - 1), "timestamp": now}
                while True:
                    with suppress(httpx.HTTPError):
                        answer = client.post("/api/v1/events", json=event)
                        if answer.status_code == 200 and answer.json()["quarantined"] == 0:
                            break
                    time.sleep(0.2)
                self.accepted[now // 60_000 * 60_000] += 1
                time.sleep(PAUSE)

    def watch(self) -> None:
        """Read the live metrics again and again, and remember what each minute was said to be."""
        with self.reader as client:
            while True:
                with suppress(httpx.HTTPError):
                    answer = client.get("/api/v1/realtime", params={"metrics": "trading"})
                    if answer.status_code == 200:
                        self._remember(answer.json()["metrics"][0]["windows"])
                if self.stop.is_set() and self._over():
                    return
                time.sleep(LOOK)

    def _remember(self, windows: list[dict[str, Any]]) -> None:
        for window in windows:
            start = round(datetime.fromisoformat(window["start"]).timestamp() * 1000)
            states = self.said.setdefault(start, [])
            if not states or states[-1] != window:
                states.append(window)

    def heal(self) -> None:
        """Return once figures move again and the projection keeps up, so that each minute has its chance to end."""
        deadline = time.monotonic() + HEALED
        while time.monotonic() < deadline:
            time.sleep(LOOK)
            with suppress(httpx.HTTPError):
                live = self.probe.get("/api/v1/realtime", params={"metrics": "trading"}).status_code == 200
                states = self.probe.get("/api/v1/projections").json()
                if live and [s for s in states if s["name"] == "trading_minutes" and s["lag_seconds"] < 10.0]:
                    return

    def _over(self) -> bool:
        last = self.said.get(max(self.accepted))
        return last is not None and last[-1]["kind"] == "durable"

    def kill(self, target: str) -> None:
        """End a process at once; whoever supervises it starts another one."""
        for process in self._processes(target):
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def _processes(self, target: str) -> list[psutil.Process]:
        if target != "nats":
            return [child for child in self.instance.children() if target in command_line(child)]
        port = str(self.instance.addresses["nats"]).rpartition(":")[2]
        return [p for p in psutil.process_iter() if "nats-server" in " ".join(line := command_line(p)) and port in line]

    def faults(self) -> list[str]:
        """What is wrong with the minutes."""
        found = []
        for minute, trades in sorted(self.accepted.items()):
            states = self.said.get(minute, [])
            kinds = [state["kind"] for state in states]
            if not states or kinds[-1] != "durable":
                found.append(f"{minute} was never durable: {kinds[-3:]}")
            elif (live := states[-1]["rows"][0]["total_trades"]) != trades:
                found.append(f"{minute} ended with {live} trades of {trades}")
            elif "durable" in kinds and set(kinds[kinds.index("durable") :]) != {"durable"}:
                found.append(f"{minute} was durable, and then something else: {kinds}")
        return found


def main() -> int:
    """Run it; 1 where a minute is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="of each process")
    kills = parser.parse_args().kills
    with tempfile.TemporaryDirectory() as folder:
        instance = Instance(Path(folder) / "data").start()
        headers = {"Authorization": f"Bearer {instance.token('service', COMPANY)}"}
        door = httpx.Client(base_url=instance.addresses["command_api"], headers=headers, timeout=20)
        run = Run(instance, door, instance.client("viewer", COMPANY), instance.client("viewer", COMPANY))
        try:
            threads = [threading.Thread(target=work, daemon=True) for work in (run.publish, run.watch)]
            for thread in threads:
                thread.start()
            for number in range(kills * len(TARGETS)):
                time.sleep(random.uniform(*BETWEEN))
                run.kill(TARGETS[number % len(TARGETS)])
                run.heal()
                print(f"{number + 1}: {TARGETS[number % len(TARGETS)]}", flush=True)
            time.sleep(10.0)
            run.stop.set()
            for thread in threads:
                thread.join(CLOSING)
        finally:
            instance.stop()
    faults = run.faults()
    partial = sum(any(state["partial"] for state in states) for states in run.said.values())
    trades = sum(run.accepted.values())
    print(
        f"{trades} trades in {len(run.accepted)} minutes, {partial} of them partial for a while; wrong: {faults or 0}"
    )
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
