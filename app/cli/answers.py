"""Forms of an answer: a table for people, JSON and CSV for programs, and files by their ending."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli.frame import Command, show_json, table_lines
from app.cli.terminal import show_lines
from domain.errors import Invalid

if TYPE_CHECKING:
    from read_api.answers.ad_hoc import Table
    from read_api.export.tables import Format

JSON, CSV, TABLE = "json", "csv", "table"


def answer_forms(command: Command) -> Command:
    """The options that say in which form an answer is shown: `form` and `out`."""
    for option in (
        click.option("--json", "form", flag_value=JSON, help="JSON, as over HTTP; without it where no people look."),
        click.option("--csv", "form", flag_value=CSV, help="CSV of its rows."),
        click.option("--table", "form", flag_value=TABLE, help="A table of its rows; without it at a terminal."),
        click.option(
            "--out",
            type=click.Path(dir_okay=False, path_type=Path),
            help="File to write the rows to: .csv, .ndjson, .xlsx, .parquet or .arrow.",
        ),
    ):
        command = option(command)
    return command


def form_of(form: str | None) -> str:
    """The form that was named; else a table for people at a terminal, and JSON for programs."""
    return form or (TABLE if sys.stdout.isatty() else JSON)


def show_answer(answer: Mapping[str, Any], form: str) -> None:
    """Show an answer; below a table, on stderr, how far it reaches."""
    if form == JSON:
        show_json(answer)
    elif form == CSV:
        click.echo(_file_format("csv").write(_table(answer)).decode(), nl=False)
    else:
        show_lines(answer_lines(answer))
        click.echo(_reach(answer), err=True)


def answer_lines(answer: Mapping[str, Any]) -> list[str]:
    """The rows of an answer as the lines of a table."""
    return table_lines(answer["rows"], _columns(answer)) if answer["rows"] else ["no rows"]


def write_answer(answer: Mapping[str, Any], out: Path) -> None:
    """Write the rows into a file, whole or not at all. Raises Invalid for an ending that names no format."""
    from adapters.files import atomic

    atomic.write(out, _file_format(out.suffix.removeprefix(".")).write(_table(answer)))
    click.echo(f"{out}: {len(answer['rows']):,} rows; {_reach(answer)}", err=True)


def _file_format(name: str) -> Format:
    from read_api.export.tables import FORMATS

    if name not in FORMATS:
        raise Invalid(f"a file ends with .{', .'.join(FORMATS)}, and not with {name!r}", code="bad_parameter")
    return FORMATS[name]


def _table(answer: Mapping[str, Any]) -> Table:
    from read_api.answers.ad_hoc import Table

    return Table(_columns(answer), frozenset(), {}, answer["rows"])


def _columns(answer: Mapping[str, Any]) -> list[str]:
    """Every column that some row has, in the order in which they come."""
    return list(dict.fromkeys(name for row in answer["rows"] for name in row))


def _reach(answer: Mapping[str, Any]) -> str:
    return f"position {answer.get('position') or 'none'}"
