"""Commands that make a projection anew beside the one that readers see: rebuild, verify, switch, drop, cancel."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from app.cli.frame import as_json, run, show_json, show_rows, with_settings
from app.settings import Settings
from domain.errors import Conflict, Invalid, NotFound, NotYet

if TYPE_CHECKING:
    from adapters.postgres.read_models.builder import PostgresVersions
    from projections.engine.declare.projection import Projection
    from projections.engine.rebuild import Comparison, Stored

LOOK = 0.1  # seconds between two looks whether both versions stand at the same position
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
    async with _versions(settings) as versions:
        declared, target, live = _chosen(versions, name)
        return await _compared(settings, versions, declared, live, target, patience)


def _chosen(versions: PostgresVersions, name: str) -> tuple[Projection, Stored, Stored]:
    """Projection, version that is named (else the newest finished one that is not live), and the live one."""
    name, _, number = name.partition("@")
    declared = _declared(name)
    if number and not number.isdecimal():
        raise Invalid(f"{number!r} is no version number: write NAME@VERSION")
    stored = versions.stored(declared)
    live = next((s for s in stored if s.live), None)
    able = [
        s for s in stored if not s.live and s.state not in ("building", "retired") and number in ("", str(s.version))
    ]
    if live is None or not able:
        raise NotFound(
            f"{name} has no finished version {number or 'beside the live one'}",
            code="no_version",
            suggested_actions=("Make one with `analytics projections rebuild`.",),
        )
    return declared, able[-1], live


async def _compared(
    settings: Settings,
    versions: PostgresVersions,
    declared: Projection,
    live: Stored,
    target: Stored,
    patience: float,
) -> Comparison:
    """Both at the same position; how it ended is remembered.

    Raises Conflict for other definitions, NotYet when they do not meet.
    """
    if live.fingerprint != target.fingerprint:
        raise Conflict(
            f"version {live.version} was made by definition {live.definition}, version {target.version} by"
            f" {target.definition}: their rows are not comparable",
            code="other_definition",
        )
    old, new = declared.stored_as(live.version), declared.stored_as(target.version, live=False)
    deadline = time.monotonic() + patience
    while (found := await asyncio.to_thread(versions.compare, old, new)) is None:
        if time.monotonic() > deadline:
            raise NotYet(
                f"versions {live.version} and {target.version} do not stand at the same position",
                suggested_actions=("Is a projector running, and neither version paused or stopped?",),
            )
        await asyncio.sleep(LOOK)
    from app.evidence import remember_rebuild
    from projections.engine.rebuild_result import RebuildResult

    told = RebuildResult(found.equal, found.new.position, live.version, round(time.time(), 3))
    remember_rebuild(settings, declared.name, told)
    return found


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
    async with _versions(settings) as versions:
        declared, target, live = _chosen(versions, name)
        if target.fingerprint != live.fingerprint:
            if target.fingerprint != declared.fingerprint:
                raise Conflict(f"version {target.version} of {declared.name} needs the code that made it")
            explain = explain or f"definition {live.definition} became {target.definition}"
        else:
            found = await _compared(settings, versions, declared, live, target, patience)
            if not found.equal and not explain:
                raise Conflict(
                    f"version {target.version} differs from version {live.version} at the same position",
                    code="versions_differ",
                    suggested_actions=("Look with `analytics projections verify`, then --explain why.",),
                )
        await asyncio.to_thread(versions.switch, declared.stored_as(target.version), explain or None)
        return target.version


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
    version = run(_cancel(settings, _declared(name)))
    click.echo(f"the rebuild of {name} is cancelled, version {version} is dropped")


async def _cancel(settings: Settings, declared: Projection) -> int:
    async with _versions(settings) as versions:
        building = [s.version for s in versions.stored(declared) if s.state == "building"]
        if not building:
            raise NotFound(f"{declared.name} is not being rebuilt", code="no_rebuild")
        await asyncio.to_thread(versions.drop, declared.stored_as(building[0]))
        return building[0]


COMMANDS = (rebuild, verify, switch, drop, cancel)
