"""`analytics projections upgrade`, as the projector role starts it: what an earlier definition stored is made anew."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from adapters.postgres.log.log import EmbeddedLog
from app.bench.events import envelopes, pieces
from app.bench.folding import fold
from app.bench.logs import append
from app.rebuild.upgrade import outdated, upgrade
from app.settings import Settings
from domain.errors import LimitExceeded
from projections.engine.declare.registry import projection
from projections.engine.store.sql import table_name

ONE, OTHER = projection("user_activity"), projection("satisfaction")  # OTHER is of the present definition


async def _stored_by_an_earlier_release(url: str) -> None:
    log = EmbeddedLog(url)
    try:
        await log.create_topics({topic: 2 for each in (ONE, OTHER) for topic in each.topics})
        await append(log, pieces(envelopes(1_000, ("user_event",))))
        await fold(log, url, [ONE, OTHER])
    finally:
        await log.close()
    with psycopg.connect(url) as connection:
        change = "UPDATE projections SET definition = definition - 1, fingerprint = 'older' WHERE name = %s"
        connection.execute(change, (ONE.name,))


def _live(url: str) -> dict[str, tuple[int, int]]:
    """Version and definition that readers see, by projection."""
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT name, version, definition FROM projections WHERE live").fetchall()
    return {name: (version, definition) for name, version, definition in found}


def _rows(url: str, version: int) -> list[str]:
    """What people can read of a version, as text."""
    columns = ", ".join(f'"{column.name}"' for column in (*ONE.tables[0].keys, *ONE.tables[0].values))
    with psycopg.connect(url) as connection:
        query = f"SELECT ({columns})::text FROM {table_name(ONE.tables[0].name, version)} ORDER BY 1"
        return [row[0] for row in connection.execute(query.encode()).fetchall()]


@pytest.mark.slow
def test_what_an_earlier_definition_stored_is_made_anew_once(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused before it begins where the disk has no room; then readers see the same rows in a new version.

    A projection of the present definition is left as it is, and a second upgrade finds nothing to do.
    """
    asyncio.run(_stored_by_an_earlier_release(database_url))
    settings, said = Settings(database_url=database_url, data=tmp_path), list[str]()
    before = _live(database_url)
    monkeypatch.setattr("app.rebuild.upgrade.WORKERS", 1)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
        with pytest.raises(LimitExceeded, match=f"{ONE.name} needs .* to be made anew, and 0.0 are free"):
            asyncio.run(upgrade(settings, said.append))
    assert (_live(database_url), said) == (before, [])
    assert [declared.name for declared in outdated(settings)] == [ONE.name]

    asyncio.run(upgrade(settings, said.append))
    version = before[ONE.name][0] + 1
    assert said[-1] == f"{ONE.name}: readers see version {version}"
    assert _live(database_url) == before | {ONE.name: (version, ONE.definition_version)}
    assert _rows(database_url, version) == _rows(database_url, before[ONE.name][0]) != []

    said.clear()
    asyncio.run(upgrade(settings, said.append))
    assert (said, outdated(settings)) == ([], [])
