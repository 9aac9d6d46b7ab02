"""The event store on eventsourcing's PostgreSQL recorder (tables made by migration 0010).

The library gives the append that is hard to get right: a lock of the table held to commit, so that the order of
notification ids is the order of commits and the relay never passes over a slow committer; the expected version as a
primary key; NOTIFY `config_events` in the same transaction. Its database functions, which drop that lock, stay off.
It is synchronous, so it works in threads of its own, one a connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Lock
from typing import Any, TypeVar
from uuid import UUID

from eventsourcing.persistence import (
    IntegrityError,
    InterfaceError,
    OperationalError,
    PersistenceError,
    StoredEvent,
)
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg import Cursor
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, dict_row

from domain.configuration.event_store import REMEMBERED_HOURS, Append, Remembered, Stored, read_state
from domain.errors import Conflict, Defect, Unavailable

T = TypeVar("T")
TABLE = "config_events"  # and the channel that its appends notify
CONNECTIONS = 4  # appends wait for each other anyway; the others read
PATIENCE = 5.0  # seconds to wait for a connection: a busy machine takes one or two to make it
LOCK_SECONDS = 3  # that an append waits for the one before it; 0 would be for ever
EVENTS = """
    SELECT originator_id, originator_version, topic, state, notification_id FROM config_events
    WHERE originator_id = %s AND originator_version > %s ORDER BY originator_version
"""
RECALL = """
    SELECT fingerprint, aggregate_id, before, version FROM idempotency_keys
    WHERE company_id = %s AND key = %s AND expires_at > now()
"""
REMEMBER = f"""
    INSERT INTO idempotency_keys AS k (company_id, key, fingerprint, aggregate_id, before, version, expires_at)
    VALUES (%s, %s, %s, %s, %s, %s, now() + interval '{REMEMBERED_HOURS} hours')
    ON CONFLICT (company_id, key) DO UPDATE
    SET fingerprint = excluded.fingerprint, aggregate_id = excluded.aggregate_id,
        before = excluded.before, version = excluded.version, expires_at = excluded.expires_at
    WHERE k.expires_at <= now() RETURNING version
"""
# Each key that comes lets two go, so that the table stays bounded without a process that sweeps it.
FORGET = """
    DELETE FROM idempotency_keys WHERE (company_id, key) IN (
        SELECT company_id, key FROM idempotency_keys WHERE expires_at <= now()
        ORDER BY expires_at LIMIT 2 FOR UPDATE SKIP LOCKED)
"""


class _Recorder(PostgresApplicationRecorder):
    """The library's recorder, which also remembers an idempotency key in the transaction of the events."""

    def _insert_events(self, curs: Cursor[DictRow], stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:
        addition: Append | None = kwargs.get("addition")
        if addition is None or addition.key is None:
            return
        company_id, key, fingerprint = addition.key
        version = addition.version + len(stored_events)
        curs.execute(FORGET)
        curs.execute(REMEMBER, (company_id, key, fingerprint, addition.aggregate_id, addition.version, version))
        if curs.fetchone() is None:
            raise IntegrityError("the idempotency key is in use")


class PostgresEventStore:
    """`domain.configuration.event_store.EventStore`; connects when first used."""

    def __init__(self, database_url: str, *, connections: int = CONNECTIONS) -> None:
        self._url, self._connections = database_url, connections
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix="event-store")
        self._opening = Lock()
        self._opened: _Recorder | None = None

    async def events(self, aggregate_id: UUID, after: int = 0) -> list[Stored]:
        """Events of an aggregate after a version, oldest first. Raises Unavailable, Defect."""
        return await self._in_thread(partial(self._events, aggregate_id, after))

    async def recall(self, company_id: str, key: str) -> Remembered | None:
        """What was done with this key. Raises Unavailable, Defect."""
        return await self._in_thread(partial(self._recall, company_id, key))

    async def append(self, addition: Append) -> list[Stored]:
        """Store the events, and the key with them.

        Raises Conflict where somebody else was first, Unavailable, Defect.
        """
        return await self._in_thread(partial(self._append, addition))

    async def close(self) -> None:
        """Close the connections, after what is under way."""
        await asyncio.to_thread(self._close)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except (PersistenceError, OSError) as error:
            raise _domain_error(error) from error

    def _recorder(self) -> _Recorder:
        with self._opening:
            if self._opened is None:
                self._opened = _recorder_on(self._url, self._connections)
            return self._opened

    def _events(self, aggregate_id: UUID, after: int) -> list[Stored]:
        with self._recorder().datastore.get_connection() as connection:
            rows = connection.execute(EVENTS, (aggregate_id, after), prepare=True).fetchall()
        return [Stored(*row.values()) for row in rows]

    def _recall(self, company_id: str, key: str) -> Remembered | None:
        with self._recorder().datastore.get_connection() as connection:
            row = connection.execute(RECALL, (company_id, key), prepare=True).fetchone()
        return None if row is None else Remembered(*row.values())

    def _append(self, addition: Append) -> list[Stored]:
        events = [
            StoredEvent(addition.aggregate_id, version, topic, state)
            for version, (topic, state) in enumerate(addition.events, addition.version + 1)
        ]
        try:
            numbers = self._recorder().insert_events(events, addition=addition)
        except IntegrityError:
            return self._ours(addition)
        return [
            Stored(addition.aggregate_id, event.originator_version, event.topic, event.state, number)
            for event, number in zip(events, numbers or (), strict=True)
        ]

    def _ours(self, addition: Append) -> list[Stored]:
        """The events, where it was this very command that took the version.

        The library tries again after a lost connection; when only the answer was lost, the second try meets the first
        one's events and reports a conflict that is none.
        """
        stored = self._events(addition.aggregate_id, addition.version)[: len(addition.events)]
        if not stored or read_state(stored[0]).command_id != addition.command_id:
            raise Conflict("somebody else was first", code="raced")
        return stored

    def _close(self) -> None:
        self._threads.shutdown()
        if self._opened is not None:
            self._opened.datastore.close()


def _recorder_on(url: str, connections: int) -> _Recorder:
    """A recorder, which connects to find its schema; where it cannot, its pool and the threads of it are let go.

    They are not waited for: one of them may be connecting to a server that is frozen.
    """
    datastore = _datastore(url, connections)
    try:
        return _Recorder(datastore, events_table_name=TABLE)
    except BaseException:
        datastore.pool.close(timeout=0)
        raise


def _datastore(url: str, connections: int) -> PostgresDatastore:
    """The library's pool. It takes five parts of an address alone, so the pool itself is told the whole of it."""
    store = PostgresDatastore(
        dbname="",
        host="",
        port="",
        user="",
        password="",
        pool_size=1,
        max_overflow=connections - 1,
        connect_timeout=PATIENCE,
        lock_timeout=LOCK_SECONDS,
        enable_db_functions=False,
    )
    store.pool.kwargs = {**conninfo_to_dict(url), "row_factory": dict_row}
    return store


def _domain_error(error: Exception) -> Unavailable | Defect:
    """The library's error as ours: what passes by itself, and what does not."""
    if isinstance(error, (InterfaceError, OperationalError, OSError)):
        return Unavailable(
            f"the event store does not answer: {error}",
            suggested_actions=("Send the command again with the same Idempotency-Key: it has one effect at most.",),
        )
    return Defect(f"the event store refuses a statement: {error}")
