"""What every command shares: the data folder, how coroutines are run, how answers and errors are shown."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import sys
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from app.settings import Settings
from domain.errors import AnalyticsError

T = TypeVar("T")
Command = Callable[..., Any]

as_json = click.option("--json", "as_json", is_flag=True, help="JSON for programs instead of a table for people.")


class Reporting(click.Group):
    """A group whose commands end with one clear line on stderr when something is wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; errors that are meant for people become one line and exit code 1."""
        try:
            return super().invoke(ctx)
        except AnalyticsError as error:
            click.echo(" ".join((f"error: {error}", *error.suggested_actions)), err=True)
            ctx.exit(1)
        except BrokenPipeError:  # whoever read our output has had enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)


def with_settings(command: Command) -> Command:
    """Give the command its settings as first argument, and the flag --data."""

    @click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder of the instance (ANALYTICS_DATA; .analytics).",
    )
    @functools.wraps(command)
    def with_data(*args: Any, data: Path | None, **options: Any) -> Any:
        return command(Settings.read(os.environ, data=data), *args, **options)

    return with_data


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a fast event loop."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def show_json(value: object) -> None:
    """JSON: spread out at a terminal, on one line for programs."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None, default=str))


def show_rows(rows: Sequence[Mapping[str, Any]], columns: Iterable[str], *, as_json: bool) -> None:
    """A listing: as JSON, or as a table of some columns."""
    if as_json:
        show_json(list(rows))
        return
    names = list(columns)
    lines = [names, *([_cell(row.get(name)) for name in names] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(names))]
    for line in lines:
        click.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
