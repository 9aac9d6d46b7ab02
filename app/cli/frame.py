"""What every command shares: the data folder, how coroutines are run, how answers and errors are shown."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import os
import sys
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from app.cli.audit import AuditedAction, doing, record, spill
from app.cli.output import READER_LEFT, ReaderLeftError, forget_rest, write_whole
from app.cli.terminal import show_lines
from app.instance.instance import running_instance, with_addresses
from app.instance.logs import without_secrets
from app.settings import Settings
from app.wiring import spans
from domain.clean_text import clean, clean_message, escaped_json
from domain.errors import AnalyticsError
from domain.request import correlation, tracing

T = TypeVar("T")
LONGEST_CELL = 2_000  # characters
LONGEST_LINE = 1_000  # characters of an error
logger = logging.getLogger(__name__)
Command = Callable[..., Any]

as_json = click.option("--json", "as_json", is_flag=True, help="JSON for programs instead of a table for people.")
public_key = click.option(
    "--public-key",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="PEM that signatures are checked by; else the key of the data folder.",
)


class Reporting(click.Group):
    """A group whose commands end with one clear line on stderr when something is wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; whatever goes wrong becomes one line and exit code 1. All output is written, or it failed.

        What nobody expected is logged with its traceback by processes that log, and by commands at level DEBUG.
        """
        write_whole()
        try:
            outcome = super().invoke(ctx)
            sys.stdout.flush()
        except ReaderLeftError:
            forget_rest()
            ctx.exit(READER_LEFT)
        except AnalyticsError as error:
            _fail(ctx, " ".join((str(error), *error.suggested_actions)))
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except OSError as error:
            _log_unexpected(error)
            _fail(ctx, ": ".join(str(part) for part in (error.strerror or error, error.filename) if part))
        except Exception as error:
            _log_unexpected(error)
            _fail(ctx, f"{type(error).__name__}: {error}")
        return outcome


def _fail(ctx: click.Context, message: str) -> NoReturn:
    """End with one line, cut where it is longer than people read; what cannot be written any more goes nowhere."""
    line = clean_message(" ".join(without_secrets(message).split()))
    click.echo(f"error: {line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE] + '…'}", err=True)
    try:
        sys.stdout.flush()
    except OSError:
        forget_rest()
    ctx.exit(1)


def _log_unexpected(error: Exception) -> None:
    level = logging.CRITICAL if logging.getLogger().handlers else logging.DEBUG
    logger.log(level, "this process ends by an error", exc_info=error)


def with_settings(command: Command) -> Command:
    """Give the command its settings as first argument, and the flag --data; it is a door, with ids, trace and trail."""

    @click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder of the instance (ANALYTICS_DATA; .analytics).",
    )
    @functools.wraps(command)
    def with_data(*args: Any, data: Path | None, **options: Any) -> Any:
        settings, context = Settings.read(os.environ, data=data), click.get_current_context()
        name = context.command_path.partition(" ")[2]
        correlation.current.set(correlation.good_or_new(None))
        parent, state = os.environ.get("TRACEPARENT", ""), os.environ.get("TRACESTATE", "")
        with spans(settings, "cli"), tracing.request(f"cli {name}", parent, state), doing(name, context.params) as deed:
            found = command(settings, *args, **options)
            if deed is not None and not deed.on_record:
                _record(settings, deed)
            return found

    return with_data


def _record(settings: Settings, deed: AuditedAction) -> None:
    """Put on record what needed no server: in the log of the instance that runs, or else with the next that does."""
    where = running_instance(settings.data)
    if where is None:
        spill(settings, deed.note())
    else:
        run(record(with_addresses(settings, where), deed.note()))


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a fast event loop."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def show_json(value: object, *, spread: bool = True) -> None:
    """JSON: spread out at a terminal, unless it is one of many; on one line for programs."""
    indent = 2 if spread and sys.stdout.isatty() else None
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=str)
    click.echo(escaped_json(text))


def show_rows(rows: Sequence[Mapping[str, Any]], columns: Iterable[str], *, as_json: bool) -> None:
    """A listing: as JSON, or as a table of some columns."""
    if as_json:
        show_json(list(rows))
        return
    show_lines(table_lines(rows, columns))


def table_lines(rows: Sequence[Mapping[str, Any]], columns: Iterable[str] = ()) -> list[str]:
    """A table as lines, the names of its columns first; by default all columns of the first row."""
    names = list(columns) or list(rows[0] if rows else ())
    lines = [names, *([_cell(row.get(name)) for name in names] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(names))]
    return ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | dict):
        value = json.dumps(value, ensure_ascii=False, default=str)
    return "" if value is None else f"{value:,}" if isinstance(value, int) else clean(str(value), LONGEST_CELL)
