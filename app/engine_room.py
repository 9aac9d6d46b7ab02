"""What engineers do from the pages: `read_api.web.engine.port.EngineRoom` by what the command line does it with.

A rebuild runs in a process of its own, which ends with this one; whatever ends it, the next one goes on from there.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import asynccontextmanager, closing
from functools import partial
from typing import TYPE_CHECKING

from app import wiring
from app.rebuild import versions as stored_versions
from app.settings import Settings
from domain.audit import Actor, Door
from domain.errors import AnalyticsError, Conflict, Invalid
from eventlog.intake import repair
from projections.engine.declare.registry import projection
from projections.engine.rebuild_plan import LONGEST, WORKERS, Done, Pace, Plan, pace
from projections.engine.worker_process import WorkerProcess
from read_api.web.engine.port import Verb, Version

if TYPE_CHECKING:
    from adapters.postgres.tables.quarantine import PostgresQuarantine
    from eventlog.intake.quarantine import Entry, Filter
    from projections.engine.declare.projection import Projection
    from projections.engine.past.past_store import Snapshot
    from projections.engine.rebuild import Comparison, Stored

PATIENCE = 20.0  # seconds that somebody waits until two versions stand at the same position
LOOK = 0.2  # seconds between two looks whether a rebuild has begun
MOST_SNAPSHOTS = 5  # snapshots of a projection

logger = logging.getLogger(__name__)


@asynccontextmanager
async def engine_room(settings: Settings) -> AsyncIterator[ProcessEngineRoom]:
    """The machinery of this process; rebuilds that run end with it."""
    from adapters.postgres.tables.quarantine import PostgresQuarantine

    quarantine = PostgresQuarantine(settings.database_url)
    room = ProcessEngineRoom(settings, quarantine)
    try:
        yield room
    finally:
        room.close()
        await quarantine.close()


class ProcessEngineRoom:
    """The machinery. Connections are opened for each deed, which are few."""

    def __init__(self, settings: Settings, quarantine: PostgresQuarantine) -> None:
        self._settings, self._quarantine = settings, quarantine
        self._rebuilds: dict[str, WorkerProcess] = {}
        self._work: dict[str, Future[None]] = {}
        self._failures: dict[str, str] = {}
        self._looks: dict[str, tuple[int, Done, float]] = {}  # the first at what is built: version, how far, when

    async def versions(self, name: str) -> Sequence[Version]:
        """Every version that has tables, the oldest first. Raises NotFound, Unavailable."""
        return await asyncio.to_thread(self._versions, projection(name))

    def _versions(self, declared: Projection) -> list[Version]:
        with closing(wiring.versions(self._settings)) as versions:
            found = [stored for stored in versions.stored(declared) if stored.state != "retired"]
            building = any(stored.state == "building" for stored in found)
            working = building and (self._at_work(declared.name) or versions.worked_on(declared))
        return [self._shown(declared, each, working=working and each.state == "building") for each in found]

    def _shown(self, declared: Projection, stored: Stored, *, working: bool) -> Version:
        done, now = Done(0, 0), Pace()
        if stored.state == "building":
            with closing(wiring.build(self._settings, declared.stored_as(stored.version, live=False))) as build:
                done = build.done()
            now = self._pace(declared.name, stored.version, done, working=working)
        reason = stored.reason or ""
        return Version(
            stored.version, stored.definition, stored.state, stored.live, reason, done.done, done.total, working, now
        )

    def _pace(self, name: str, version: int, done: Done, *, working: bool) -> Pace:
        """How fast it has got on since the first look; a build that somebody goes on with is looked at anew."""
        known, first, began = self._looks.get(name, (0, done, 0.0))
        if not working or known != version or done.done < first.done:
            self._looks[name] = version if working else 0, done, time.monotonic()
            return Pace()
        return pace(first, done, time.monotonic() - began)

    async def plan(self, name: str) -> Plan:
        """What a rebuild would do. Raises NotFound, Conflict, Unavailable."""
        from app.rebuild.processes import planned

        return await planned(self._settings, name, WORKERS)

    def failure(self, name: str) -> str:
        """Why the last rebuild that was begun here has ended before its time."""
        return self._failures.get(name, "")

    async def compare(self, name: str, version: int) -> Comparison:
        """A version beside the live one. Raises NotFound, Conflict, NotYet, Unavailable."""
        with closing(wiring.versions(self._settings)) as versions:
            return await stored_versions.verify(self._settings, versions, f"{name}@{version}", PATIENCE)

    async def do(self, verb: Verb, name: str, version: int | None, reason: str) -> str:
        """Do it; what was done, in words. Raises NotFound, Conflict, NotYet, Unavailable."""
        declared = projection(name)
        if verb in (Verb.PAUSE, Verb.RESUME):
            with closing(wiring.projection_store(self._settings)) as store:
                await asyncio.to_thread(store.resume if verb is Verb.RESUME else store.pause, name)
            return f"{name} is paused" if verb is Verb.PAUSE else f"{name} runs again"
        if verb is Verb.SNAPSHOT:
            return await asyncio.to_thread(self._snapshot, declared)
        if verb is Verb.REBUILD:
            return await self._rebuild(name)
        with closing(wiring.versions(self._settings)) as versions:
            if verb is Verb.CANCEL:
                if name in self._rebuilds:
                    await asyncio.to_thread(self._rebuilds[name].stop)
                return f"version {await stored_versions.cancel(versions, name)} is dropped"
            if version is None:
                raise Invalid("say which version", code="missing_field")
            if verb is Verb.SWITCH:
                now = await stored_versions.switch(self._settings, versions, f"{name}@{version}", reason, PATIENCE)
                return f"{name} is read from version {now} now"
            await asyncio.to_thread(versions.drop, declared.stored_as(version))
            return f"version {version} of {name} is dropped"

    async def _rebuild(self, name: str) -> str:
        plan = await self.plan(name)
        if any(each.working for each in await self.versions(name)):
            raise Conflict(f"{name} is being rebuilt already", code="already_running")
        if name not in self._rebuilds:
            self._rebuilds[name] = WorkerProcess(f"the rebuild of {name}", waiting=0)
        work = self._rebuilds[name].submit(_rebuild_here, self._settings, name, seconds=LONGEST)
        self._failures.pop(name, None)
        self._work[name] = work
        work.add_done_callback(partial(self._ended, name))
        until = time.monotonic() + PATIENCE
        while self._at_work(name) and time.monotonic() < until:  # so that whoever looks next sees it
            if any(each.state == "building" for each in await self.versions(name)):
                break
            await asyncio.sleep(LOOK)
        return f"version {plan.version} is {'resumed' if plan.resumed else 'begun'}"

    def _at_work(self, name: str) -> bool:
        return name in self._work and not self._work[name].done()

    def _ended(self, name: str, work: Future[None]) -> None:
        try:
            work.result()
        except (AnalyticsError, CancelledError) as error:
            self._failures[name] = str(error) or "it was stopped"
            logger.warning("the rebuild of %s has ended: %s", name, self._failures[name])

    def _snapshot(self, declared: Projection) -> str:
        from app.evidence import snapshots

        with closing(snapshots(self._settings)) as store:
            taken = store.take(declared)
            store.keep(declared, MOST_SNAPSHOTS)
        return f"snapshot {taken.number} is taken"

    async def snapshots(self, name: str) -> Sequence[Snapshot]:
        """Copies of its rows. Raises NotFound, Unavailable."""
        return await asyncio.to_thread(self._stored_snapshots, projection(name))

    def _stored_snapshots(self, declared: Projection) -> Sequence[Snapshot]:
        from app.evidence import snapshots

        with closing(snapshots(self._settings)) as store:
            return store.stored(declared)

    async def entries(self, wanted: Filter) -> Sequence[Entry]:
        """Entries of the quarantine. Raises Unavailable."""
        return await self._quarantine.entries(wanted)

    async def entry(self, number: int) -> tuple[Entry, bytes]:
        """One with its bytes. Raises NotFound, Unavailable."""
        return await self._quarantine.entry(number)

    async def problem(self, number: int, change: repair.Change) -> str:
        """What would still be wrong with it. Raises NotFound, Unavailable."""
        entry, content = await self._quarantine.entry(number)
        try:
            repair.repaired(entry, content, change)
        except Invalid as still_bad:
            return f"{still_bad.code}: {still_bad}"
        return ""

    async def replay(self, actor: Actor, number: int, change: repair.Change) -> str:
        """Publish it again. Raises Invalid, NotFound, Conflict, Unavailable."""
        entry, _ = await self._quarantine.entry(number)
        async with self._repairs(actor) as repairs:
            (result,) = await repairs.replay([entry], change)
        if result.problem:
            raise Invalid(f"it is still bad: {result.problem}", code="still_bad")
        return result.replayed_to

    async def drop(self, actor: Actor, number: int, reason: str) -> None:
        """Let it wait no more. Raises Invalid, NotFound, Conflict, Unavailable."""
        entry, _ = await self._quarantine.entry(number)
        async with self._repairs(actor) as repairs:
            await repairs.drop([entry], reason)

    @asynccontextmanager
    async def _repairs(self, actor: Actor) -> AsyncIterator[repair.Repairs]:
        from app.publisher import ingest

        async with ingest(self._settings) as doors:
            yield repair.Repairs(doors.publisher, doors.quarantine, actor, Door.HTTP)

    def close(self) -> None:
        """End the rebuilds that run; they are resumed when somebody asks for it."""
        for worker in self._rebuilds.values():
            worker.stop()


def _rebuild_here(settings: Settings, name: str) -> None:
    """In the process of a rebuild."""
    from app.cli.frame import run
    from app.rebuild.processes import rebuild

    run(rebuild(settings, name, WORKERS, logger.info))
