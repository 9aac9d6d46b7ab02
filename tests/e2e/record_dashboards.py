"""python -m tests.e2e.record_dashboards FILE: a day of dashboard use of the demo, as its audit trail has it.

`analytics up --demo` in a folder of its own. People of a company have the standard dashboards open, each of which asks
for all of its tiles over HTTP again and again, with their tokens. At which hours they do is the plan below; what is
asked stands in the dashboards' documents, and what is written down is what the trail says that they asked. A day is
asked in a minute or two, so each request has the plan's moment as its correlation id.
"""

from __future__ import annotations

import gzip
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import httpx
import msgspec

from app.demo.companies import COMPANIES
from domain.configuration.dashboard import Tile
from projections.engine.declare.registry import all_registered
from read_api.dashboards.documents import standard
from tests.support.instance import Instance

COMPANY = COMPANIES[0].company_id
FILTERS = {"symbol": "AAPL"}  # what a dashboard is asked with, where a tile needs it
PAGE = 500  # rows of the trail at once
LANDS = 60.0  # seconds until the trail has all of it


class Habit(NamedTuple):
    """Who has which dashboard open: at which hours, asking anew every so many minutes."""

    subject: str
    dashboard: str
    hours: range
    every: int


class Read(NamedTuple):
    """A question as the trail has it: its minute of the day, who asked, and what."""

    minute: int
    subject: str
    role: str
    action: str
    target: str


HABITS = (
    Habit("eve", "executive", range(8, 10), 15),
    Habit("tom", "trading", range(9, 17), 10),
    Habit("uma", "users", range(10, 12), 20),
    Habit("uma", "users", range(14, 16), 20),
    Habit("sam", "system", range(8, 18), 15),
)


def opened() -> Iterator[tuple[int, str, Tile]]:
    """The day by the plan: minute, subject, and each tile."""
    times = [(hour * 60 + minute, h) for h in HABITS for hour in h.hours for minute in range(0, 60, h.every)]
    for minute, habit in sorted(times):
        for tile in standard()[habit.dashboard].contents.tiles:
            yield minute, habit.subject, tile


def ask(instance: Instance) -> int:
    """Ask the whole day; how many questions were answered."""
    tokens = {habit.subject: instance.signed(habit.subject, COMPANY) for habit in HABITS}
    asked = 0
    with httpx.Client(base_url=instance.addresses["read_api"], timeout=60) as client:
        for minute, subject, tile in opened():
            headers = {"Authorization": f"Bearer {tokens[subject]}", "X-Correlation-Id": f"minute:{minute}"}
            names = {param.name for param in all_registered()[tile.query].params if param.required}
            needed = {name: value for name, value in FILTERS.items() if name in names}
            params = {**needed, **tile.params, "company": COMPANY}
            response = client.get(f"/api/v1/query/{tile.query}", params=params, headers=headers)
            assert response.status_code in (200, 403), response.text  # some tiles are closed to some roles
            asked += response.status_code == 200
    return asked


def trail(instance: Instance) -> list[Read]:
    """What the audit trail has of it, in order."""
    found: list[Read] = []
    with instance.client("auditor", COMPANY) as client:
        for subject in sorted({habit.subject for habit in HABITS}):
            page = {"company": COMPANY, "subject": subject, "action": "query", "limit": str(PAGE)}
            cursor: str | None = ""
            while cursor is not None:
                more = {"cursor": cursor} if cursor else {}
                answer = client.get("/api/v1/query/audit_trail", params=page | more).raise_for_status().json()
                found += [
                    Read(int(row["correlation_id"][7:]), subject, row["role"], row["action"], row["target"])
                    for row in answer["rows"]
                    if row["outcome"] == "ok"
                ]
                cursor = answer["next_cursor"]
    return sorted(found)


def recorded(instance: Instance) -> list[Read]:
    """Ask, and what the trail has when it has all of it."""
    asked, until = ask(instance), time.monotonic() + LANDS
    while len(found := trail(instance)) < asked and time.monotonic() < until:
        time.sleep(0.5)
    assert len(found) == asked, f"{len(found)} of {asked} questions are on record"
    return found


def main() -> int:
    """Make a demo, ask, and write."""
    with tempfile.TemporaryDirectory(prefix="analytics-dashboards-") as home:
        instance = Instance(Path(home) / "data").start("--demo")
        try:
            found = recorded(instance)
        finally:
            with suppress(TimeoutError):
                instance.stop()
    lines = b"".join(msgspec.json.encode(read) + b"\n" for read in found)
    Path(sys.argv[1]).write_bytes(gzip.compress(lines, mtime=0))
    print(f"{len(found)} questions of a day, {len({read.target for read in found})} different ones")
    return 0


if __name__ == "__main__":
    sys.exit(main())
