"""python -m tests.e2e.schedule_kills --kills 100: two schedulers of one instance, one of them killed again and again.

Schedules that have been due at every quarter of an hour for most of a day are planned, made and sent while that goes
on, more of them as long as kills are left. At the end each due time has one run, one report and one message (or the
same one again, under its id, where the process ended before it could say that it was sent).
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import NAMESPACE_URL, uuid4, uuid5

import psutil
import psycopg

from tests.support.event_store import aggregate, decide, state
from tests.support.hooks import Hooks, hooks
from tests.support.instance import Instance, environment, role_of, temporary_instance, trade

COMPANY, LEASE = "duly", "2"
HOURS = 20  # back from now that a schedule was made: what is older than a day needs a tier
QUARTER = 900_000
REPORT = {"kind": "custom", "format": "json", "sections": [{"title": "Totals", "query": "trading_totals"}]}
BETWEEN = (0.5, 4.5)  # seconds from one kill to the next: a scheduler takes two to start
PATIENCE = 600.0  # seconds after the last kill until all is done


@dataclass
class Outcome:
    """What was due (schedule, ms), and what there is of it."""

    due: Sequence[tuple[str, int]]
    runs: Sequence[tuple[str, int, str, str]]  # schedule, due, state, run id
    reports: Sequence[tuple[str, str]]  # requester and key of each that is ready
    hooks: Hooks
    kills: int

    def faults(self) -> list[str]:
        """What is wrong."""
        runs = {(schedule, due): (state, run_id) for schedule, due, state, run_id in self.runs}
        found = [f"{place} was due and has no run" for place in self.due if place not in runs]
        found += [f"{place} is {state}" for place, (state, _) in runs.items() if state != "done"]
        found += [f"run {run_id} was not sent" for _, run_id in runs.values() if run_id not in self.hooks.messages]
        reports = [key for _, key in self.reports]
        found += [f"{len(set(reports))} reports of {len(runs)} runs"] if len(set(reports)) != len(runs) else []
        last = max((due for _, due in self.due), default=0)  # what became due while it went on is right, too
        found += [f"{place} was not due" for place in runs.keys() - set(self.due) if place[1] <= last]
        for run_id, bodies in self.hooks.messages.items():
            if len({body["data"]["report"]["sha256"] for body in bodies}) != 1:
                found.append(f"run {run_id} was sent with different reports")
        return found

    def report(self) -> str:
        """For people."""
        faults, sent = self.faults(), [len(each) for each in self.hooks.messages.values()]
        told = f"{self.kills} kills; {len(self.due)} runs due, {len(self.runs)} there; {sum(sent)} messages"
        return "\n".join((f"{told}, {sum(n > 1 for n in sent)} of them again", *faults[:20], f"wrong: {len(faults)}"))


class TwoOfARole:
    """The process of a role that the supervisor starts again, and one beside it."""

    def __init__(self, instance: Instance, receiver: Hooks, role: str) -> None:
        self._role = role
        self._instance, self._settings = instance, environment(**receiver.settings, ANALYTICS_LEASE_SECONDS=LEASE)
        self._beside = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "app.cli", "serve", self._role, "--data", str(self._instance.folder)]
        return subprocess.Popen(command, env=self._settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self, chance: random.Random) -> None:
        """One of them; the one beside is started again at once."""
        own = [child for child in self._instance.children() if role_of(child) == self._role]
        if own and chance.random() < 0.5:
            with suppress(psutil.NoSuchProcess):
                own[0].send_signal(signal.SIGKILL)
            return
        self.end()
        self._beside = self._start()

    def end(self) -> None:
        """Of the one beside."""
        self._beside.kill()
        self._beside.wait()


def run(instance: Instance, receiver: Hooks, kills: int, seed: int) -> Outcome:
    """Kill schedulers at work, and see what came of it. `instance` is running."""
    chance, url = random.Random(seed), instance.addresses["database"]
    instance.take([trade(COMPANY, n) for n in range(5)])
    schedulers, due = TwoOfARole(instance, receiver, "scheduler"), list[tuple[str, int]]()
    try:
        for number in range(kills):
            if number % 5 == 0:
                due += schedule_in_the_past(url, COMPANY, 4 * HOURS, REPORT, [{"kind": "webhook", "url": receiver.url}])
            time.sleep(chance.uniform(*BETWEEN))
            schedulers.kill(chance)
        _wait(url, len(due))
    finally:
        schedulers.end()
    with psycopg.connect(url) as connection:
        runs = connection.execute("SELECT schedule_id, due, state FROM report_runs").fetchall()
        ready = "SELECT requested_by, idempotency_key FROM reports WHERE report->>'state' = 'ready'"
        reports = connection.execute(ready.encode()).fetchall()
    return Outcome(due, [(*each, _run_id(*each[:2])) for each in runs], reports, receiver, kills)


def schedule_in_the_past(
    url: str, company: str, quarters: int, report: Mapping[str, object], recipients: Sequence[Mapping[str, object]]
) -> list[tuple[str, int]]:
    """Put a schedule into the event store that was made so many quarters of an hour ago; when it was due since then."""
    now = time.time_ns() // 1_000_000
    name, begin = f"s-{uuid4()}", now - quarters * QUARTER
    timing = {"cron": "*/15 * * * *", "time_zone": "UTC"}
    body = {"name": name, "report": report, "timing": timing, "recipients": recipients}
    with psycopg.connect(url, autocommit=True) as connection:
        said = state(company, at=begin, body=body)
        decide(connection, name, 1, json.dumps(said).encode(), topic="report_schedule.created")
    return [(str(aggregate(name)), at) for at in range(-(-begin // QUARTER) * QUARTER, now + 1, QUARTER) if at > begin]


def _wait(url: str, number: int) -> None:
    """Until so many runs are there, and all of them have ended."""
    until = time.monotonic() + PATIENCE
    count = "SELECT count(*), count(*) FILTER (WHERE state IN ('due', 'running')) FROM report_runs"
    with psycopg.connect(url, autocommit=True) as connection:
        while time.monotonic() < until:
            row: Any = connection.execute(count.encode()).fetchone()
            if row[0] >= number and row[1] == 0:
                return
            time.sleep(0.5)


def _run_id(schedule_id: str, due: int) -> str:
    return str(uuid5(NAMESPACE_URL, f"urn:analytics:run:{COMPANY}:{schedule_id}:{due}"))


class Proof(Protocol):
    """What came of kills."""

    def faults(self) -> list[str]:
        """What is wrong."""
        ...

    def report(self) -> str:
        """All of it."""
        ...


def command(name: str, run: Callable[[Instance, Hooks, int, int], Proof], description: str | None) -> None:
    """Kill in an instance of its own, print what came of it, and end with 1 where something is wrong."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, hooks(Path(folder)) as receiver:
        settings = {**receiver.settings, "ANALYTICS_LEASE_SECONDS": LEASE}
        with temporary_instance(name, **settings) as instance:
            outcome = run(instance, receiver, options.kills, options.seed)
    print(outcome.report())
    sys.exit(bool(outcome.faults()))


if __name__ == "__main__":
    command("schedules", run, __doc__)
