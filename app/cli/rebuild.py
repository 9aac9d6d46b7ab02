"""Commands that make a projection anew beside the one that readers see: rebuild, verify, switch, drop, cancel."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from app.cli.frame import as_json, run, show_json, show_rows, with_settings
from app.settings import Settings
from domain.errors import Invalid

if TYPE_CHECKING:
    from adapters.postgres.read_models.builder import PostgresVersions
    from projections.engine.declare.projection import Projection
    from projections.engine.rebuild import Comparison
    from projections.engine.rebuild_plan import Plan

SAME_POSITION = click.option(
    "--timeout", default=60.0, show_default=True, help="Seconds to wait until both stand at the same position."
)


@asynccontextmanager
async def _versions(settings: Settings) -> AsyncIterator[PostgresVersions]:
    from app.instance.instance import reachable
    from app.wiring import versions

    async with reachable(settings) as complete:
        with closing(versions(complete)) as found:
            yield found


def _declared(name: str) -> Projection:
    from projections.engine.declare.registry import projection

    return projection(name)


@click.command()
@click.argument("name")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes that fold.")
@click.option("--plan", is_flag=True, help="Show what it would read and need, and do nothing.")
@click.option("--tenant", default="", metavar="COMPANY", help="Make this company's rows alone anew, and compare them.")
@click.option("--replace", is_flag=True, help="With --tenant: put them in place of the live ones where they differ.")
@as_json
@with_settings
def rebuild(settings: Settings, name: str, workers: int, plan: bool, tenant: str, replace: bool, as_json: bool) -> None:
    """Make a projection anew, in a new version beside the one that readers see; run again, it resumes.

    Readers see the new version when it is switched to. Until then live events are folded into both. With --tenant
    nothing is switched: exit code 1 if the company's live rows differ and were not replaced.
    """
    if tenant:
        _show_tenant(run(_rebuild_tenant(settings, name, tenant, replace)), as_json=as_json)
        return
    if replace:
        raise click.UsageError("--replace is for one company: --tenant COMPANY")
    row = run(_rebuild(settings, name, workers, plan))
    if as_json:
        show_json(row)
    else:
        show_rows([row], row, as_json=False)


async def _rebuild(settings: Settings, name: str, workers: int, plan: bool) -> dict[str, Any]:
    from app.instance.instance import reachable
    from app.rebuild.processes import planned, rebuild

    _declared(name)
    async with reachable(settings) as complete:
        found = asdict(await planned(complete, name, workers))
        if plan:
            return found
        click.echo(f"{found['events']:,} events to read, about {found['seconds']:,.0f} s", err=True)
        began = time.monotonic()
        stored = await rebuild(complete, name, workers, _say)
        if sys.stderr.isatty():
            click.echo(err=True)
        seconds = round(time.monotonic() - began, 3)
        return {"name": name, "version": stored.version, "events": found["events"], "seconds": seconds}


async def _rebuild_tenant(settings: Settings, name: str, tenant: str, replace: bool) -> dict[str, Any]:
    from app.instance.instance import reachable
    from app.rebuild.tenant import rebuild_tenant

    async with reachable(settings) as complete:
        found = await rebuild_tenant(complete, _declared(name), tenant, replace=replace)
        rows = [asdict(d) for d in found.differences]
        told = {"name": name, "tenant": tenant, "position": str(found.position), "equal": not rows}
        refused = [
            {"event_id": r.event_id, "partition": r.partition, "offset": r.offset, "code": r.code, "reason": r.reason}
            for r in found.refused
        ]
        return {**told, "replaced": found.replaced, "differences": rows, "refused": refused}


def _show_tenant(found: dict[str, Any], *, as_json: bool) -> None:
    rows = found["differences"]
    if as_json:
        show_json(found)
    else:
        click.echo(f"{found['name']} of {found['tenant']} at {found['position'] or 'the beginning'}: ", nl=False)
        click.echo("equal" if found["equal"] else f"{len(rows)} differing rows, the first of each table:")
        if rows:
            show_rows(rows, rows[0], as_json=False)
        if refused := found["refused"]:
            click.echo(f"{len(refused)} events are refused and left out:")
            show_rows(refused, refused[0], as_json=False)
        if found["replaced"]:
            click.echo("the company's rows are replaced")
    if rows and not found["replaced"]:
        raise click.exceptions.Exit(1)


def _say(line: str) -> None:
    """Progress on stderr: one line that is written over at a terminal, otherwise a line each."""
    if sys.stderr.isatty():
        click.echo(f"\r\033[K{line}", nl=False, err=True)
    else:
        click.echo(line, err=True)


@click.command()
@click.argument("name")
@SAME_POSITION
@as_json
@with_settings
def verify(settings: Settings, name: str, timeout: float, as_json: bool) -> None:
    """Compare the newest finished version with the live one at the same position; exit code 1 if they differ.

    NAME@VERSION compares that version. Shown are the first rows of each table that differ.
    """
    found = run(_verify(settings, name, timeout))
    rows = [asdict(d) for d in found.differences]
    old, new = asdict(found.old), asdict(found.new)
    if as_json:
        show_json({"equal": found.equal, "old": old, "new": new, "differences": rows})
    else:
        show_rows([old, new], old, as_json=False)
        click.echo("equal" if found.equal else f"\n{len(rows)} differing rows, the first of each table:")
        if rows:
            show_rows(rows, rows[0], as_json=False)
    if not found.equal:
        raise click.exceptions.Exit(1)


async def _verify(settings: Settings, name: str, patience: float) -> Comparison:
    from app.rebuild.versions import verify

    async with _versions(settings) as versions:
        return await verify(settings, versions, name, patience)


@click.command()
@click.argument("name")
@click.option("--explain", default="", metavar="REASON", help="Why the versions may differ; it is recorded.")
@SAME_POSITION
@with_settings
def switch(settings: Settings, name: str, explain: str, timeout: float) -> None:
    """Let readers see the newest finished version (or NAME@VERSION), at once and all of them.

    Refused where it differs from the live one at the same position, unless the difference is explained. To switch
    back, name the version that was live before.
    """
    target = run(_switch(settings, name, explain, timeout))
    click.echo(f"{name.partition('@')[0]} is read from version {target} now")


async def _switch(settings: Settings, name: str, explain: str, patience: float) -> int:
    from app.rebuild.versions import switch

    async with _versions(settings) as versions:
        return await switch(settings, versions, name, explain, patience)


@click.command()
@click.argument("name", metavar="NAME@VERSION")
@with_settings
def drop(settings: Settings, name: str) -> None:
    """Drop a version that readers do not see, with its tables."""
    name, _, number = name.partition("@")
    if not number.isdecimal():
        raise Invalid("name a version as NAME@VERSION")
    run(_drop(settings, _declared(name).stored_as(int(number))))
    click.echo(f"version {number} of {name} is dropped")


async def _drop(settings: Settings, stored: Projection) -> None:
    async with _versions(settings) as versions:
        await asyncio.to_thread(versions.drop, stored)


@click.command()
@click.argument("name")
@with_settings
def cancel(settings: Settings, name: str) -> None:
    """Drop the unfinished version of a projection; a rebuild that is at work on it ends."""
    version = run(_cancel(settings, name))
    click.echo(f"the rebuild of {name} is cancelled, version {version} is dropped")


async def _cancel(settings: Settings, name: str) -> int:
    from app.rebuild.versions import cancel

    async with _versions(settings) as versions:
        return await cancel(versions, name)


@click.command()
@click.option("--plan", is_flag=True, help="Show what would be made anew, and do nothing.")
@as_json
@with_settings
def upgrade(settings: Settings, plan: bool, as_json: bool) -> None:
    """Make anew what an earlier release has stored, and let readers see it; projectors do the same by themselves.

    Readers see the earlier rows of a projection until its new ones are whole; run again, it resumes.
    """
    rows = [asdict(each) for each in run(_upgrade(settings, plan))]
    show_rows(rows, ("name", "version", "events", "left", "disk", "seconds"), as_json=as_json)


async def _upgrade(settings: Settings, plan: bool) -> Sequence[Plan]:
    from app.instance.instance import reachable
    from app.rebuild.upgrade import plans, upgrade

    async with reachable(settings) as complete:
        found = await plans(complete)
        if not plan:
            await upgrade(complete, _say)
        return found


COMMANDS = (rebuild, upgrade, verify, switch, drop, cancel)
