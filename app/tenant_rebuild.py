"""Making the rows of one company anew, to compare them with the live ones and, if asked, to replace these."""

from __future__ import annotations

import asyncio
from contextlib import closing

from adapters.postgres.builder import PostgresVersions
from adapters.postgres.tenant_rows import PostgresTenantRows, TenantComparison
from app import wiring
from app.evidence import check
from app.settings import Settings
from domain.errors import Conflict, NotFound
from domain.event_search import Scanned
from domain.position import Position
from projections.engine.declare import Projection
from projections.engine.history import History, Past
from projections.engine.past import Folded
from projections.engine.rebuild import Folding


async def rebuild_tenant(settings: Settings, declared: Projection, company: str, *, replace: bool) -> TenantComparison:
    """Fold the company's history while others go on, then what came meanwhile with the version's commits held.

    Raises Conflict where the live version was made by another definition or the log has lost the beginning,
    LimitExceeded for more records than a question about the past may read.
    """
    tenant_rows = PostgresTenantRows(settings.database_url, check(settings))
    with closing(wiring.versions(settings)) as versions, closing(tenant_rows) as rows:
        live = await asyncio.to_thread(_live, versions, declared)
        async with wiring.event_log(settings) as log, wiring.event_index(settings) as index:
            history = _CompanyHistory(History(log, rows, settings.past_records, index), live, company)
            await history.read_to(await asyncio.to_thread(rows.position, live))
            loop = asyncio.get_running_loop()

            def folded(position: Position) -> Folded:
                asyncio.run_coroutine_threadsafe(history.read_to(position), loop).result()
                return history.folded()

            return await asyncio.to_thread(lambda: rows.compare(live, company, folded, replace=replace))


class _CompanyHistory:
    """A company's history, folded further and further."""

    def __init__(self, history: History, projection: Projection, company: str) -> None:
        self._history = history
        self._projection = projection
        self._company = company
        self._folding = Folding(projection)
        self._reached = Position()

    async def read_to(self, goal: Position) -> None:
        """Fold what lies between here and there."""
        facts = self._history.facts(self._projection, self._company, Past(), self._reached, goal, Scanned())
        async for found in facts:
            await asyncio.to_thread(self._folding.add, found)
        self._reached = goal

    def folded(self) -> Folded:
        """What it comes to, from the beginning."""
        return Folded(self._folding.rows(), self._folding.ordered())


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
