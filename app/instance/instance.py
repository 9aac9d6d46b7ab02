"""The instance of a data folder: whether one runs there, where it listens, and servers for commands without one.

DIR/up.lock is locked for as long as `analytics up` lives; the kernel gives it back however the process ends, so a file
left by a killed instance is never mistaken for a running one. DIR/addresses.json exists while the instance is ready.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.servers.users import locked
from app.cli.audit import on_record
from app.settings import Settings
from domain.errors import Conflict, NotFound
from eventlog.tasks import end, start

if TYPE_CHECKING:
    from adapters.servers.servers import Addresses, Servers

Where = Mapping[str, str | int]


@contextmanager
def only_instance(folder: Path) -> Iterator[None]:
    """Be the one instance of the folder; raises Conflict while another one is."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not locked(handle):
            raise Conflict(
                f"an instance is already running in {folder}",
                code="already_running",
                suggested_actions=("Stop it, or give another folder with --data and other ports.",),
            )
        withdraw_addresses(folder)  # of an instance that was killed
        yield
    finally:
        os.close(handle)


def publish_addresses(folder: Path, where: Where) -> None:
    """Say where the instance listens; readers see all of it or nothing. It holds a password: the owner's alone."""
    from adapters.files import atomic

    atomic.write(folder / "addresses.json", json.dumps(where, indent=1).encode())


def withdraw_addresses(folder: Path) -> None:
    """Say that the instance is not ready any more."""
    (folder / "addresses.json").unlink(missing_ok=True)


def running_instance(folder: Path) -> Where | None:
    """Where the ready instance of the folder listens; None if there is none."""
    try:
        handle = os.open(folder / "up.lock", os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        if locked(handle):
            return None
        found: dict[str, str | int] = json.loads((folder / "addresses.json").read_text())
        return found
    except FileNotFoundError:
        return None
    finally:
        os.close(handle)


def with_addresses(settings: Settings, where: Where) -> Settings:
    """The settings of somebody who uses the servers of the instance that listens there."""
    return replace(
        settings,
        database_url=str(where["database"]),
        database_owner_url="",
        database_reader_url="",
        database_member_url="",
        nats_url=str(where["nats"]),
        kafka_bootstrap_servers=str(where.get("kafka", "")),
    )


def embedded_servers(settings: Settings) -> Servers:
    """The servers of the data folder that the settings do not name others for."""
    from adapters.servers.servers import Servers

    return Servers(
        settings.data,
        database=not settings.database_url,
        bus=not settings.nats_url,
        nats_port=settings.nats_port,
    )


def with_servers(settings: Settings, servers: Addresses) -> Settings:
    """The settings with the embedded servers' addresses where none were given."""
    if not settings.nats_url:
        settings = replace(settings, nats_url=servers.nats_url)
    if settings.database_url:
        return settings
    return replace(
        settings,
        database_url=servers.writer_url,
        database_owner_url=servers.owner_url,
        database_reader_url=servers.reader_url,
        database_member_url=servers.member_url,
    )


@asynccontextmanager
async def reachable(settings: Settings) -> AsyncIterator[Settings]:
    """Settings whose servers answer: of the instance that runs in the folder, or started for as long as this lasts.

    Raises NotFound where there never was an instance, Unavailable where servers do not start, what `prepare` raises.
    """
    where = running_instance(settings.data)
    if where is not None:
        complete = with_addresses(settings, where)
        async with on_record(complete):
            yield complete
        return
    if not settings.database_url and not (settings.data / "postgres").is_dir():
        raise NotFound(
            f"no instance was ever started in {settings.data}",
            code="no_instance",
            suggested_actions=("Look at how the folder is written, or start one there: analytics up --data FOLDER.",),
        )
    servers = embedded_servers(settings)
    started = await servers.start()
    watching = start(servers.watch(lambda _: None), "the watch over the servers")
    try:
        complete = with_servers(settings, started)
        await prepare(complete)
        async with on_record(complete):
            yield complete
    finally:
        await end(watching)
        await servers.stop()


async def prepare(settings: Settings) -> None:
    """Make what must be there before anything works: tables and topics. Doing it again changes nothing.

    Raises Unavailable, Defect where a revision fails.
    """
    from adapters.postgres.migrate import migrate
    from app.wiring import event_log
    from domain.events.catalogue import STREAMS

    await asyncio.to_thread(migrate, settings.database_owner_url or settings.database_url)
    async with event_log(settings) as log:
        await log.create_topics(dict.fromkeys(STREAMS, settings.partitions))
