"""The event store on PostgreSQL: all or nothing, one winner a version, and keys that go with the events."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.postgres.configuration_store.event_store import PostgresEventStore
from domain.configuration.dashboard import DashboardRenamed
from domain.configuration.event_store import Append, Key, Remembered, event_of, read_state, write_state
from domain.configuration.kinds import Issued
from domain.errors import Conflict, Unavailable
from tests.architecture.sources import ROOT
from tests.support.command_handlers import counted

# Appends one event with a key, and says when it is about to.
APPENDING = """
import asyncio, sys
from uuid import UUID
from adapters.postgres.configuration_store.event_store import PostgresEventStore
from domain.configuration.event_store import Append, Key

async def main():
    store = PostgresEventStore(sys.argv[1])
    await store.recall("acme", "k")
    print("appending", flush=True)
    await store.append(Append(UUID(int=7), 0, "c-1", [("dashboard.archived", b"{}")], Key("acme", "k", b"f")))
    print("stored", flush=True)

asyncio.run(main())
"""


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[PostgresEventStore]:
    """An empty event store."""
    opened = PostgresEventStore(database_url)
    yield opened
    await opened.close()


def renamed(command_id: str, name: str = "x") -> tuple[str, bytes]:
    """A stored event of this command."""
    issued = Issued("acme", "ann", "admin", 1_700_000_000_000, command_id, "corr-1")
    return DashboardRenamed.topic, write_state(issued, DashboardRenamed(name))


async def test_events_come_back_as_they_were_stored(store: PostgresEventStore) -> None:
    """In order, with who, when and why; the position covers the last one."""
    one = uuid4()
    stored = await store.append(Append(one, 0, "c-1", [renamed("c-1", "a"), renamed("c-1", "b")]))
    assert await store.events(one) == stored
    assert await store.events(one, 1) == stored[1:]
    assert [(e.version, event_of(e)) for e in stored] == [(1, DashboardRenamed("a")), (2, DashboardRenamed("b"))]
    state = read_state(stored[0])
    assert (state.company_id, state.actor, state.role, state.at) == ("acme", "ann", "admin", 1_700_000_000_000)
    assert (state.command_id, state.correlation_id, state.traceparent) == ("c-1", "corr-1", "")
    assert b"traceparent" not in stored[0].state
    assert str(stored[-1].position) == f"config-store:0={stored[-1].number + 1}"


async def test_of_many_at_one_version_one_wins(store: PostgresEventStore) -> None:
    """The others hear of a conflict, and nothing of theirs is there."""
    one = uuid4()
    attempts = [store.append(Append(one, 0, f"c-{i}", [renamed(f"c-{i}")] * 2)) for i in range(20)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 19
    stored = await store.events(one)
    assert [event.version for event in stored] == [1, 2]
    assert len({read_state(event).command_id for event in stored}) == 1


async def test_a_retry_after_a_lost_answer_finds_its_own_events(store: PostgresEventStore) -> None:
    """The library sends an append again when the connection is lost, and meets what it had stored itself."""
    wanted = Append(uuid4(), 0, "c-1", [renamed("c-1")], Key("acme", "k", b"f"))
    assert await store.append(wanted) == await store.append(wanted)
    with pytest.raises(Conflict):
        await store.append(wanted._replace(command_id="c-2", events=[renamed("c-2")], key=None))


async def test_a_key_is_of_its_tenant_and_expires(store: PostgresEventStore, database_url: str) -> None:
    """Another company may use the same key; after its time it is free, and it is swept away by keys that come."""
    first, other = (Append(uuid4(), 0, c, [renamed(c)], Key(c, "k", c.encode())) for c in ("acme", "other"))
    await store.append(first)
    await store.append(other)
    assert await store.recall("acme", "k") == Remembered(b"acme", first.aggregate_id, 0, 1)
    with pytest.raises(Conflict):
        await store.append(Append(uuid4(), 0, "c-9", [renamed("c-9")], Key("acme", "k", b"again")))
    assert counted(database_url) == 2
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE idempotency_keys SET expires_at = now()")
    assert await store.recall("acme", "k") is None
    anew = Append(uuid4(), 0, "c-3", [renamed("c-3")], Key("acme", "k", b"anew"))
    await store.append(anew)
    assert await store.recall("acme", "k") == Remembered(b"anew", anew.aggregate_id, 0, 1)
    assert counted(database_url, "idempotency_keys") == 1


async def test_whoever_listens_is_woken_by_the_commit(store: PostgresEventStore, database_url: str) -> None:
    """The channel is `config_events`; what is rolled back wakes nobody."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as listening:
        await listening.execute("LISTEN config_events")
        one = uuid4()
        await store.append(Append(one, 0, "c-1", [renamed("c-1")]))
        with pytest.raises(Conflict):
            await store.append(Append(one, 0, "c-2", [renamed("c-2")]))
        woken = [notice async for notice in listening.notifies(timeout=0.5)]
    assert len(woken) == 1


def test_a_process_killed_in_the_middle_leaves_neither_key_nor_event(database_url: str) -> None:
    """It has written the key and waits for its turn at the events when kill -9 comes."""
    with psycopg.connect(database_url, autocommit=True) as watching, psycopg.connect(database_url) as holding:
        holding.execute("LOCK TABLE config_events IN EXCLUSIVE MODE")
        command = [sys.executable, "-c", APPENDING, database_url]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "appending\n"
            _until_it_waits(watching)
            os.kill(process.pid, signal.SIGKILL)
            assert process.stdout.read() == ""
        holding.rollback()
    deadline = time.monotonic() + 10
    with psycopg.connect(database_url) as connection:  # waits for the lock that the dead one's session may still hold
        connection.execute(f"SET lock_timeout = '{int(deadline - time.monotonic())}s'".encode())
        connection.execute("LOCK TABLE config_events, idempotency_keys IN ACCESS EXCLUSIVE MODE")
    assert (counted(database_url), counted(database_url, "idempotency_keys")) == (0, 0)


def _until_it_waits(watching: psycopg.Connection) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'config_events'::regclass"
    deadline = time.monotonic() + 10
    while watching.execute(waiting).fetchone() == (0,):
        assert time.monotonic() < deadline, "nobody waits for the lock"
        time.sleep(0.02)


async def test_a_store_that_is_away_is_unavailable() -> None:
    """With the advice that makes sending again safe."""
    store = PostgresEventStore("host=127.0.0.1 port=1 dbname=x user=x connect_timeout=1")
    try:
        with pytest.raises(Unavailable) as refused:
            await store.events(UUID(int=1))
    finally:
        await store.close()
    assert "Idempotency-Key" in refused.value.suggested_actions[0]


async def test_a_try_at_a_frozen_store_waits_for_no_thread_and_leaves_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the pool still connects when the refusal comes; when the server is gone, so are the pool's threads."""
    waits: list[float | None] = []
    join = threading.Thread.join

    def joining(thread: threading.Thread, timeout: float | None = None) -> None:
        waits.append(timeout)
        join(thread, timeout)

    before = set(threading.enumerate())
    with socket.create_server(("127.0.0.1", 0)) as frozen, monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "join", joining)
        store = PostgresEventStore(f"host=127.0.0.1 port={frozen.getsockname()[1]} dbname=x user=x")
        with pytest.raises(Unavailable) as refused:
            await store.events(UUID(int=1))
        connecting = [t for t in threading.enumerate() if t not in before and not t.name.startswith("event-store")]
    assert connecting
    assert set(waits) <= {0}
    for thread in connecting:
        await asyncio.to_thread(thread.join, 10)
    assert not [thread.name for thread in connecting if thread.is_alive()]
    assert refused.value  # held until here, as a log would: what it refers to is not collected
    await store.close()
