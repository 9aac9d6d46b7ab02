"""Stored versions of a projection: which one is meant, compared with the live one, switched to, dropped."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from app.evidence import remember_rebuild
from app.settings import Settings
from domain.errors import Conflict, Invalid, NotFound, NotYet
from projections.engine.declare.registry import projection
from projections.engine.rebuild_result import RebuildResult

if TYPE_CHECKING:
    from adapters.postgres.read_models.builder import PostgresVersions
    from projections.engine.declare.projection import Projection
    from projections.engine.rebuild import Comparison, Stored

LOOK = 0.1  # seconds between two looks whether both versions stand at the same position


async def verify(settings: Settings, versions: PostgresVersions, name: str, patience: float) -> Comparison:
    """NAME or NAME@VERSION beside the live version. Raises NotFound, Conflict, NotYet after so many seconds."""
    declared, target, live = await asyncio.to_thread(chosen, versions, name)
    return await compared(settings, versions, declared, live, target, patience)


def chosen(versions: PostgresVersions, name: str) -> tuple[Projection, Stored, Stored]:
    """Projection, version that is named (else the newest finished one that is not live), and the live one.

    Raises Invalid for what is no number, NotFound where there is no such version.
    """
    name, _, number = name.partition("@")
    declared = projection(name)
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


async def compared(
    settings: Settings,
    versions: PostgresVersions,
    declared: Projection,
    live: Stored,
    target: Stored,
    patience: float,
) -> Comparison:
    """Both at the same position, waited for `patience` seconds; how it ended is remembered.

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
    result = RebuildResult(found.equal, found.new.position, live.version, round(time.time(), 3))
    await asyncio.to_thread(remember_rebuild, settings, declared.name, result)
    return found


async def switch(settings: Settings, versions: PostgresVersions, name: str, explain: str, patience: float) -> int:
    """Let readers see a version; which one that is. `patience`: seconds until both must stand at the same position.

    Raises Conflict where it differs and nobody explains that, NotFound, NotYet.
    """
    declared, target, live = await asyncio.to_thread(chosen, versions, name)
    if target.fingerprint != live.fingerprint:
        if target.fingerprint != declared.fingerprint:
            raise Conflict(f"version {target.version} of {declared.name} needs the code that made it")
        explain = explain or f"definition {live.definition} became {target.definition}"
    else:
        found = await compared(settings, versions, declared, live, target, patience)
        if not found.equal and not explain:
            raise Conflict(
                f"version {target.version} differs from version {live.version} at the same position",
                code="versions_differ",
                suggested_actions=("Look with `analytics projections verify`, then --explain why.",),
            )
    await asyncio.to_thread(versions.switch, declared.stored_as(target.version), explain or None)
    return target.version


async def cancel(versions: PostgresVersions, name: str) -> int:
    """Drop the unfinished version of a projection; which one that was. Raises NotFound."""
    declared = projection(name)
    stored = await asyncio.to_thread(versions.stored, declared)
    building = [s.version for s in stored if s.state == "building"]
    if not building:
        raise NotFound(f"{declared.name} is not being rebuilt", code="no_rebuild")
    await asyncio.to_thread(versions.drop, declared.stored_as(building[0]))
    return building[0]
