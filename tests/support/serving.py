"""Roles of the service in the process of the tests, on the run's servers: real doors without seven new processes."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adapters.servers.servers import Addresses
from app.instance.instance import prepare
from app.process import serve
from app.settings import Settings
from tests.support.instance import Instance

ROLES = ("read-api", "command-api", "grpc")
START_SECONDS = 60.0


@contextmanager
def serving(folder: Path, servers: Addresses, database_url: str, **settings: Any) -> Iterator[Instance]:
    """An instance of nothing but the doors, with these settings; it has no processes, and nothing is folded."""
    settings |= dict.fromkeys(("read_port", "command_port", "grpc_port"), 0)
    complete = Settings(data=folder, database_url=database_url, nats_url=servers.nats_url, **settings)
    asyncio.run(prepare(complete))
    listening: dict[str, int] = {}
    up = threading.Event()
    stopping: list[Callable[[], object]] = []

    def ready(role: str, port: int) -> None:
        listening[role] = port
        if len(listening) == len(ROLES):
            up.set()

    async def serve_all() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        stopping.append(lambda: loop.call_soon_threadsafe(stop.set))
        await serve(list(ROLES), complete, stop, ready)

    thread = threading.Thread(target=asyncio.run, args=(serve_all(),))
    thread.start()
    try:
        assert up.wait(START_SECONDS), "the doors did not open in time"
        where = {role: f"127.0.0.1:{port}" for role, port in listening.items()}
        http = {name: f"http://{where[name.replace('_', '-')]}" for name in ("read_api", "command_api")}
        (folder / "addresses.json").write_text(json.dumps({**http, "grpc": where["grpc"]}))
        yield Instance(folder)
    finally:
        for stop in stopping:
            stop()
        thread.join()
