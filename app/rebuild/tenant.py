"""Making the rows of one company anew, to compare them with the live ones and, if asked, to replace these."""

from __future__ import annotations

import asyncio
from contextlib import closing

from adapters.postgres.read_models.builder import PostgresVersions
from adapters.postgres.read_models.tenant_rows import PostgresTenantRows, TenantComparison
from app import wiring
from app.evidence import check
from app.settings import Settings
from domain.errors import Conflict, NotFound
from domain.position import Position
from eventlog.search.criteria import Scanned
from projections.engine.declare.projection import Projection
from projections.engine.past.history import History, Stretch
from projections.engine.query.request import Past


async def rebuild_tenant(settings: Settings, declared: Projection, company: str, *, replace: bool) -> TenantComparison:
    """Fold the company's history while others go on, then what came meanwhile with the version's commits held.

    Raises Conflict where the live version was made by another definition or the log has lost the beginning,
    LimitExceeded for more records than a question about the past may read.
    """
    with closing(wiring.versions(settings)) as versions:
        live = await asyncio.to_thread(_live, versions, declared)
    with closing(PostgresTenantRows(settings.database_url, check(settings), live)) as rows:
        async with wiring.event_log(settings) as log, wiring.event_index(settings) as index:
            history = History(log, rows, settings.past_records, index)
            reached = await asyncio.to_thread(rows.begin)
            async for stretch in history.read(live, company, Past(), Position(), reached, Scanned()):
                await asyncio.to_thread(rows.add, stretch)
            loop = asyncio.get_running_loop()

            async def left(goal: Position) -> list[Stretch]:
                return [stretch async for stretch in history.read(live, company, Past(), reached, goal, Scanned())]

            def rest(goal: Position) -> list[Stretch]:
                return asyncio.run_coroutine_threadsafe(left(goal), loop).result()

            return await asyncio.to_thread(lambda: rows.compare(company, rest, replace=replace))


def _live(versions: PostgresVersions, declared: Projection) -> Projection:
    live = next((stored for stored in versions.stored(declared) if stored.live), None)
    if live is None:
        raise NotFound(f"{declared.name} has folded nothing yet", code="no_version")
    if live.fingerprint != declared.fingerprint:
        raise Conflict(
            f"version {live.version} of {declared.name} was made by definition {live.definition}: rebuild the whole",
            code="other_definition",
        )
    return declared.stored_as(live.version)
