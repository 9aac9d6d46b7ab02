"""python -m tests.e2e.walks: through how many files and functions does one event, one query, one command go?

All roles that it meets run in this process, on the embedded servers. Whatever function of the product begins between
the request and its effect is counted, in all threads, once however often it begins, where it does so each time;
comprehensions and what is anonymous apart: they are read where they stand. With it are counted those that look for work
all the time, which the next column leaves out: they begin as well where nothing is asked and the connections stay open,
though what reads, folds and stores any event is among them, since this service's own events are folded then. The last
one is the walk of docs/why/map.md, which names the steps that somebody has to know. `--list` prints the functions.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
import psycopg

from app import process
from app.docs.map import WALKS, Walk
from app.instance.instance import embedded_servers, prepare, with_servers
from app.settings import Settings
from app.wiring import token_issuer
from domain.access.rights import Role, Tier
from eventlog import tasks
from tests.architecture.sources import PACKAGES, ROOT
from tests.support.instance import trade

SERVED = ("command-api", "read-api", "projector", "relay")
QUIET = 3.0  # seconds in which nothing is asked: what begins then is no part of a walk
TIMES = 3  # that each walk is gone: what begins each time is of it, and no timer or cache that happened to end then
LONGEST = 120.0  # seconds of one walk: functions that are counted take several times as long
Functions = set[tuple[str, str]]


class Counting:
    """The functions of the product that begin while it is open, in all threads."""

    def __init__(self) -> None:
        self.found: Functions = set()
        self._inside = tuple(f"{ROOT}/{package}/" for package in PACKAGES)

    def __enter__(self) -> Counting:
        threading.setprofile(self._note)
        sys.setprofile(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        threading.setprofile(None)

    def _note(self, frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(self._inside):
            self.found.add((code.co_filename.removeprefix(f"{ROOT}/"), code.co_qualname))


async def walks(settings: Settings) -> dict[str, tuple[Functions, Functions]]:
    """For each walk the functions that it meets, and those that begin where nothing is asked."""
    ports: dict[str, int] = {}
    ready, stop = asyncio.Event(), asyncio.Event()

    def one_is_ready(name: str, port: int) -> None:
        ports[name] = port
        if len(ports) == len(SERVED):
            ready.set()

    with Counting() as counting:  # threads that begin later are seen because this is open already
        serving = tasks.start(process.serve(list(SERVED), settings, stop, one_is_ready), "the roles")
        await ready.wait()
        await asyncio.sleep(QUIET)
        token = token_issuer(settings).issue("walker", (Role.ADMIN, Role.SERVICE), "acme", Tier.ENTERPRISE, 600)
        async with AsyncExitStack() as stack:
            headers = {"Authorization": f"Bearer {token}"}
            command, read = [
                await stack.enter_async_context(
                    httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports[name]}", headers=headers, timeout=60)
                )
                for name in ("command-api", "read-api")
            ]
            found: dict[str, Functions] = {}
            for number in range(1 + TIMES):
                kinds = _kinds(command, read, settings.database_url, number)
                met = {name: await _met(counting, work) for name, work in kinds.items()}
                if number > 0:  # the first time loads modules and makes connections
                    found = {name: each & found.get(name, each) for name, each in met.items()}
            idle = await _met(counting, lambda: asyncio.sleep(QUIET))  # with the connections open, as they were
        stop.set()
        await serving
    return {name: (met, met & idle) for name, met in found.items()}


def _size(met: Functions) -> str:
    """Files, functions with a name, and comprehensions and lambdas."""
    named = sum(not name.endswith(">") for _, name in met)
    return f"{len({path for path, _ in met}):>4} files {named:>4} functions (and {len(met) - named:>3} unnamed)"


def _steps(name: str) -> Walk:
    """The walk of the map that begins as this one does."""
    return next(walk for title, walk in WALKS.items() if title.split(",")[0].lower() == name.split(",")[0])


async def _met(counting: Counting, work: Callable[[], Awaitable[object]]) -> Functions:
    counting.found.clear()
    async with asyncio.timeout(LONGEST):
        await work()
    return set(counting.found)


def _kinds(
    command: httpx.AsyncClient, read: httpx.AsyncClient, url: str, number: int
) -> dict[str, Callable[[], Awaitable[object]]]:
    async def event() -> None:
        before = await _rows(url)
        body = json.dumps(trade("acme", number)).encode()
        answer = await command.post("/api/v1/events", content=body, headers={"Content-Type": "application/json"})
        answer.raise_for_status()
        while await _rows(url) == before:  # noqa: ASYNC110  # looked at from outside
            await asyncio.sleep(0.2)

    async def query() -> None:
        await _totals(read, "")

    async def issue() -> None:
        body = {"name": f"Number {number}"}
        answer = await command.post("/api/v1/dashboard/config", json=body)
        assert answer.is_success, answer.text
        position = answer.json()["position"]
        await _ask(read, "dashboards", position)

    return {"an event, HTTP to row": event, "a query, HTTP to answer": query, "a command, HTTP to row": issue}


async def _rows(url: str) -> int:
    """How many trades were folded, asked past the product."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        cursor = await connection.execute(
            "SELECT coalesce(sum(next_offset), 0) FROM checkpoints WHERE projection = 'trading'"
        )
        (count,) = await cursor.fetchone() or (0,)
    return int(count)


async def _totals(read: httpx.AsyncClient, position: str) -> None:
    await _ask(read, "trading_totals", position)


async def _ask(read: httpx.AsyncClient, query: str, position: str) -> None:
    headers = {"X-Min-Position": position} if position else {}
    while True:
        answer = await read.get(f"/api/v1/query/{query}", params={"company": "acme"}, headers=headers)
        if answer.status_code != httpx.codes.PRECONDITION_FAILED:  # where it is not reached yet on a busy machine
            break
    answer.raise_for_status()


async def measured() -> dict[str, tuple[Functions, Functions]]:
    """The walks of an instance that is begun for them and ended."""
    with tempfile.TemporaryDirectory() as folder:
        settings = replace(Settings.read({}), data=Path(folder) / "data", read_port=0, command_port=0)
        servers = embedded_servers(settings)
        complete = with_servers(settings, await servers.start())
        try:
            await prepare(complete)
            return await walks(complete)
        finally:
            await servers.stop()


def lines(found: dict[str, tuple[Functions, Functions]], *, listed: bool = False) -> Iterator[str]:
    """What is printed of walks; `listed`: with the functions."""
    for name, (met, always) in found.items():
        own, steps = met - always, len({path for path, _, _ in _steps(name)})
        yield f"{name:<26}{_size(met)}   without what always runs {_size(own)}   in the map {steps:>2} files"
        if listed:
            yield from (f"    {path} {function}" for path, function in sorted(own))


if __name__ == "__main__":
    print(*lines(asyncio.run(measured()), listed="--list" in sys.argv), sep="\n")
