"""The wall around members in the database: a member sees its own rows, whatever the statement forgets to say."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import closing

import psycopg
import pytest

from adapters.postgres.read_models.read_store import OfMember, PostgresReadStore
from adapters.postgres.roles import MEMBER
from adapters.postgres.tenant_wall import SET_TENANT
from domain.access.rights import Member
from domain.errors import Forbidden
from eventlog.publish.event import Event
from projections.engine.declare.registry import all_projections, projection
from projections.engine.declare.rows import Table
from projections.engine.store import sql
from projections.engine.store.port import Changes
from tests.eventlog.publish.samples import trade
from tests.laws.test_rebuild import rebuilt
from tests.projections.harness import ReadModels, logged
from tests.support import signing

EVERYTHING = "SELECT trade_id FROM {trade} ORDER BY trade_id"
EVENTS: Sequence[Event] = [
    *(trade(f"{company}-{user}", company_id=company, user_id=user) for company in ("acme", "beta") for user in "abc"),
]
RECORDS = logged(EVENTS)
ODD = ("*", "%", "{a}", "{a,b}", 'a","b', "A", "a ", "NULL", "a' OR 'a'='a")


@pytest.fixture
async def reads(read_models_url: str) -> AsyncIterator[PostgresReadStore]:
    """A read store in front of the rows of two companies with the same users."""
    models = ReadModels(read_models_url)
    models.fold(RECORDS)
    store = PostgresReadStore(read_models_url, connections=2)
    await store.open()
    yield store
    await store.close()
    await models.close()


def of(store: PostgresReadStore, users: str, accounts: Sequence[str] = ()) -> OfMember:
    return store.of_member(Member(frozenset(users), frozenset(accounts)))


async def seen(member: OfMember, company: str = "acme") -> list[object]:
    return [row[0] for row in (await member.ask(company, "trading", EVERYTHING, ())).rows]


async def test_a_statement_that_names_nobody_sees_the_members_rows_alone(reads: PostgresReadStore) -> None:
    """One user, two, an account that is others', too; the same users of another company; all rows for others."""
    assert await seen(of(reads, "a")) == ["acme-a"]
    assert await seen(of(reads, "ab")) == ["acme-a", "acme-b"]
    assert await seen(of(reads, "a", ["a1"])) == ["acme-a"]  # the account of all trades here
    assert await seen(of(reads, "a"), "beta") == ["beta-a"]
    assert len((await reads.ask("acme", "trading", EVERYTHING, ())).rows) == 3
    assert await seen(of(reads, "c")) == ["acme-c"]


@pytest.mark.parametrize("odd", ODD)
async def test_no_spelling_of_an_id_is_another_id(reads: PostgresReadStore, odd: str) -> None:
    """Ids are compared as they are, whatever they mean to an array or a pattern."""
    assert await seen(reads.of_member(Member(frozenset({odd}), frozenset({odd})))) == []


async def test_a_table_of_the_whole_company_is_closed(reads: PostgresReadStore) -> None:
    """The database refuses it, and the refusal says why; what is open to members is answered."""
    closed = ("user_activity", "activity_quarter"), ("payments", "invoice"), ("audit", "audit_quarter")
    for projection_name, table in closed:
        with pytest.raises(Forbidden) as refused:
            await of(reads, "a").ask("acme", projection_name, f"SELECT 1 AS one FROM {{{table}}}", ())
        assert refused.value.code == "forbidden_member"
    assert (await of(reads, "a").ask("acme", "market_bars", "SELECT 1 AS one FROM {market_bar}", ())).rows == []


def test_a_member_without_users_sees_nothing(read_models_url: str) -> None:
    """Before ids are set, after the transaction that had set them, and with a company alone."""
    models = ReadModels(read_models_url)
    models.fold(RECORDS)
    count = f"SELECT count(*) FROM {sql.table_name('trade', projection('trading').version)}".encode()
    with closing(models.store), psycopg.connect(read_models_url, autocommit=True) as connection:
        connection.execute(f"SET ROLE {MEMBER}")
        assert connection.execute(count).fetchone() == (0,)
        for users in (["a"], []):
            with connection.transaction():
                connection.execute(SET_TENANT, ("acme",))
                assert connection.execute(count).fetchone() == (0,)
                connection.execute("SELECT set_config('analytics.user_ids', %s::text[]::text, true)", (users,))
                assert connection.execute(count).fetchone() == (len(users),)
            assert connection.execute(count).fetchone() == (0,)


def shown(table: Table) -> bool:
    return table.open_to_members or table.of_users


async def test_every_table_says_whose_its_rows_are_or_is_closed(read_models_url: str) -> None:
    """Rows and states, of live versions and of those that were built beside them: the catalog counts."""
    models = ReadModels(read_models_url)
    models.fold(RECORDS)
    built = {}
    for found in all_projections().values():
        await rebuilt(read_models_url, found, RECORDS, 1, 1)
        built[found.name] = found.version + 1
    wanted = {
        f"{table.name}_v{version}"
        for found in all_projections().values()
        for version in (found.version, built[found.name])
        for table in found.tables
        if shown(table)
    }
    with closing(models.store), psycopg.connect(read_models_url) as connection:
        rows = connection.execute(
            "SELECT c.relname, has_any_column_privilege(%(r)s, c.oid, 'SELECT'),"
            " has_any_column_privilege(%(r)s, c.oid, 'INSERT, UPDATE') OR has_table_privilege(%(r)s, c.oid, 'DELETE'),"
            " EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid AND polname = 'member')"
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
            " AND n.nspname NOT LIKE 'pg_%%temp%%' AND n.nspname NOT LIKE 'pg_toast%%'",
            {"r": MEMBER},
        ).fetchall()
        assert {name for name, reads, _, _ in rows if reads} - {"checkpoints", "projections"} == wanted
        assert {name for name, *_, policy in rows if policy} == wanted
        assert [name for name, _, writes, _ in rows if writes] == []
        role = "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = %s"
        assert connection.execute(role, (MEMBER,)).fetchone() == (False, False)
        functions = connection.execute(
            "SELECT proname FROM pg_proc WHERE prosecdef AND has_function_privilege(%s, oid, 'EXECUTE')", (MEMBER,)
        )
        assert functions.fetchall() == []


@pytest.mark.parametrize("users", ["a", "ab", "c"])
async def test_scratch_tables_hold_what_stored_ones_show(
    reads: PostgresReadStore, read_models_url: str, users: str
) -> None:
    """Python limits the past, the policy limits the present: of the same rows both leave the same."""
    declared = projection("trading")
    with closing(signing.snapshots(read_models_url)) as snapshots, closing(signing.scratch(read_models_url)) as scratch:
        base = snapshots.take(declared)
        member = Member(frozenset(users), frozenset({"a1"}))
        with scratch.filled(declared, "acme", base, Changes(), member) as tables:
            found = [row[0] for row in tables.select(EVERYTHING, ())[1]]
        assert found == await seen(reads.of_member(member))
        activity = projection("user_activity")
        with pytest.raises(Forbidden), scratch.filled(activity, "acme", None, Changes(), member) as tables:
            tables.select("SELECT 1 FROM {activity_quarter}", ())
