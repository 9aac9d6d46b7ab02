"""Desks on a real event store, and short ways to give commands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from adapters.event_store.store import PostgresEventStore
from app.vocabulary import RegisteredVocabulary
from command_api.desk import Desk, Order
from domain.access import Principal, Role, Tier
from domain.configuration.registry import COMMANDS, read_command

ADMIN = Principal("ann", frozenset({"acme"}), frozenset({Role.ADMIN}), Tier.ENTERPRISE)


def vocabulary(*companies: str) -> RegisteredVocabulary:
    """What is registered, and these companies."""

    async def exists(company: str) -> bool:
        return company in companies

    return RegisteredVocabulary(["BTC"], exists)


@asynccontextmanager
async def desk_on(database_url: str) -> AsyncIterator[Desk]:
    """A desk with an event store of its own, as another process would have."""
    store = PostgresEventStore(database_url)
    try:
        yield Desk(store, vocabulary())
    finally:
        await store.close()


def order(name: str, body: str = "{}", **rest: Any) -> Order:
    """A command of the company acme."""
    kind = COMMANDS[name]
    return Order(kind, read_command(kind, body.encode()), **{"company_id": "acme", **rest})


def counted(database_url: str, table: str = "config_events") -> int:
    """Rows of a table."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])
