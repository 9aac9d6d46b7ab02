"""Runs of report schedules in PostgreSQL (tables `report_runs`, `report_plan`, `scheduler_reports`: migration 0030)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from adapters.postgres.connections.link import Link
from adapters.postgres.tables.decided import decided
from adapters.postgres.tables.heard_of import HeardOf
from domain.configuration.event_store import Stored
from domain.errors import Fenced
from domain.reports.run_store import Plan, RunFilter
from domain.reports.schedule_runs import Run, RunState

ADD = """
    INSERT INTO report_runs (company_id, schedule_id, due, state, run) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (company_id, schedule_id, due) DO NOTHING
"""
# by who has read the most events alone: what another one planned without the newest is not all
PLAN = """
    INSERT INTO report_plan AS p (planned_until, event_number) VALUES (%s, %s) ON CONFLICT (single)
    DO UPDATE SET planned_until = excluded.planned_until, event_number = excluded.event_number
    WHERE p.event_number <= excluded.event_number
"""
CLAIM = """
    UPDATE report_runs AS r SET state = 'running', holder = %s, tries = tries + 1,
        lease_until = now() + %s * interval '1 second'
    FROM (
        SELECT company_id, schedule_id, due FROM report_runs
        WHERE state IN ('due', 'running') AND (lease_until IS NULL OR lease_until < now())
        ORDER BY due LIMIT 1 FOR UPDATE SKIP LOCKED) AS oldest
    WHERE (r.company_id, r.schedule_id, r.due) = (oldest.company_id, oldest.schedule_id, oldest.due)
    RETURNING r.run, r.state, r.tries, r.again
"""
EXTEND = """
    UPDATE report_runs SET lease_until = now() + %s * interval '1 second'
    WHERE company_id = %s AND schedule_id = %s AND due = %s AND holder = %s AND tries = %s
"""
KEEP = """
    UPDATE report_runs SET run = %s, state = %s, holder = CASE WHEN %s THEN holder END,
        lease_until = CASE WHEN %s THEN lease_until ELSE now() + %s * interval '1 second' END
    WHERE company_id = %s AND schedule_id = %s AND due = %s AND holder = %s AND tries = %s
"""
GIVE_BACK = """
    UPDATE report_runs SET state = 'due', holder = NULL, lease_until = NULL, tries = tries - 1
    WHERE company_id = %s AND schedule_id = %s AND due = %s AND holder = %s AND tries = %s
"""
AGAIN = """
    UPDATE report_runs SET state = 'due', tries = 0, again = %s
    WHERE company_id = %s AND schedule_id = %s AND due = %s AND state IN ('failed', 'skipped') AND again < %s
"""
LIST = """
    SELECT run, state, tries, again FROM report_runs WHERE company_id = %s AND (%s = '' OR schedule_id = %s)
    AND (%s = '' OR state = %s) AND due < %s ORDER BY due DESC, schedule_id LIMIT %s
"""


class PostgresRuns:
    """`domain.reports.schedule_runs.RunStore`; a run is held for `lease` seconds after its holder was last heard of.

    Connects when first used. Methods raise Unavailable.
    """

    def __init__(self, database_url: str, lease: float) -> None:
        self._link = Link(database_url)
        self._lease = lease
        processes = HeardOf(self._link, "scheduler_reports", "scheduler")
        self.note_alive, self.problem = processes.note_alive, processes.problem

    async def decided(self, number: int) -> Sequence[Stored]:
        """The events of report schedules after this number of the event store, in commit order."""
        return await decided(self._link, "report_schedule", number)

    async def plan(self) -> Plan | None:
        """How far planning has got; None before it ever began."""
        async with self._link.use() as connection:
            cursor = await connection.execute("SELECT planned_until, event_number FROM report_plan")
            row = await cursor.fetchone()
        return Plan(*row) if row else None

    async def add(self, runs: Sequence[Run], plan: Plan) -> None:
        """Keep the runs of these that are not there yet, and how far planning has got with them."""
        async with self._link.use() as connection, connection.transaction():
            for run in runs:
                await connection.execute(ADD, (*_place(run), run.state, _document(run)))
            await connection.execute(PLAN, plan)

    async def send_again(self, company: str, schedule_id: str, due: int, number: int) -> None:
        """Let a run that failed or was skipped begin anew, once for each number of a command."""
        async with self._link.use() as connection:
            await connection.execute(AGAIN, (number, company, schedule_id, due, number))

    async def claim(self, holder: str) -> Run | None:
        """Take the oldest run that nobody holds, or whose holder was not heard of; None where there is none."""
        async with self._link.use() as connection:
            row = await (await connection.execute(CLAIM, (holder, self._lease))).fetchone()
        return _run(row) if row else None

    async def extend(self, run: Run, holder: str) -> None:
        """Say that its holder is alive. Raises Fenced where somebody else has taken it over."""
        async with self._link.use() as connection:
            _hold(await connection.execute(EXTEND, (self._lease, *_place(run), holder, run.tries)), run)

    async def keep(self, run: Run, holder: str, pause: float = 0.0) -> None:
        """Keep what has come of it; one that is running no more is held no more. Raises Fenced as `extend` does.

        `pause`: seconds before one that is due again can be claimed.
        """
        running = run.state is RunState.RUNNING
        async with self._link.use() as connection:
            changed = (_document(run), run.state, running, running, pause, *_place(run), holder, run.tries)
            _hold(await connection.execute(KEEP, changed), run)

    async def give_back(self, run: Run, holder: str) -> None:
        """Let somebody else take it at once. Raises Fenced as `extend` does."""
        async with self._link.use() as connection:
            _hold(await connection.execute(GIVE_BACK, (*_place(run), holder, run.tries)), run)

    async def listing(self, criteria: RunFilter) -> Sequence[Run]:
        """The newest first."""
        company, schedule, state, before, limit = criteria
        async with self._link.use() as connection:
            cursor = await connection.execute(LIST, (company, schedule, schedule, state, state, before, limit))
            return [_run(row) for row in await cursor.fetchall()]

    async def close(self) -> None:
        """Close the connection."""
        await self._link.close()


def _place(run: Run) -> tuple[str, str, int]:
    return run.company_id, run.schedule_id, run.due


def _document(run: Run) -> str:
    return msgspec.json.encode(run).decode()


def _run(row: tuple[Any, ...]) -> Run:
    run, state, tries, again = row
    return msgspec.structs.replace(msgspec.convert(run, Run), state=RunState(state), tries=tries, again=again)


def _hold(changed: Any, run: Run) -> None:
    if not changed.rowcount:
        raise Fenced(f"run {run.run_id} was taken over by another scheduler")
