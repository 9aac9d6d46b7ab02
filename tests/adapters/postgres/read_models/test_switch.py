"""Switching under readers: every answer is of one version or of the other, whole, and none is an error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing

import psycopg
import pytest

from adapters.postgres.read_models.builder import PostgresBuild, PostgresVersions
from adapters.postgres.read_models.read_store import PostgresReadStore
from domain.decimals import ONE
from domain.errors import Unavailable
from domain.ports import Answer
from projections.engine.declare.registry import projection
from projections.engine.store.sql import table_name
from tests.laws.test_rebuild import rebuilt
from tests.projections.harness import ReadModels

NAME = "user_activity"
TABLE = projection(NAME).tables[0].name
QUESTION = f"SELECT count(*), min(company_id) FROM {{{TABLE}}}"


@pytest.fixture
async def reads(database_url: str) -> AsyncIterator[PostgresReadStore]:
    """A read store on a database whose projection is stored and empty."""
    models = ReadModels(database_url, [projection(NAME)])
    store = PostgresReadStore(database_url, connections=4)
    await store.open()
    yield store
    await store.close()
    await models.close()


async def another(url: str, company: str) -> int:
    """A second version, told by its only row: so that an answer shows which version it is of."""
    version = await rebuilt(url, projection(NAME), [], 1, 1)
    with psycopg.connect(url) as connection:
        columns = projection(NAME).tables[0].columns
        blank = {"text": "", "numeric": 0, "bigint": 0, "date": "2026-01-01", "timestamptz": "2026-01-01"}
        values = [company if c.name == "company_id" else blank[c.kind.sql.split()[0]] for c in columns]
        marks = ", ".join(["%s"] * len(values))
        connection.execute(f"INSERT INTO {table_name(TABLE, version)} VALUES ({marks})".encode(), values)
    return version


async def test_readers_see_one_version_or_the_other_and_no_error(reads: PostgresReadStore, database_url: str) -> None:
    """Readers ask all the time, while versions are switched to and fro and the first is dropped and built anew."""
    second = await another(database_url, "second")
    answers: list[Answer] = []
    over = asyncio.Event()

    async def ask() -> None:
        while not over.is_set():
            answers.append(await reads.ask("second", NAME, QUESTION, ()))

    readers = [asyncio.create_task(ask()) for _ in range(3)]
    declared, first = projection(NAME), projection(NAME).version
    with closing(PostgresVersions(database_url)) as versions:
        for version in (second, first, second, first, second):
            await asyncio.to_thread(versions.switch, declared.stored_as(version), None)
            seen = await reads.ask("second", NAME, QUESTION, ())
            assert seen.rows == ([(1, "second")] if version == second else [(0, None)])
            await asyncio.sleep(0.05)
        await asyncio.to_thread(versions.drop, declared)
        await asyncio.sleep(0.05)
    over.set()
    await asyncio.gather(*readers)
    assert {a.rows[0] for a in answers} == {(0, None), (1, "second")}
    assert {a.definition_version for a in answers} == {declared.version}


async def test_a_reader_that_slept_through_two_switches_and_a_drop_gets_an_answer(
    reads: PostgresReadStore, database_url: str
) -> None:
    """What it remembers as live is gone; it asks what is live now."""
    assert (await reads.ask("second", NAME, QUESTION, ())).rows == [(0, None)]
    second = await another(database_url, "second")
    declared = projection(NAME)
    with closing(PostgresVersions(database_url)) as versions:
        versions.switch(declared.stored_as(second), None)
        versions.drop(declared)
    assert (await reads.ask("second", NAME, QUESTION, ())).rows == [(1, "second")]


async def test_a_version_of_another_definition_is_named_and_not_followed(
    reads: PostgresReadStore, database_url: str
) -> None:
    """Until the new definition is built and switched to, readers see the old one, and answers say which it is.

    What a later release has stored is not read at all: this one cannot know what it means.
    """
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE projections SET definition = 1, fingerprint = 'older'")
        again = ReadModels(database_url, [projection(NAME)])
        assert again.store.running([projection(NAME)]) == []
        assert (await reads.ask("second", NAME, QUESTION, ())).definition_version == 1
        await again.close()
        connection.execute("UPDATE projections SET definition = 1000, fingerprint = 'newer'")
    store = PostgresReadStore(database_url, connections=1)  # a process that has not read before
    await store.open()
    with pytest.raises(Unavailable, match="a later release"):
        await store.ask("second", NAME, QUESTION, ())
    await store.close()


async def test_rows_of_an_earlier_grid_are_read_on_that_of_now(database_url: str) -> None:
    """Decimals in millionths are the same amounts; buckets of them are not read, and what was not stored is missing."""
    declared = projection("system_metrics")
    models = ReadModels(database_url, [declared])
    company, minute = "earlierco", "2026-01-01"
    with psycopg.connect(database_url) as connection:
        table = table_name("system_minute", declared.version)
        connection.execute("UPDATE projections SET definition = 1, fingerprint = 'older', places = 6")
        connection.execute(f"ALTER TABLE {table} DROP COLUMN max".encode())
        connection.execute(
            f"INSERT INTO {table} (company_id, service, metric, minute, count, sum, min)"
            " VALUES (%s, 's', 'm', %s, 2, 2500000, 1250000)".encode(),
            (company, minute),
        )
    store = PostgresReadStore(database_url, connections=1)
    await store.open()

    async def read(columns: str, table: str = "system_minute") -> Answer:
        return await store.ask(
            company, declared.name, f"SELECT {columns} FROM {{{table}}} WHERE company_id = %s", (company,)
        )

    answer = await read("sum, min")
    assert (answer.rows, answer.definition_version) == ([(5 * ONE // 2, 5 * ONE // 4)], 1)
    with pytest.raises(Unavailable, match="another definition"):
        await read("max")
    with pytest.raises(Unavailable, match="another grid"):
        await read("count(*)", "latency_bucket")
    await store.close()
    await models.close()


async def test_a_projection_that_was_never_stored_is_unavailable(database_url: str) -> None:
    """Its tables are not there yet, and the error says so."""
    store = PostgresReadStore(database_url, connections=1)
    await store.open()
    with pytest.raises(Unavailable, match="has not started"):
        await store.ask("second", NAME, QUESTION, ())
    await store.close()


async def test_what_a_build_gathers_is_unlogged_until_it_is_finished(database_url: str) -> None:
    """Tables and progress are lost together in a crash of the server; the finished tables are as durable as any."""
    declared = projection(NAME)
    ReadModels(database_url, [declared]).restart()
    with closing(PostgresVersions(database_url)) as versions:
        stored = versions.register(declared)
    query = (
        "SELECT relname, relpersistence::text FROM pg_class"
        f" WHERE relname LIKE '%\\_v{stored.version}%' AND relkind = 'r'"
    )
    with closing(PostgresBuild(database_url, stored)) as build, psycopg.connect(database_url) as connection:
        build.begin([])
        kinds = connection.execute(query.encode()).fetchall()
        progress = connection.execute("SELECT relpersistence::text FROM pg_class WHERE relname = 'shares'").fetchall()
        assert {kind for _, kind in kinds} == {"u"} == {kind for (kind,) in progress}
        build_tables = len(kinds)
        connection.commit()
        build.finish()
        kinds = connection.execute(query.encode()).fetchall()
        assert {kind for _, kind in kinds} == {"p"}
        assert len(kinds) == len(declared.tables) == build_tables / 2
