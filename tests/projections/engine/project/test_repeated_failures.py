"""Repeated failures: what the store gives up on again and again while its server answers."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from projections.engine.declare.merge_rules import Count, Key, Sum, Text
from projections.engine.declare.projection import Delta, Projection
from projections.engine.declare.rows import Columns, Row
from projections.engine.fold.admission import Admission, Records
from projections.engine.project.cohort import Cohort
from projections.engine.project.culprit import REPEATS, Trouble
from projections.engine.project.failure import Failure
from projections.engine.store.port import Interrupted
from tests.projections.engine.fold.test_admission import chunk, event
from tests.projections.engine.project.test_failure import refused
from tests.projections.engine.project.test_projector import TOPIC, Bench, bench, clicks

__all__ = ["bench"]  # the fixture


def gives_up(bench: Bench, projection: Projection) -> None:
    """From now on the store gives up on whatever holds events of the user `odd`."""
    bench.store.prepare([projection])
    with psycopg.connect(bench.url) as connection:
        connection.execute(
            "CREATE FUNCTION give_up() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_cancel_backend(pg_backend_pid()); PERFORM pg_sleep(60); RETURN NEW; END $$"
        )
        connection.execute(
            'CREATE TRIGGER odd BEFORE INSERT ON read_models."clicks_by_day_v1"'
            " FOR EACH ROW WHEN (NEW.user_id = 'odd') EXECUTE FUNCTION give_up()"
        )


@pytest.mark.parametrize(("number", "event_id", "company"), [(1, "e0", "acme"), (2, "", "")])
async def test_a_worker_that_tries_again_names_where_it_stands(
    bench: Bench, number: int, event_id: str, company: str
) -> None:
    """Where the batch begins, and the event, if it is the only one."""
    projection = clicks()
    gives_up(bench, projection)
    progress = bench.store.progress(TOPIC, [0], [projection])
    chunks = [chunk([event(n, user="odd") for n in range(number)])]
    facts, admitted = Admission(TOPIC, bench.store.admitted_before, {}).decide(Records.of(chunks))
    commit = Cohort([projection], dict(progress.admission)).commit(TOPIC, chunks, facts, admitted)
    with pytest.raises(Interrupted) as failed:
        await Trouble().store(commit, bench.store, asyncio.to_thread)
    found = Failure.of(failed.value, TOPIC, 1, failed.value.culprit)
    assert (found.position, found.event_id, found.company_id) == (f"{TOPIC}:0=0", event_id, company)


async def test_only_the_projection_that_brings_it_about_leaves_the_event_out(bench: Bench) -> None:
    """Of several that are stored together: another one counts the event, and a third one has none of its kind."""
    other, projection, elsewhere = clicks("other"), clicks(), trades()
    gives_up(bench, projection)
    together = [other, projection, elsewhere]
    bench.store.prepare(together)
    progress, chunks, trouble = bench.store.progress(TOPIC, [0], together), [chunk([event(0, user="odd")])], Trouble()
    facts, admitted = Admission(TOPIC, bench.store.admitted_before, {}).decide(Records.of(chunks))
    commit = Cohort(together, dict(progress.admission)).commit(TOPIC, chunks, facts, admitted)
    for _ in range(REPEATS + 1):  # the first that is suspected is not the one
        with pytest.raises(Interrupted):
            await trouble.store(commit, bench.store, asyncio.to_thread)
    await trouble.store(commit, bench.store, asyncio.to_thread)
    assert [bench.rows(each) for each in (other, projection)] == [[("odd", 1)], []]
    assert refused(bench) == [("clicks", 0, "store_rejected", "e0", "acme")]


def trades() -> Projection:
    """A projection of events of another type."""
    projection = Projection("elsewhere", version=1)

    class Elsewhere(Row):
        """Trades of a company."""

        company_id: Key[Text]
        trades: Sum[Count]

    @projection.folds("trading_result", into=Elsewhere)
    def by_company(done: Columns) -> Delta:
        return {"trades": 1}

    return projection


async def test_what_the_store_gives_up_on_again_and_again_is_set_aside(bench: Bench) -> None:
    """An error that looks like an outage, at one event, while the server answers: the others are counted."""
    projection = clicks()
    gives_up(bench, projection)
    await bench.publish(*(event(n, user="odd" if n == 3 else "u1") for n in range(6)))
    async with bench.working(projection):
        await bench.reached(projection)  # six times it begins anew, with new connections
    assert bench.rows(projection) == [("u1", 5)]
    assert refused(bench) == [("clicks", 3, "store_rejected", "e3", "acme")]
