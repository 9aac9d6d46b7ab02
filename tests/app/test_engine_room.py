"""What engineers do from pages, in a process that serves everybody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from adapters.postgres.log.log import EmbeddedLog
from app.engine_room import ProcessEngineRoom, engine_room
from app.settings import Settings
from domain.errors import AnalyticsError
from projections.engine.declare.registry import projection
from read_api.web.engine.port import Verb

NAME = "user_activity"
WAITS = b"SELECT FROM pg_locks WHERE relation = 'projections'::regclass AND NOT granted"


@pytest.fixture
async def room(database_url: str, tmp_path: Path) -> AsyncIterator[ProcessEngineRoom]:
    """The machinery of a database in which nobody waits for a lock for ever."""
    log = EmbeddedLog(database_url)
    await log.create_topics(dict.fromkeys(projection(NAME).topics, 1))
    await log.close()
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {urlsplit(database_url).path[1:]} SET lock_timeout = '5s'".encode())
    async with engine_room(Settings(data=tmp_path, database_url=database_url)) as opened:
        yield opened


async def test_who_waits_for_the_database_holds_up_nobody_else(room: ProcessEngineRoom, database_url: str) -> None:
    """Versions are locked by somebody: whatever looks at them waits in a thread, and the event loop turns."""
    verbs = [verb for verb in Verb if verb not in (Verb.REBUILD, Verb.SNAPSHOT)]
    deeds: list[Callable[[], Coroutine[Any, Any, object]]] = [
        partial(room.versions, NAME),
        partial(room.plan, NAME),
        partial(room.compare, NAME, 1),
        *(partial(room.do, verb, NAME, 1, "why") for verb in verbs),
    ]
    with psycopg.connect(database_url, autocommit=True) as other:
        for deed in deeds:
            with other.transaction():
                other.execute("LOCK TABLE projections")
                work = asyncio.ensure_future(deed())
                while not other.execute(WAITS).rowcount:
                    assert not work.done(), work
                    await asyncio.sleep(0.01)
            with suppress(AnalyticsError):
                await work
