"""What is read across the tenant wall: ids of companies that agreed, and not even that by anybody else."""

from __future__ import annotations

from collections.abc import AsyncIterator

import psycopg
import pytest

from adapters.postgres.roles import READER
from adapters.postgres.tables.consents import PostgresConsents
from adapters.postgres.tenant_wall import SET_TENANT
from domain.access.rights import Tier
from domain.configuration.company import ConsentChanged, CurrencyChanged, TierChanged
from domain.configuration.registry import company_aggregate_id
from domain.errors import Unavailable
from eventlog.publish.builders import config_event
from eventlog.publish.event import Event
from projections.engine.declare.registry import projection
from projections.engine.store import sql
from tests.projections.harness import ReadModels
from tests.projections.test_competitive import AT, said

AGREED = b"SELECT agreed FROM read_models.agreed_companies('PRO', NULL, 10) AS agreed"


def company(name: str, tier: Tier = Tier.PRO, currency: str = "USD", *, agrees: bool = True) -> list[Event]:
    """What a company says of itself."""
    return said(name, [TierChanged(tier), CurrencyChanged(currency), ConsentChanged(agrees)])


def unread(name: str) -> Event:
    """Its next event, by a newer release."""
    return config_event(
        company_id=name,
        event_id="newer",
        timestamp=AT,
        topic="company.something_new",
        aggregate_id=str(company_aggregate_id(name)),
        aggregate_version=4,
        body="{}",
        actor="ann",
        role="admin",
    )


@pytest.fixture
async def consents(database_url: str) -> AsyncIterator[PostgresConsents]:
    """Of a database in which some agreed."""
    models = ReadModels(database_url, [projection("configuration")])
    for each in (
        company("one"), company("two", currency="JPY"), company("three"), company("no", agrees=False),
        company("big", Tier.ENTERPRISE), [*company("newer"), unread("newer")],
    ):  # fmt: skip
        models.given(each)
    opened = PostgresConsents(database_url)
    yield opened
    await opened.close()
    await models.close()


async def test_those_of_the_tier_that_agreed_are_told(consents: PostgresConsents) -> None:
    """Of one currency where it is named; not who said something that this release cannot read."""
    assert set(await consents.agreed("PRO", None, 10)) == {"one", "two", "three"}
    assert set(await consents.agreed("PRO", "USD", 10)) == {"one", "three"}
    assert await consents.agreed("ENTERPRISE", None, 10) == ["big"]
    assert await consents.agreed("FREE", None, 10) == []


async def test_of_more_than_may_be_told_the_same_are_told_each_time(consents: PostgresConsents) -> None:
    """By a hash, which has nothing to do with who they are."""
    everybody = await consents.agreed("PRO", None, 10)
    assert [await consents.agreed("PRO", None, most) for most in (1, 2)] == [everybody[:1], everybody[:2]]


async def test_before_anything_is_folded_nobody_agreed(database_url: str) -> None:
    """And where nobody answers, that is said."""
    empty, gone = PostgresConsents(database_url), PostgresConsents("postgresql://nobody@127.0.0.1:1/nothing")
    assert await empty.agreed("PRO", None, 10) == []
    with pytest.raises(Unavailable):
        await gone.agreed("PRO", None, 10)
    await empty.close()


async def test_a_reader_gets_ids_and_no_row_with_them(consents: PostgresConsents, database_url: str) -> None:
    """The function is all that a reader may call across the wall, and a table in its place changes nothing."""
    with psycopg.connect(database_url) as connection:
        connection.execute(f"SET LOCAL ROLE {READER}".encode())
        connection.execute(
            b"CREATE TEMP TABLE projections AS SELECT 'configuration' AS name, 99 AS version, true AS live"
        )
        connection.execute(SET_TENANT, ("no",))
        assert {name for (name,) in connection.execute(AGREED)} == {"one", "two", "three"}
        configured = sql.table_name("configured_company", projection("configuration").version)
        assert connection.execute(f"SELECT company_id FROM {configured}".encode()).fetchall() == [("no",)]


async def test_nobody_else_may_call_it(consents: PostgresConsents, database_url: str) -> None:
    """Two functions run as their owner, with a path of their own, and are closed to everybody but readers."""
    with psycopg.connect(database_url) as connection:
        owners = (
            "SELECT proname, proconfig, (SELECT array_agg(grantee::regrole::text) FROM aclexplode(proacl)"
            " WHERE grantee <> proowner) FROM pg_proc"
            " WHERE prosecdef AND pronamespace = 'read_models'::regnamespace ORDER BY proname"
        )
        assert connection.execute(owners.encode()).fetchall() == [
            (name, ["search_path=pg_catalog, pg_temp"], [READER]) for name in ("agreed_companies", "stored_tiers")
        ]
