"""Commands about read models: query, projections, quarantine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any

import click

from app.cli.frame import Reporting, as_json, run, show_json, show_rows, with_settings
from app.settings import Settings
from domain.errors import NotYet, Unavailable

if TYPE_CHECKING:
    from adapters.postgres.read_models.projection_store import PostgresProjectionStore
    from domain.ports import EventLog
    from domain.position import Position
    from projections.engine.store.port import Checksum
    from read_api.health.projection_status import ProjectionStatuses

LOOK = 0.05  # seconds between two looks of `projections wait`


@click.group(cls=Reporting)
def projections() -> None:
    """Look at projections."""


@projections.command("list")
@as_json
def projections_list(as_json: bool) -> None:
    """Every declared projection: what it is, what it reads, which queries it answers."""
    from projections.engine.declare.registry import all_projections

    rows = [
        {
            "name": p.name,
            "version": p.version,
            "summary": p.summary,
            "reads": ", ".join(sorted(p.reads)),
            "queries": ", ".join(q.name for q in p.queries),
        }
        for p in all_projections().values()
    ]
    show_rows(rows, ("name", "version", "queries", "reads", "summary"), as_json=as_json)


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[tuple[Settings, EventLog, PostgresProjectionStore]]:
    from app.instance.instance import reachable
    from app.wiring import event_log, projection_store

    async with reachable(settings) as complete, event_log(complete) as log:
        with closing(projection_store(complete)) as store:
            yield complete, log, store


@asynccontextmanager
async def _statuses(settings: Settings) -> AsyncIterator[ProjectionStatuses]:
    from read_api.health.projection_status import ProjectionStatuses

    async with _opened(settings) as (complete, log, store):
        yield ProjectionStatuses(log, store, complete.stuck_seconds, max_age=0)


@projections.command("status")
@click.option("--by", type=click.Choice(["tenant"]), help="Lag of each company instead, counted from the log.")
@click.option("--company", default="", help="With --by tenant: this company alone.")
@click.option("--most", default=1_000_000, show_default=True, help="With --by tenant: records to read at most.")
@as_json
@with_settings
def projections_status(settings: Settings, by: str | None, company: str, most: int, as_json: bool) -> None:
    """State, position and lag of every projection version, and why one does not get on."""
    if by is not None:
        found = run(_lag(settings, company, most))
        show_rows(found, ("name", "version", "company_id", "lag_events", "lag_seconds", "complete"), as_json=as_json)
        return
    rows = [row if as_json else row | {"error": _error_text(row)} for row in run(_status(settings))]
    columns = ("name", "version", "live", "state", "lag_events", "lag_seconds", "rate", "position", "error")
    show_rows(rows, columns, as_json=as_json)


def _error_text(row: Mapping[str, object]) -> str:
    failure = row["failure"]
    if not isinstance(failure, dict):
        return ""
    event = f" at {failure['position']} ({failure['company_id']}, {failure['event_id']})" if failure["position"] else ""
    return f"{failure['category']} since {failure['since']}{event}: {failure['message']}"


async def _status(settings: Settings) -> list[dict[str, object]]:
    async with _statuses(settings) as statuses:
        return await statuses()


async def _lag(settings: Settings, company: str, most: int) -> list[dict[str, object]]:
    from projections.engine.project.tenant_lag import lag_by_tenant
    from read_api.health.projection_status import ProjectionStatuses

    async with _opened(settings) as (_, log, store):
        stored = await asyncio.to_thread(store.statuses)
        head = await ProjectionStatuses(log, store).head()
        return await lag_by_tenant(log, stored, head, most=most, only=company)


@projections.command("wait")
@click.option("--position", default="", help="Position token to wait for; else the end of the log now.")
@click.option("--timeout", default=60.0, show_default=True, help="Seconds after which to give up.")
@with_settings
def projections_wait(settings: Settings, position: str, timeout: float) -> None:
    """Return when every projection has the position; fail when one stops, or after --timeout."""
    click.echo(run(_wait(settings, position, timeout)))


async def _wait(settings: Settings, position: str, patience: float) -> str:
    from app.instance.instance import running_instance
    from domain.position import Position
    from read_api.health.projection_status import ProjectionStatuses

    async with _opened(settings) as (complete, log, store):
        statuses = ProjectionStatuses(log, store, complete.stuck_seconds, max_age=0)
        deadline = time.monotonic() + patience
        goal = await _in_log(complete, log, Position.parse(position), deadline) if position else await statuses.head()
        while behind := _behind(await statuses(), goal):
            if time.monotonic() > deadline:
                alone = "" if running_instance(settings.data) else " (no instance runs in this data folder)"
                raise NotYet(f"not reached within {patience:g} s: {', '.join(behind)}{alone}")
            await asyncio.sleep(LOOK)
        return str(goal)


async def _in_log(settings: Settings, log: EventLog, token: Position, deadline: float) -> Position:
    """What the token stands for in the log. Raises NotYet where the log does not reach so far."""
    from app.read_side.questions import listening, position_tokens
    from app.wiring import live_bus
    from domain.events.catalogue import STREAMS

    async with (
        live_bus(settings) as bus,
        listening(bus) as movements,
        position_tokens(settings, log, movements) as tokens,
    ):
        goal = await tokens.in_log(token, frozenset(STREAMS), deadline)
        await tokens.check(goal)
        return goal


def _behind(rows: list[dict[str, object]], goal: Any) -> list[str]:
    """Projections that have not reached the goal. Raises Unavailable for one that has stopped before it."""
    from domain.position import Position
    from projections.engine.declare.registry import all_projections

    behind = []
    for row in rows:
        projection = all_projections().get(str(row["name"]))
        if (
            projection is None
            or not row["live"]
            or Position.parse(str(row["position"])).reaches(goal.of_topics(projection.topics))
        ):
            continue
        if row["state"] in ("stopped", "paused"):
            raise Unavailable(f"projection {row['name']} is {row['state']}: {row['error'] or 'by hand'}")
        behind.append(str(row["name"]))
    return behind


@projections.command("pause")
@click.argument("name")
@with_settings
def projections_pause(settings: Settings, name: str) -> None:
    """Let a projection rest where it stands; remembered until it is resumed."""
    run(_change_state(settings, name, resume=False))
    click.echo(f"{name} is paused")


@projections.command("resume")
@click.argument("name")
@with_settings
def projections_resume(settings: Settings, name: str) -> None:
    """Let a paused or stopped projection run again, from its checkpoint."""
    run(_change_state(settings, name, resume=True))
    click.echo(f"{name} runs again")


async def _change_state(settings: Settings, name: str, *, resume: bool) -> None:
    from app.instance.instance import reachable
    from app.wiring import projection_store
    from projections.engine.declare.registry import projection

    declared = projection(name)
    async with reachable(settings) as complete:
        with closing(projection_store(complete)) as store:
            await asyncio.to_thread(store.resume if resume else store.pause, declared.name)


@projections.command("checksum")
@click.argument("name")
@as_json
@with_settings
def projections_checksum(settings: Settings, name: str, as_json: bool) -> None:
    """Checksum of a projection's state: the same state gives the same checksum on any machine."""
    found = run(_checksum(settings, name))
    row = {k: getattr(found, k) for k in ("name", "version", "position", "rows", "checksum")}
    if as_json:
        show_json(row)
    else:
        show_rows([row], row, as_json=False)


async def _checksum(settings: Settings, name: str) -> Checksum:
    from projections.engine.declare.registry import projection

    declared = projection(name)
    async with _opened(settings) as (_, _, store):
        return await asyncio.to_thread(lambda: store.checksum(store.live(declared)))
