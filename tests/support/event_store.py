"""The event store for tests of those who read it: events put in as its writers do, some of them slow to commit."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from uuid import UUID, uuid5

import psycopg

NAMESPACE = UUID("11111111-2222-3333-4444-555555555555")
# the order of the recorder: lock, notify, insert; the lock is held until the commit
BEGIN = "LOCK TABLE config_events IN EXCLUSIVE MODE; NOTIFY config_events"
INSERT = """
    INSERT INTO config_events (originator_id, originator_version, topic, state) VALUES (%s, %s, %s, %s)
    RETURNING notification_id
"""
AT = 1_760_000_000_000


def aggregate(name: str) -> UUID:
    """The identity of an aggregate, by a name."""
    return uuid5(NAMESPACE, name)


def state(company: str, **changed: object) -> dict[str, object]:
    """The state of an event as the store holds it."""
    return {
        "company_id": company,
        "actor": "u1",
        "role": "admin",
        "at": AT,
        "command_id": "c-1",
        "correlation_id": "r-1",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "body": {},
        **changed,
    }


def decide(
    connection: psycopg.Connection,
    name: str,
    version: int,
    said: Mapping[str, object] | bytes,
    topic: str = "dashboard.renamed",
    hold: float = 0.0,
) -> int:
    """Put one event into the store, `hold` seconds before its commit; its number."""
    raw = said if isinstance(said, bytes) else json.dumps(said).encode()
    with connection.transaction():
        connection.execute(BEGIN)
        row = connection.execute(INSERT, (aggregate(name), version, topic, raw)).fetchone()
        time.sleep(hold)
    assert row is not None
    return int(row[0])
