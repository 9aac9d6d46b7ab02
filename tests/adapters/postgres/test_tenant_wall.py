"""The tenant wall in the database: a reader sees one company, whatever the statement forgets or whatever fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import closing, suppress
from dataclasses import dataclass

import psycopg
import pytest
from psycopg import sql as composed
from psycopg.conninfo import make_conninfo

from adapters.postgres.migrate import migrate
from adapters.postgres.read_models.builder import PostgresBuild
from adapters.postgres.read_models.read_store import PostgresReadStore
from adapters.postgres.roles import MEMBER, READER
from adapters.postgres.tenant_wall import SET_TENANT
from adapters.servers.servers import Addresses
from domain.errors import Defect, LimitExceeded
from projections.engine.declare.registry import all_projections, projection
from projections.engine.query.wide_answers import FEW, TURNS
from projections.engine.rebuild import LogRange
from projections.engine.store.port import Changes
from projections.engine.store.sql import table_name
from tests.eventlog.publish.samples import trade
from tests.laws.test_rebuild import rebuilt
from tests.projections.harness import ReadModels, logged
from tests.support import signing
from tests.support.servers import database_named

NAME = "trading"
TRADES = table_name("trade", projection("trading").version)
EVERYTHING = "SELECT DISTINCT company_id FROM {trade}"
ROUNDS = [2_500, pytest.param(10_000, marks=pytest.mark.ci)]  # all that may go wrong does in 2,000
TENANTS = ("acme", "beta")
PUBLIC = {"checkpoints", "projections"}  # what tells no company's data, and readers need for the position


RECORDS = logged([trade(f"of-{company}", company_id=company) for company in TENANTS])


def two_tenants(url: str) -> ReadModels:
    """Read models in which two companies have a trade each."""
    models = ReadModels(url)
    models.fold(RECORDS)
    return models


@pytest.fixture
async def reads(read_models_url: str) -> AsyncIterator[PostgresReadStore]:
    """A read store with two connections, in front of the rows of two companies."""
    models = two_tenants(read_models_url)
    store = PostgresReadStore(read_models_url, connections=2, timeout=1.0)
    await store.open()
    yield store
    await store.close()
    await models.close()


@pytest.mark.parametrize("tenant", TENANTS)
async def test_a_statement_without_a_company_sees_the_tenants_rows_alone(reads: PostgresReadStore, tenant: str) -> None:
    """The compiler's filter is not the only one."""
    assert (await reads.ask(tenant, NAME, EVERYTHING, ())).rows == [(tenant,)]


async def test_a_statement_that_names_another_company_sees_nothing(reads: PostgresReadStore) -> None:
    """Both filters hold."""
    assert (await reads.ask("acme", NAME, EVERYTHING + " WHERE company_id = %s", ("beta",))).rows == []


@pytest.mark.parametrize("nobody", ["", "*", "%", "acme,beta", "ACME", "acme "])
async def test_what_is_no_company_sees_nothing(reads: PostgresReadStore, nobody: str) -> None:
    """The star of a token is no company to the store, and no pattern is either."""
    assert (await reads.ask(nobody, NAME, EVERYTHING, ())).rows == []


async def test_no_more_wide_answers_of_a_tenant_lie_in_memory_than_it_has_connections(
    reads: PostgresReadStore, read_models_url: str
) -> None:
    """Eight are asked for while the turn of wide answers is another's: one statement runs; then all are answered."""
    wide = f"SELECT pg_try_advisory_lock(%s), n FROM generate_series(1, {3 * FEW}) AS n"
    marks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid BETWEEN 1 AND 8"
    with psycopg.connect(read_models_url, autocommit=True) as connection:
        async with TURNS.turn("gamma"):
            asked = [asyncio.create_task(reads.ask("acme", NAME, wide, (n,))) for n in range(1, 9)]
            answered = 0
            while connection.execute(marks).fetchone() == (0,) or answered < 10:
                assert (await reads.ask("beta", NAME, EVERYTHING, ())).rows == [("beta",)]
                answered += 1
            assert connection.execute(marks).fetchone() == (1,)
        assert [len(answer.rows) for answer in await asyncio.gather(*asked)] == [3 * FEW] * 8
        assert connection.execute(marks).fetchone() == (8,)


def test_a_reader_without_a_tenant_sees_nothing(read_models_url: str) -> None:
    """On a fresh connection, and on one whose last transaction had a tenant."""
    with closing(two_tenants(read_models_url).store), psycopg.connect(read_models_url, autocommit=True) as connection:
        connection.execute(f"SET ROLE {READER}")
        query = f"SELECT count(*) FROM {TRADES}".encode()
        assert connection.execute(query).fetchone() == (0,)
        with connection.transaction():
            connection.execute(SET_TENANT, ("acme",))
            assert connection.execute(query).fetchone() == (1,)
        assert connection.execute(query).fetchone() == (0,)


@pytest.mark.parametrize("times", ROUNDS)
async def test_no_tenant_leaks_through_a_connection_that_is_used_again(reads: PostgresReadStore, times: int) -> None:
    """So many rounds over two connections, among them errors, statements that take too long, and callers who leave."""
    rounds = iter(range(times))
    wrong: list[object] = []

    async def ask() -> None:
        for i in rounds:
            tenant = TENANTS[i % 3 % 2]
            if i % 20 == 7:
                with suppress(psycopg.DataError):
                    await reads.ask(tenant, NAME, "SELECT 1 / (count(*) - count(*)) FROM {trade}", ())
            elif i % 500 == 18:
                with suppress(TimeoutError):
                    await asyncio.wait_for(reads.ask(tenant, NAME, "SELECT pg_sleep(0.05) FROM {trade}", ()), 0.01)
            elif i % 2_000 == 19:
                with suppress(LimitExceeded):
                    await reads.ask(tenant, NAME, "SELECT pg_sleep(5) FROM {trade}", ())
            found = (await reads.ask(tenant, NAME, EVERYTHING, ())).rows
            if found != [(tenant,)]:
                wrong.append((i, tenant, found))

    async with asyncio.TaskGroup() as callers:
        for _ in range(6):
            callers.create_task(ask())
    assert wrong == []


@dataclass(frozen=True, slots=True)
class Walls:
    """What the catalog says of one table."""

    name: str
    enabled: bool
    forced: bool


def walls(url: str) -> list[Walls]:
    """Every table in the schema of the read models, whoever made it."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class"
            " WHERE relnamespace = 'read_models'::regnamespace AND relkind IN ('r', 'p')"
        )
        return [Walls(*row) for row in rows]


async def test_every_table_of_every_projection_is_behind_the_wall(read_models_url: str) -> None:
    """Rows, states, a second version and a snapshot of each: the catalog counts, not what somebody listed."""
    with closing(two_tenants(read_models_url).store), closing(signing.snapshots(read_models_url)) as snapshots:
        for found in all_projections().values():
            await rebuilt(read_models_url, found, RECORDS, 1, 1)
            snapshots.take(found)
    tables = walls(read_models_url)
    stored = sum(len(p.tables) + len(p.ordered) for p in all_projections().values())
    assert len(tables) == 3 * stored
    assert [wall for wall in tables if not (wall.enabled and wall.forced)] == []


def test_what_a_build_gathers_is_for_its_owner_alone(read_models_url: str) -> None:
    """It is no read model yet; COPY into it must go on, so that it is closed to readers instead of forced."""
    building = projection(NAME).stored_as(9)
    with closing(PostgresBuild(read_models_url, building)) as build:
        build.begin([LogRange(0, "trading-events", 0, 0, 0, 1)])
    gathering = [wall.name for wall in walls(read_models_url) if not wall.forced]
    assert gathering
    with psycopg.connect(read_models_url) as connection:
        for name in gathering:
            allowed = "SELECT has_table_privilege(%s, %s, 'SELECT')"
            assert connection.execute(allowed, (READER, f'read_models."{name}"')).fetchone() == (False,)


def test_readers_may_write_nothing_and_read_no_other_table(read_models_url: str) -> None:
    """Log, quarantine, events of the store and whatever durable table comes: readers have no right to any."""
    with closing(two_tenants(read_models_url).store), psycopg.connect(read_models_url) as connection:
        rows = connection.execute(
            "SELECT c.relname, has_any_column_privilege(%(r)s, c.oid, 'SELECT'),"
            " has_any_column_privilege(%(r)s, c.oid, 'INSERT, UPDATE') OR has_table_privilege(%(r)s, c.oid, 'DELETE')"
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
            " AND n.nspname NOT LIKE 'pg_%%temp%%' AND n.nspname NOT LIKE 'pg_toast%%'",
            {"r": READER},
        ).fetchall()
        read_models = {wall.name for wall in walls(read_models_url)}
        assert {name for name, reads, _ in rows if reads} - read_models == PUBLIC | {"tenant_positions"}
        assert [name for name, _, writes in rows if writes] == []
        role = "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = %s"
        assert connection.execute(role, (READER,)).fetchone() == (False, False)
        views = "SELECT relname FROM pg_class WHERE relkind = 'v' AND relnamespace = 'read_models'::regnamespace"
        assert connection.execute(views).fetchall() == []  # one would see as its owner: declare it security_invoker


def test_readers_see_the_position_of_the_company_that_is_set(read_models_url: str) -> None:
    """And none while none is."""
    with closing(two_tenants(read_models_url).store), psycopg.connect(read_models_url) as connection:
        connection.execute(f"SET ROLE {READER}".encode())
        for company in ("", *TENANTS):
            connection.execute("SELECT set_config('analytics.company', %s, false)", (company,))
            seen = connection.execute("SELECT DISTINCT company_id FROM tenant_positions").fetchall()
            assert seen == ([(company,)] if company else [])


@pytest.fixture
def owned_database(servers: Addresses, database_template: str) -> Callable[..., str]:
    """Makes an empty database that belongs to a login without special rights; answers the address of that login."""

    def make(name: str, *granted: str) -> str:
        login = composed.Identifier(name)
        with psycopg.connect(servers.database_url, autocommit=True) as connection:
            connection.execute(composed.SQL("CREATE ROLE {} LOGIN NOSUPERUSER PASSWORD 'pw'").format(login))
            connection.execute(composed.SQL("CREATE DATABASE {} OWNER {}").format(login, login))
            for role in granted:
                connection.execute(composed.SQL("GRANT {} TO {}").format(composed.Identifier(role), login))
        return make_conninfo(database_named(servers.database_url, name), user=name, password="pw")

    return make


def test_an_owner_who_may_not_make_roles_is_told_what_to_ask_for(owned_database: Callable[..., str]) -> None:
    """The two statements for whoever may, and nothing has changed."""
    url = owned_database("poor_owner")
    with pytest.raises(Defect, match="GRANT analytics_reader TO poor_owner"):
        migrate(url)


async def test_a_plain_owner_can_do_all_of_it(owned_database: Callable[..., str]) -> None:
    """Migrate, fold, ask, build, snapshot, tell the past: nothing needs a superuser, and the owner sees all rows."""
    url = owned_database("plain_owner", READER, MEMBER)
    migrate(url)
    models = two_tenants(url)
    assert [row["trade_id"] for row in await models.rows("trades", "beta")] == ["of-beta"]
    assert [row["trade_id"] for row in await models.rows("trades", "acme")] == ["of-acme"]
    declared = projection(NAME)
    assert models.checksum(NAME).rows > 2
    await rebuilt(url, declared, RECORDS, 1, 1)
    with closing(signing.snapshots(url)) as snapshots, closing(signing.scratch(url)) as scratch:
        base = snapshots.take(declared)
        with scratch.filled(declared, "acme", base, Changes()) as tables:
            assert tables.select(EVERYTHING, ())[1] == [("acme",)]
    await models.close()
    assert {wall.forced for wall in walls(url)} == {True}
    with psycopg.connect(url) as connection:
        assert connection.execute(f"SELECT count(*) FROM {TRADES}".encode()).fetchone() == (2,)


async def test_a_scratch_table_is_filled_as_the_companys_reader(read_models_url: str) -> None:
    """The copy of a snapshot shows a scratch table its company alone, even without the filter of the statement."""
    with (
        closing(two_tenants(read_models_url).store),
        closing(signing.scratch(read_models_url)) as scratch,
        scratch.filled(projection(NAME), "beta", None, Changes()) as tables,
    ):
        found = tables.select(f"SELECT current_user, (SELECT string_agg(company_id, ',') FROM {TRADES})", ())
    assert found[1] == [(READER, "beta")]
