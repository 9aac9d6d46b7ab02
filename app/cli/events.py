"""Commands about events: ingest, log, topics."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, BinaryIO

import click

from app.cli.frame import Reporting, as_json, run, show_json, show_rows, with_settings
from app.settings import Settings
from domain.clean_text import clean_message
from domain.errors import Invalid

if TYPE_CHECKING:
    from domain.ports import EventLog
    from eventlog.intake.intake import Outcome

SOME_QUARANTINED = 3  # exit code


@click.command()
@click.argument("file", type=click.File("rb"))
@as_json
@with_settings
def ingest(settings: Settings, file: BinaryIO, as_json: bool) -> None:
    """Take events from FILE (- for stdin): NDJSON envelopes or length-delimited protobuf.

    A bad line goes to quarantine with its number, the good ones go in. Exit code 0 when all went in, 3 when some were
    quarantined. It returns once everything accepted is durable.
    """
    outcome = run(_ingest(settings, file))
    if as_json:
        show_json(outcome.as_json())
    else:
        click.echo(
            f"{outcome.accepted:,} accepted, {outcome.duplicates:,} duplicates, {outcome.quarantined:,} quarantined"
        )
        for reason in outcome.reasons:
            click.echo(f"  line {reason.line}: {clean_message(reason.reason)} ({reason.code})", err=True)
    if outcome.quarantined:
        sys.exit(SOME_QUARANTINED)


async def _ingest(settings: Settings, file: BinaryIO) -> Outcome:
    from app.instance.instance import reachable
    from app.publisher import ingest as doors
    from command_api.file_intake import ingest_file

    def report(line: str) -> None:
        click.echo(f"\r\033[K{line}" if sys.stderr.isatty() else line, nl=not sys.stderr.isatty(), err=True)

    size = os.fstat(file.fileno()).st_size or None
    async with reachable(settings) as complete, doors(complete) as door:
        outcome = await ingest_file(door, file, size=size, report=report)
    if sys.stderr.isatty():
        click.echo("\r\033[K", nl=False, err=True)
    return outcome


@asynccontextmanager
async def _open_log(settings: Settings) -> AsyncIterator[EventLog]:
    from app.instance.instance import reachable
    from app.wiring import event_log

    async with reachable(settings) as complete, event_log(complete) as opened:
        yield opened


@click.group(cls=Reporting)
def log() -> None:
    """Look at the log."""


@log.command("head")
@as_json
@with_settings
def log_head(settings: Settings, as_json: bool) -> None:
    """Print the position of the log's end: the token that `projections wait` takes."""
    position = run(_head(settings))
    if as_json:
        show_json({"position": position})
    else:
        click.echo(position)


async def _head(settings: Settings) -> str:
    from app.cli.event_views import head
    from domain.events.catalogue import STREAMS

    async with _open_log(settings) as opened:
        return str(await head(opened, STREAMS))


@log.command("tail")
@click.option("-n", "--number", default=10, show_default=True, help="Events at most.")
@click.option("--topic", "topics", multiple=True, help="Only this topic; may be given several times.")
@click.option("-f", "--follow", is_flag=True, help="Go on with new events until Ctrl-C.")
@with_settings
def log_tail(settings: Settings, number: int, topics: tuple[str, ...], follow: bool) -> None:
    """Print the last events, one JSON object a line."""
    run(_tail(settings, number, topics, follow))


async def _tail(settings: Settings, number: int, topics: tuple[str, ...], follow: bool) -> None:
    from app.cli.event_views import follow as new_events
    from app.cli.event_views import head, last_events
    from domain.events.catalogue import STREAMS

    async with _open_log(settings) as opened:
        ends = await head(opened, topics or STREAMS)
        for event in await last_events(opened, ends, number):
            show_json(event)
        if follow:
            async for event in new_events(opened, topics, ends):
                show_json(event)


@log.command("read")
@click.option("--topic", "topics", multiple=True, help="Only this topic; may be given several times.")
@click.option("--from", "begin", default="", metavar="POSITION", help="Position to begin at; else the first event.")
@click.option("--to", "end", default="", metavar="POSITION", help="Position to stop before; else the end of the log.")
@click.option("--company", default="*", show_default=True, help="Only events of this company.")
@click.option("--limit", default=100, show_default=True, help="Events at most; 0 is no limit.")
@with_settings
def log_read(settings: Settings, topics: tuple[str, ...], begin: str, end: str, company: str, limit: int) -> None:
    """Print events in log order within each partition, one JSON object a line."""
    run(_read(settings, topics, begin, end, company, limit))


async def _read(settings: Settings, topics: tuple[str, ...], begin: str, end: str, company: str, limit: int) -> None:
    from app.cli.event_views import read_events

    async with _open_log(settings) as opened:
        async for event in read_events(opened, topics, begin=begin, end=end, company=company, limit=limit):
            show_json(event)


@click.group(cls=Reporting)
def topics() -> None:
    """Topics of the log."""


@topics.command("create")
@click.option("--partitions", type=click.IntRange(1), help="Partitions of each; else ANALYTICS_PARTITIONS.")
@with_settings
def topics_create(settings: Settings, partitions: int | None) -> None:
    """Create the topics that are missing; never changes an existing one."""
    counts = run(_create(settings, partitions or settings.partitions))
    show_rows([{"topic": t, "partitions": n} for t, n in counts.items()], ("topic", "partitions"), as_json=False)


async def _create(settings: Settings, partitions: int) -> dict[str, int]:
    from domain.events.catalogue import STREAMS

    async with _open_log(settings) as opened:
        await opened.create_topics(dict.fromkeys(STREAMS, partitions))
        return {topic: len(await opened.heads(topic)) for topic in STREAMS}


def parse_params(pairs: tuple[str, ...]) -> dict[str, str]:
    """`k=v` texts as a mapping. Raises Invalid where one is none."""
    params: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise Invalid(f"{pair!r} is not of the form k=v", code="bad_parameter")
        params[name] = value
    return params
