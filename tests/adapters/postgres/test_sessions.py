"""Sessions in PostgreSQL: sealed, ended by signing out and by the token's end."""

from __future__ import annotations

from collections.abc import AsyncIterator

import psycopg
import pytest

from adapters.postgres.tables.sessions import PostgresSessions
from domain.errors import Unauthenticated
from tests.support.clock import Clock

TOKEN = "a.token.of-somebody"
BEGUN, ENDS = 1_000.0, 2_000.0


@pytest.fixture
async def sessions(database_url: str, clock: Clock) -> AsyncIterator[PostgresSessions]:
    """None yet."""
    clock.now = BEGUN
    store = PostgresSessions(database_url, clock)
    yield store
    await store.close()


async def test_a_session_has_its_token_until_somebody_signs_out(sessions: PostgresSessions) -> None:
    session, other = await sessions.begin(TOKEN, ENDS), await sessions.begin("another", ENDS)
    assert await sessions.token(session) == TOKEN
    await sessions.end(session)
    await sessions.end(session)
    with pytest.raises(Unauthenticated):
        await sessions.token(session)
    assert await sessions.token(other) == "another"


async def test_a_session_ends_with_its_token(sessions: PostgresSessions, clock: Clock) -> None:
    session = await sessions.begin(TOKEN, ENDS)
    clock.now = ENDS - 1
    assert await sessions.token(session) == TOKEN
    clock.now = ENDS
    with pytest.raises(Unauthenticated):
        await sessions.token(session)


async def test_a_token_without_an_end_has_a_session(sessions: PostgresSessions) -> None:
    assert await sessions.token(await sessions.begin(TOKEN, float("inf"))) == TOKEN


async def test_what_has_ended_leaves_the_table(sessions: PostgresSessions, clock: Clock, database_url: str) -> None:
    await sessions.begin(TOKEN, ENDS)
    clock.now = ENDS
    await sessions.begin(TOKEN, ENDS + 1)
    assert len(stored(database_url)) == 1


async def test_whoever_reads_the_table_gets_nothing_that_lets_them_in(
    sessions: PostgresSessions, database_url: str
) -> None:
    session = await sessions.begin(TOKEN, ENDS)
    ((session_id, token),) = stored(database_url)
    assert TOKEN.encode() not in token
    assert session.encode() not in session_id + token
    with pytest.raises(Unauthenticated):
        await sessions.token(session_id.hex())


def stored(database_url: str) -> list[tuple[bytes, bytes]]:
    """What the table has."""
    with psycopg.connect(database_url) as connection:
        return connection.execute("SELECT session_id, token FROM sessions").fetchall()
