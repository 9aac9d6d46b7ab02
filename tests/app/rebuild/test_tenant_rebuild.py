"""`projections rebuild NAME --tenant COMPANY`: equal to live, differences shown, replaced on request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from itertools import product

import psycopg
import pytest
from analytics.business_events_pb2 import ExchangeRate
from analytics.control_events_pb2 import AlertTransition, AuditEvent, ConfigEvent, Prediction
from common.envelope_pb2 import AnalyticsProcessingEnvelope

from adapters.postgres.log.log import EmbeddedLog
from adapters.postgres.read_models.projection_store import PostgresProjectionStore
from app.bench.events import BEGIN, MIX, envelopes, pieces
from app.bench.folding import fold
from app.bench.logs import append
from app.rebuild.tenant import rebuild_tenant
from app.settings import Settings
from domain.errors import Conflict, NotFound
from projections.engine.declare.registry import all_projections, projection
from projections.engine.project.cohort import Limits
from projections.engine.project.projector import Projector
from projections.engine.store.sql import stored_tables, table_name
from tests.support.any_configuration import TOLD
from tests.support.instance import Instance, trade

COMPANY, OTHER = "company-3", "company-4"


async def lived(url: str, events: int) -> Settings:
    """A database in which all projections have folded made-up events of all types."""
    log = EmbeddedLog(url)
    try:
        await log.create_topics({t: 2 for p in all_projections().values() for t in p.topics})
        await append(log, pieces(envelopes(events, tuple(MIX))))
        await append(log, pieces(own_events()))
        await fold(log, url, list(all_projections().values()))
    finally:
        await log.close()
    return Settings(database_url=url)


def own_events() -> Iterator[AnalyticsProcessingEnvelope]:
    """What the service itself publishes: who did what, what was configured, foreseen and told; rates of their own."""
    rate = ExchangeRate(base="EUR", quote="USD", rate=1.1, source="own")
    asked = AuditEvent(subject="ann", action="query", target="trades", outcome="ok")
    foreseen = Prediction(what="total_pnl", method="trend", method_version=1, due_at=BEGIN, horizon_days=1, value=7.5)
    told = AlertTransition(rule_id="r", series="{}", before="normal", after="firing", at=BEGIN, since=BEGIN)
    for number, (company, (topic, body)) in enumerate(product((COMPANY, OTHER), TOLD)):
        decided = ConfigEvent(topic=topic, aggregate_id="a1", aggregate_version=number + 1, body=body)
        for name, payload in (
            ("config_event", decided),
            ("audit_event", asked),
            ("prediction", foreseen),
            ("alert_transition", told),
            ("exchange_rate", rate),
        ):
            yield AnalyticsProcessingEnvelope(
                message_type=name,
                company_id=company,
                timestamp=BEGIN + number,
                event_id=f"{name}-{number}",
                payload=payload.SerializeToString(),
            )


def stored(name: str, table: str) -> str:
    """The table of the projection's newest version, as SQL names it."""
    return table_name(table, projection(name).version)


def rows(url: str, name: str, company: str) -> dict[str, list[str]]:
    """Stored rows of a company in every table of a projection, as text, hidden columns and states included."""
    found = {}
    with psycopg.connect(url) as connection:
        for table in stored_tables(projection(name)):
            query = f"SELECT t::text FROM {stored(name, table)} t WHERE company_id = %s ORDER BY 1"
            found[table] = [row[0] for row in connection.execute(query.encode(), (company,)).fetchall()]
    return found


def lose(url: str, name: str) -> None:
    """Delete the company's rows in every table of a projection; again where a projector has locked in another order."""
    while True:
        with suppress(psycopg.errors.DeadlockDetected), psycopg.connect(url) as connection:
            for table in stored_tables(projection(name)):
                connection.execute(f"DELETE FROM {stored(name, table)} WHERE company_id = %s".encode(), (COMPANY,))
            return


@pytest.mark.ci  # every projection is made anew three times; one of them is in test_the_command_shows_and_replaces
async def test_what_is_made_anew_equals_live_and_replaces_what_was_lost(database_url: str) -> None:
    """For every registered projection: equal at first; all of the company's rows lost; shown; put right to the bit."""
    settings = await lived(database_url, 2_000)
    for name, declared in all_projections().items():
        good, others = rows(database_url, name, COMPANY), rows(database_url, name, OTHER)
        assert any(good.values()), name
        found = await rebuild_tenant(settings, declared, COMPANY, replace=True)
        assert (list(found.differences), found.replaced) == ([], False)
        lose(database_url, name)
        found = await rebuild_tenant(settings, declared, COMPANY, replace=False)
        assert {d.table for d in found.differences} == {table for table, lost in good.items() if lost}
        assert all(d.old is None and d.new for d in found.differences)
        assert not any(rows(database_url, name, COMPANY).values())
        assert (await rebuild_tenant(settings, declared, COMPANY, replace=True)).replaced
        assert rows(database_url, name, COMPANY) == good
        assert rows(database_url, name, OTHER) == others


@pytest.mark.ci
async def test_events_that_come_meanwhile_are_not_lost_and_not_doubled(database_url: str) -> None:
    """Rows are damaged and replaced again and again while a projector folds new events."""
    settings, declared = await lived(database_url, 1_000), projection("trading")
    log = EmbeddedLog(database_url)
    limits = Limits(batch=200, wait=0.05)
    projector = Projector([declared], log, lambda: PostgresProjectionStore(database_url), None, limits)
    working = asyncio.create_task(projector.run())
    try:
        for number in range(8):
            await append(log, pieces(envelopes(500, ("trading_result",), producer=f"more-{number}")))
            lose(database_url, declared.name)
            await rebuild_tenant(settings, declared, COMPANY, replace=True)
        projector.stop()
        await working
        await fold(log, database_url, [declared])
        assert not (await rebuild_tenant(settings, declared, COMPANY, replace=False)).differences
        with psycopg.connect(database_url) as connection:
            query = "SELECT sum(admitted) FROM admissions WHERE topic = 'trading-events'"
            assert (connection.execute(query).fetchone() or (0,))[0] > 4_000
    finally:
        projector.stop()
        await working
        await log.close()


async def test_what_cannot_be_made_anew_is_refused(database_url: str) -> None:
    """A projection that never ran; live rows of another definition."""
    declared, settings = projection("trading"), Settings(database_url=database_url)
    with pytest.raises(NotFound):
        await rebuild_tenant(settings, declared, COMPANY, replace=True)
    await lived(database_url, 100)
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE projections SET fingerprint = 'another'")
    with pytest.raises(Conflict):
        await rebuild_tenant(settings, declared, COMPANY, replace=True)


def test_the_command_shows_and_replaces(instance: Instance) -> None:
    """Exit code 1 while rows differ; JSON for scripts; a company without events is equal."""
    instance.take([trade("tenanta", n, pnl=1.0) for n in range(5)])
    ask = ("projections", "rebuild", "trading", "--tenant", "tenanta", "--json")
    assert instance.answer(*ask)["equal"] is True
    table = stored("trading", "trading_by_quarter")
    with psycopg.connect(instance.addresses["database"]) as connection:
        connection.execute(f"DELETE FROM {table} WHERE company_id = 'tenanta'".encode())
    shown = instance.command(*ask)
    assert shown.exit_code == 1
    assert [d["table"] for d in json.loads(shown.stdout)["differences"]] == ["trading_by_quarter"]
    assert instance.answer(*ask, "--replace")["replaced"] is True
    assert instance.answer(*ask)["equal"] is True
    nobody = instance.command("projections", "rebuild", "trading", "--tenant", "nobody-here")
    assert (nobody.exit_code, nobody.output.strip().endswith("equal")) == (0, True)
    assert instance.command("projections", "rebuild", "trading", "--replace").exit_code == 2
