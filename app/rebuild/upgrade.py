"""After a change of release: projections that an earlier definition has stored are made anew, one after the other.

Readers see what there was until each is whole; whatever ends this, the next one goes on from there.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Sequence
from contextlib import closing
from functools import partial

from app import wiring
from app.rebuild.processes import Print, planned, rebuild
from app.rebuild.versions import switch
from app.settings import Settings
from domain.errors import AnalyticsError, Conflict, LimitExceeded
from projections.engine.declare.projection import Projection
from projections.engine.declare.registry import all_projections
from projections.engine.rebuild import Stored
from projections.engine.rebuild_plan import LONGEST, WORKERS, Plan
from projections.engine.worker_process import WorkerProcess

FEW = 200_000  # events
MEETING = 60.0  # seconds until two versions of the same rows must stand at the same position
SPARE = 1.2  # times the disk of the live rows that must be free, where the servers are those of the data folder

logger = logging.getLogger(__name__)


def outdated(settings: Settings) -> list[Projection]:
    """The projections whose live version was stored by an earlier definition, small ones first. Raises Unavailable."""
    with closing(wiring.versions(settings)) as versions:
        found = [each for each in all_projections().values() if _is_outdated(each, versions.stored(each))]
        return sorted(found, key=versions.disk)  # others need settings and rates, which are few


def _is_outdated(declared: Projection, stored: Sequence[Stored]) -> bool:
    return any(each.live and each.definition < declared.definition_version for each in stored)


def _is_made(declared: Projection, stored: Sequence[Stored]) -> bool:
    """Whether a version of the present definition is finished, and waits to be switched to."""
    return any(each.state == "running" and each.fingerprint == declared.fingerprint for each in stored)


async def plans(settings: Settings) -> Sequence[Plan]:
    """What an upgrade would do."""
    found = await asyncio.to_thread(outdated, settings)
    return [await planned(settings, declared.name, WORKERS) for declared in found]


async def upgrade(settings: Settings, say: Print) -> None:
    """Make them anew and let readers see them. Raises LimitExceeded before one for which there is no room, and as
    `rebuild` and `switch` do.
    """
    for declared in await asyncio.to_thread(outdated, settings):
        name = declared.name
        with closing(wiring.versions(settings)) as versions:
            if not _is_made(declared, await asyncio.to_thread(versions.stored, declared)):
                plan = await planned(settings, name, WORKERS)
                check_room(settings, plan)
                say(f"{name}: {plan.left:,} events to read, about {plan.seconds:,.0f} s")
                workers = WORKERS if plan.left > FEW else 1  # to start one takes longer than so many events
                await rebuild(settings, name, workers, partial(_say_of, say, name))
            version = await switch(settings, versions, name, "", MEETING)
        say(f"{name}: readers see version {version}")


def _say_of(say: Print, name: str, line: str) -> None:
    say(f"{name}: {line}")


def check_room(settings: Settings, plan: Plan) -> None:
    """Raise LimitExceeded where the disk of the data folder has no room for the rows beside those that there are."""
    free = shutil.disk_usage(settings.data).free
    if plan.disk * SPARE > free:
        raise LimitExceeded(
            f"{plan.name} needs {plan.disk * SPARE / 1e9:,.1f} GB to be made anew, and {free / 1e9:,.1f} are free",
            code="no_room",
            suggested_actions=("Make room, then run `analytics projections upgrade`.",),
        )


async def upgrade_beside(settings: Settings) -> None:
    """All of it in a process of its own, which ends with this one; where there is nothing to do, none is started."""
    names = [declared.name for declared in await asyncio.to_thread(outdated, settings)]
    if not names:
        return
    logger.info("stored by an earlier definition, and made anew: %s", ", ".join(names))
    worker = WorkerProcess("the upgrade of projections", waiting=0)
    try:
        await asyncio.wrap_future(worker.submit(_upgrade_here, settings, seconds=LONGEST))
        logger.info("readers see the new definitions of %s", ", ".join(names))
    except Conflict as error:
        logger.info("another process makes projections anew: %s", error)
    except AnalyticsError as error:
        logger.error("projections are not made anew: %s; `analytics projections upgrade` goes on", error)
    finally:
        worker.stop()


def _upgrade_here(settings: Settings) -> None:
    from app.cli.frame import run

    run(upgrade(settings, logger.info))
