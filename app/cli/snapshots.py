"""Commands about snapshots, from which the past is told without reading all of the log."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from app.cli.frame import as_json, run, show_rows, with_settings
from app.settings import Settings

if TYPE_CHECKING:
    from projections.engine.past.past_store import Snapshot

COLUMNS = ("projection", "version", "number", "latest", "position")


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]…")
@click.option("--keep", type=click.IntRange(1), default=5, show_default=True, help="Older ones are dropped.")
@with_settings
def snapshot(settings: Settings, names: tuple[str, ...], keep: int) -> None:
    """Copy the rows of projections (all without a NAME) as they are now, for as-of queries to go on from."""
    show_rows([_shown(s) for s in run(_take(settings, names, keep))], COLUMNS, as_json=False)


async def _take(settings: Settings, names: Iterable[str], keep: int) -> list[Snapshot]:
    from app.evidence import snapshots as opened
    from app.instance.instance import reachable
    from projections.engine.declare.registry import all_projections, projection

    wanted = [projection(name) for name in names] or list(all_projections().values())
    async with reachable(settings) as complete:
        with closing(opened(complete)) as store:
            taken = [await asyncio.to_thread(store.take, each) for each in wanted]
            for each in wanted:
                await asyncio.to_thread(store.keep, each, keep)
    return taken


@click.command()
@as_json
@with_settings
def snapshots(settings: Settings, as_json: bool) -> None:
    """List the snapshots that as-of queries can go on from; `latest` is the latest event time in one."""
    show_rows([_shown(s) for s in run(_stored(settings))], COLUMNS, as_json=as_json)


async def _stored(settings: Settings) -> list[Snapshot]:
    from app.evidence import snapshots as opened
    from app.instance.instance import reachable
    from projections.engine.declare.registry import all_projections

    async with reachable(settings) as complete:
        with closing(opened(complete)) as store:
            stored = [await asyncio.to_thread(store.stored, each) for each in all_projections().values()]
    return [each for found in stored for each in found]


def _shown(snapshot: Snapshot) -> dict[str, Any]:
    from projections.engine.query.formatting import show_time

    latest = None if snapshot.latest is None else show_time(datetime.fromtimestamp(snapshot.latest / 1000, UTC))
    return {
        "projection": snapshot.projection,
        "version": snapshot.version,
        "number": snapshot.number,
        "latest": latest,
        "position": str(snapshot.position),
    }
