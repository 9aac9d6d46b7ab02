"""Commands for auditors: find events, show one whole, replay a range to the terminal or to a file."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from app.cli.frame import Command, Reporting, as_json, run, show_json, show_rows, with_settings
from app.settings import Settings
from domain.access.rights import OPERATOR
from domain.clean_text import escaped_json

if TYPE_CHECKING:
    from eventlog.search.event_detail import EventDetails
    from eventlog.search.search import EventMatch, EventSearch, Search

COLUMNS = ("timestamp", "topic", "partition", "offset", "message_type", "company_id", "user_id", "event_id")


@click.group(cls=Reporting)
def events() -> None:
    """Find, show and replay events of the log."""


_CRITERIA: tuple[Callable[[Command], Command], ...] = (
    click.option("--company", default="*", show_default=True, help="Only events of this company."),
    click.option("--user", default="", help="Only events of this user."),
    click.option("--type", "types", multiple=True, help="Only this event type; may be given several times."),
    click.option("--correlation", default="", metavar="ID", help="Only events of this correlation id."),
    click.option("--cause", default="", metavar="ID", help="Only direct effects of the event of this id."),
    click.option("--id", "event_id", default="", help="Only the event of this id."),
    click.option("--from", "begin", default="", metavar="TIME", help="Event time to begin at; UTC or with an offset."),
    click.option("--to", "end", default="", metavar="TIME", help="Event time to stop before."),
    click.option("--topic", "topics", multiple=True, help="Only this topic; may be given several times."),
    click.option("--from-position", default="", metavar="POSITION", help="Position to begin at; else the first event."),
    click.option("--to-position", default="", metavar="POSITION", help="Position to stop before; else the log's end."),
)


def _searching(command: Command) -> Command:
    for option in reversed(_CRITERIA):
        command = option(command)
    return command


@events.command("find")
@_searching
@click.option("-n", "--limit", type=click.IntRange(1), default=100, show_default=True, help="Events at most.")
@as_json
@with_settings
def events_find(settings: Settings, limit: int, as_json: bool, **parameters: Any) -> None:
    """List events that match everything asked for, and say what was read to find them.

    `cursor` in the JSON answer is the --from-position that goes on after them.
    """
    answer = run(_find(settings, parameters, limit))
    if as_json:
        show_json(answer)
        return
    show_rows(answer["events"], COLUMNS, as_json=False)
    scanned = answer["scanned"]
    click.echo(
        f"{scanned['records']:,} records read, {scanned['unindexed_records']:,} of them not indexed yet;"
        f" {scanned['blocks_skipped']:,} of {scanned['blocks']:,} blocks ruled out",
        err=True,
    )
    if not answer["complete"]:
        click.echo(f"there may be more: --from-position '{answer['cursor']}'", err=True)


async def _find(settings: Settings, parameters: dict[str, Any], limit: int) -> dict[str, Any]:
    from eventlog.search.event_json import figures, visible_json

    async with _opened(settings) as (search, _):
        walk = await search.walk(OPERATOR, _search(**parameters))
        found = await search.first(walk, limit)
        events = [visible_json(event, OPERATOR) for event in found]
        return {
            "events": events,
            "cursor": walk.position,
            "complete": walk.caught_up,
            "scanned": figures(walk.scanned),
        }


@events.command("show")
@click.argument("event")
@click.option("--topic", default="", help="Topic to look for an event id in; else all of them.")
@with_settings
def events_show(settings: Settings, event: str, topic: str) -> None:
    """Print one event whole, by its id or by its place TOPIC:PARTITION=OFFSET.

    With what the projector made of it, its neighbours of the same company and user, its causes and direct effects.
    """
    show_json(run(_show(settings, event, topic)))


async def _show(settings: Settings, event: str, topic: str) -> dict[str, Any]:
    async with _opened(settings) as (_, event_details):
        return await event_details.detail_of(OPERATOR, event, topics=[topic] if topic else [])


@events.command("replay")
@_searching
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write to; else stdout.")
@click.option("--protobuf", is_flag=True, help="Length-delimited envelopes, each exactly as in the log; else NDJSON.")
@with_settings
def events_replay(settings: Settings, out: Path | None, protobuf: bool, **parameters: Any) -> None:
    """Write the events of a range that match, in log order within each partition. Nothing is published.

    Their number and the SHA-256 of what was written follow on stderr. `ingest` takes the protobuf form.
    """
    with _written_to(out) as file:
        count, checksum = run(_replay(settings, file, parameters, protobuf))
    click.echo(f"{count:,} events, sha256 {checksum}", err=True)


async def _replay(settings: Settings, file: BinaryIO, parameters: dict[str, Any], protobuf: bool) -> tuple[int, str]:
    line, count, checksum = _delimited if protobuf else _as_line, 0, hashlib.sha256()
    async with _opened(settings) as (search, _):
        walk = await search.walk(OPERATOR, _search(**parameters))
        async with aclosing(search.matches(walk)) as found:
            async for event in found:
                if event is not None:
                    data, count = line(event), count + 1
                    file.write(data)
                    checksum.update(data)
    return count, checksum.hexdigest()


@contextmanager
def _written_to(out: Path | None) -> Iterator[BinaryIO]:
    """The file, which appears under its name once it is whole; stdout where there is none."""
    if out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    partial = out.with_name(out.name + ".partial")
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)


def _delimited(event: EventMatch) -> bytes:
    from eventlog.publish.record import varint

    return varint(len(event.value)) + event.value


def _as_line(event: EventMatch) -> bytes:
    from eventlog.search.event_json import visible_json

    return escaped_json(json.dumps(visible_json(event, OPERATOR), ensure_ascii=False)).encode() + b"\n"


def _search(
    company: str,
    user: str,
    types: tuple[str, ...],
    correlation: str,
    cause: str,
    event_id: str,
    begin: str,
    end: str,
    topics: tuple[str, ...],
    from_position: str,
    to_position: str,
) -> Search:
    from eventlog.search.search import Search
    from read_api.answers.event_criteria import criteria

    texts = {"company": company, "user": user, "event_id": event_id, "from": begin, "to": end}
    wanted = criteria({**texts, "correlation_id": correlation, "causation_id": cause}, types)
    return Search(wanted, topics, from_position, to_position)


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[tuple[EventSearch, EventDetails]]:
    from app.instance.instance import reachable
    from app.wiring import decisions, event_log, event_search
    from eventlog.search.event_detail import EventDetails

    async with AsyncExitStack() as stack:
        complete = await stack.enter_async_context(reachable(settings))
        log = await stack.enter_async_context(event_log(complete))
        search = await stack.enter_async_context(event_search(complete, log))
        yield search, EventDetails(search, await stack.enter_async_context(decisions(complete)))
