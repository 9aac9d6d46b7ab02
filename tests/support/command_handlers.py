"""Command handlers on a real event store, and short ways to give commands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from adapters.postgres.configuration_store.event_store import PostgresEventStore
from app.vocabulary import RegisteredVocabulary
from command_api.command_handler import CommandHandler, CommandRequest
from domain.access.rights import Principal, Role, Tier
from domain.configuration.registry import COMMANDS, company_aggregate_id, read_command

ADMIN = Principal("ann", frozenset({"acme"}), frozenset({Role.ADMIN}), Tier.ENTERPRISE)


async def _acme(company: str) -> bool:
    return company == "acme"


def vocabulary(exists: Callable[[str], Awaitable[bool]] = _acme) -> RegisteredVocabulary:
    """What is registered; by default acme is the one company there is."""
    return RegisteredVocabulary(["BTC"], exists)


@asynccontextmanager
async def handler_on(database_url: str) -> AsyncIterator[CommandHandler]:
    """A command handler with an event store of its own, as another process has. There are acme, and who commanded."""
    store = PostgresEventStore(database_url)

    async def exists(company: str) -> bool:
        return await _acme(company) or bool(await store.events(company_aggregate_id(company), 0))

    try:
        yield CommandHandler(store, vocabulary(exists))
    finally:
        await store.close()


def order(name: str, body: str = "{}", **rest: Any) -> CommandRequest:
    """A command of the company acme."""
    kind = COMMANDS[name]
    return CommandRequest(kind, read_command(kind, body.encode()), **{"company_id": "acme", **rest})


def counted(database_url: str, table: str = "config_events") -> int:
    """Rows of a table."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])
