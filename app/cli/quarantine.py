"""Commands about quarantine: what waits there, and what becomes of it."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli.frame import LONGEST_CELL, Command, Reporting, as_json, run, show_json, show_rows, with_settings
from app.settings import Settings
from domain.clean_text import clean
from domain.errors import Invalid, NotFound

if TYPE_CHECKING:
    from eventlog.intake.quarantine import Entry
    from eventlog.intake.repair import Change, Repairs, Result

EVERY = 2**62  # as a limit: none


@click.group(cls=Reporting)
def quarantine() -> None:
    """Look at events that were set aside, replay and drop them."""


@quarantine.command("list")
@click.option("--company", help="Only of this company.")
@click.option("--code", help="Only with this reason code.")
@click.option("--limit", type=click.IntRange(1), help="Entries at most: 100, or with --json all of them.")
@as_json
@with_settings
def quarantine_list(
    settings: Settings, company: str | None, code: str | None, limit: int | None, as_json: bool
) -> None:
    """Entries that wait, newest first."""
    rows = run(_quarantined(settings, company, code, limit or (EVERY if as_json else 100)))
    columns = ("id", "recorded_at", "code", "stream", "position", "line", "company_id", "reason")
    show_rows(rows, columns, as_json=as_json)


async def _quarantined(
    settings: Settings, company: str | None, code: str | None, limit: int
) -> list[dict[str, object]]:
    from adapters.postgres.tables.quarantine import PostgresQuarantine
    from app.instance.instance import reachable
    from app.wiring import closed_at_end
    from eventlog.intake.quarantine import Filter

    async with reachable(settings) as complete, closed_at_end(PostgresQuarantine(complete.database_url)) as kept:
        found = await kept.entries(Filter(company_id=company, code=code, limit=limit))
        return [entry.as_json() for entry in found]


@quarantine.command("show")
@click.argument("entry_id", type=int, metavar="ID")
@click.option("--raw", is_flag=True, help="Write the event's bytes as they came, and nothing else.")
@as_json
@with_settings
def quarantine_show(settings: Settings, entry_id: int, raw: bool, as_json: bool) -> None:
    """One entry with its reason and its bytes (as text where they are text, otherwise in hex)."""
    entry, content = run(_entry(settings, entry_id))
    if raw:
        sys.stdout.buffer.write(content)
        return
    try:
        entry["raw"] = content.decode()
    except UnicodeDecodeError:
        entry["raw_hex"] = content.hex()
    if as_json:
        show_json(entry)
        return
    for name, value in entry.items():
        click.echo(f"{name:<12} {'' if value is None else clean(str(value), LONGEST_CELL)}")


async def _entry(settings: Settings, entry_id: int) -> tuple[dict[str, object], bytes]:
    from adapters.postgres.tables.quarantine import PostgresQuarantine
    from app.instance.instance import reachable
    from app.wiring import closed_at_end

    async with reachable(settings) as complete, closed_at_end(PostgresQuarantine(complete.database_url)) as kept:
        entry, content = await kept.entry(entry_id)
        return entry.as_json(), content


def _choosing(command: Command) -> Command:
    """The arguments that say which entries are meant."""
    for option in (
        click.option("--code", help="With --all: only with this reason code."),
        click.option("--company", help="With --all: only of this company."),
        click.option("--all", "everything", is_flag=True, help="Everything that waits, the oldest first."),
        click.argument("ids", nargs=-1, type=int, metavar="[ID]…"),
    ):
        command = option(command)
    return command


@quarantine.command("replay")
@_choosing
@click.option(
    "--set", "members", multiple=True, metavar="PATH=VALUE", help="Set a member first: payload.pnl=1.5; null unsets it."
)
@click.option(
    "--with",
    "instead",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A JSON event instead.",
)
@as_json
@with_settings
def quarantine_replay(
    settings: Settings, members: tuple[str, ...], instead: Path | None, as_json: bool, **which: Any
) -> None:
    """Publish entries again, repaired or as they are, in their order; what is still bad waits on.

    Exit 0 if all were replayed, 3 if some are still bad.
    """
    from eventlog.intake.repair import Change

    if instead is not None and (members or len(which["ids"]) != 1):
        raise click.UsageError("--with takes the place of one entry, without --set")
    change = Change(instead.read_bytes() if instead else None, _members(members))
    results = run(_replay(settings, which, change))
    rows = [{"id": r.id, "replayed_to": r.replayed_to or None, "problem": r.problem or None} for r in results]
    still = [row for row in rows if row["problem"]]
    if as_json:
        show_json({"replayed": len(rows) - len(still), "still_bad": len(still), "entries": rows})
    else:
        show_rows(still or rows[-10:], ("id", "replayed_to", "problem"), as_json=False)
        click.echo(f"{len(rows) - len(still):,} replayed, {len(still):,} still bad", err=True)
    if still:
        sys.exit(3)


async def _replay(settings: Settings, which: Mapping[str, Any], change: Change) -> list[Result]:
    async with _repairs(settings) as repairs:
        return await repairs.replay(await _chosen(repairs, **which), change)


@quarantine.command("drop")
@_choosing
@click.option("--reason", required=True, help="Why; it is kept, and published with the audit event.")
@with_settings
def quarantine_drop(settings: Settings, reason: str, **which: Any) -> None:
    """Let entries wait no more; their bytes stay."""
    dropped = run(_drop(settings, which, reason))
    click.echo(f"{dropped:,} dropped")


async def _drop(settings: Settings, which: Mapping[str, Any], reason: str) -> int:
    async with _repairs(settings) as repairs:
        entries = await _chosen(repairs, **which)
        await repairs.drop(entries, reason)
        return len(entries)


@asynccontextmanager
async def _repairs(settings: Settings) -> AsyncIterator[Repairs]:
    from app.instance.instance import reachable
    from app.publisher import ingest
    from domain.audit import LOCAL_OPERATOR
    from eventlog.intake.repair import Repairs

    async with reachable(settings) as complete, ingest(complete) as doors:
        yield Repairs(doors.publisher, doors.quarantine, LOCAL_OPERATOR)


async def _chosen(
    repairs: Repairs, ids: tuple[int, ...], everything: bool, company: str | None, code: str | None
) -> list[Entry]:
    """The entries that are meant, the oldest first."""
    from eventlog.intake.quarantine import Filter

    if everything == bool(ids) or (ids and (company or code)):
        raise Invalid("name entries by id, or --all with --company and --code", code="bad_selection")
    if everything:
        return await repairs.quarantine.entries(Filter(company_id=company, code=code, after=0, limit=EVERY))
    found = [(await repairs.quarantine.entry(entry_id))[0] for entry_id in sorted(set(ids))]
    if not found:
        raise NotFound("nothing waits")
    return found


def _members(texts: tuple[str, ...]) -> dict[str, Any]:
    members = {}
    for text in texts:
        path, equals, value = text.partition("=")
        if not (path and equals):
            raise Invalid(f"{text!r} is not of the form path=value", code="bad_parameter")
        try:
            members[path] = json.loads(value)
        except ValueError:
            members[path] = value
    return members
