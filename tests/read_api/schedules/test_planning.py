"""Planning out of the event store: from when somebody first plans, what is decided, whenever that is seen."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping

import psycopg
import pytest

from adapters.postgres.tables.schedule_runs import PostgresRuns
from domain.reports.run_store import RunFilter
from read_api.schedules.planning import Planner
from tests.support.event_store import decide, state

HOUR = 3_600_000
START = 1_790_002_800_000  # a full hour
HOURLY = {"name": "s", "report": {"kind": "trading"}, "timing": {"cron": "0 * * * *"}}


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[PostgresRuns]:
    """Runs of a fresh database."""
    opened = PostgresRuns(database_url, 1.0)
    yield opened
    await opened.close()


def said(database_url: str, version: int, hours: float, topic: str, body: Mapping[str, object]) -> None:
    """Something was decided about the schedule, so many hours after the start."""
    what = state("acme", at=round(START + hours * HOUR), body=body)
    with psycopg.connect(database_url) as connection:
        decide(connection, "s", version, json.dumps(what).encode(), topic=f"report_schedule.{topic}")


async def hours(store: PostgresRuns) -> list[float]:
    """When runs are due, in hours after the start."""
    return sorted((run.due - START) / HOUR for run in await store.listing(RunFilter("acme")))


async def test_who_plans_first_makes_nothing_of_the_past(store: PostgresRuns, database_url: str) -> None:
    """A schedule that was there for long begins when somebody runs it; then nothing is lost, whoever goes away."""
    said(database_url, 1, -100, "created", HOURLY)
    await Planner(store).plan(START + HOUR // 2)
    assert await hours(store) == []
    assert await Planner(store).plan(START + 3 * HOUR) == 3
    assert await hours(store) == [1, 2, 3]
    assert await Planner(store).plan(START + 3 * HOUR) == 0


async def test_what_is_seen_late_counts_from_when_it_was_decided(store: PostgresRuns, database_url: str) -> None:
    """Made, changed and disabled while nobody looked; and by two who see it one after the other."""
    first, second = Planner(store), Planner(store)
    await first.plan(START)
    await second.plan(START)
    said(database_url, 1, 0.5, "created", HOURLY)
    await first.plan(START + HOUR)
    said(database_url, 2, 1.2, "timing_changed", {"timing": {"cron": "30 * * * *"}})
    said(database_url, 3, 3.1, "disabled", {})
    await second.plan(START + 5 * HOUR)
    await first.plan(START + 5 * HOUR)
    assert await hours(store) == [1, 1.5, 2.5]
    assert await Planner(store).plan(START + 6 * HOUR) == 0


async def test_an_event_of_a_moment_that_was_planned_already_is_made_up_for(
    store: PostgresRuns, database_url: str
) -> None:
    """Its command took a while: what is due since then is planned, also by who starts after it."""
    planner = Planner(store)
    await planner.plan(START)
    await planner.plan(START + HOUR)
    said(database_url, 1, 0.5, "created", HOURLY)
    await Planner(store).plan(START + HOUR + 1)
    assert await hours(store) == [1]


async def test_what_this_release_cannot_read_holds_nobody_up(store: PostgresRuns, database_url: str) -> None:
    """The schedule stays as it is read; and a run is sent again by a command, once."""
    await Planner(store).plan(START)
    said(database_url, 1, 0, "created", HOURLY)
    said(database_url, 2, 0.1, "timing_of_tomorrow", {})
    planner = Planner(store)
    await planner.plan(START + HOUR)
    assert await hours(store) == [1]
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE report_runs SET state = 'failed'")
    said(database_url, 3, 1.1, "run_sent_again", {"due": START + HOUR})
    await planner.plan(START + HOUR + 1)
    (run,) = await store.listing(RunFilter("acme"))
    assert (run.state, run.again > 0) == ("due", True)
