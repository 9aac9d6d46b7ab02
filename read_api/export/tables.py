"""The rows of an answer as files: CSV, NDJSON, Excel, Parquet and Arrow. The same rows give the same bytes.

Text that a spreadsheet would take for a formula gets an apostrophe before it in CSV, and is written as text in Excel.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from domain.access.rights import Feature
from domain.errors import Invalid
from read_api.answers.ad_hoc import NUMBER, Table

if TYPE_CHECKING:
    import polars as pl

_AMOUNT = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")  # not 007, which would come back as 7
FORMULA = ("=", "+", "-", "@", "\t", "\r")
MADE_AT = datetime(2000, 1, 1, tzinfo=UTC)  # of every workbook: it would else differ from itself a second later


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file: what it is called, how it is made, and what the tier must open."""

    name: str
    media_type: str
    write: Callable[[Table], bytes]
    feature: Feature = Feature.CSV


def _cell(value: Any) -> Any:
    """Lists and objects as JSON; what is plain as it is."""
    return msgspec.json.encode(value).decode() if isinstance(value, (list, dict)) else value


def harmless(value: Any) -> Any:
    """A cell of CSV: a text that begins like a formula, and is no number, has an apostrophe before it."""
    cell = _cell(value)
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, str) and cell.startswith(FORMULA) and not NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def _csv(table: Table) -> bytes:
    file = io.StringIO()
    lines = csv.writer(file, lineterminator="\r\n")
    lines.writerow([harmless(name) for name in table.columns])
    lines.writerows([harmless(row.get(name)) for name in table.columns] for row in table.rows)
    return file.getvalue().encode()


def _ndjson(table: Table) -> bytes:
    lines = (msgspec.json.encode({name: row.get(name) for name in table.columns}) for row in table.rows)
    return b"".join(line + b"\n" for line in lines)


def _xlsx(table: Table) -> bytes:
    import xlsxwriter

    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"created": MADE_AT.replace(tzinfo=None)})
        sheet = book.add_worksheet("rows")
        for column, name in enumerate(table.columns):
            sheet.write_string(0, column, name)
        for line, row in enumerate(table.rows, 1):
            for column, name in enumerate(table.columns):
                write_cell(sheet, line, column, row.get(name))
    return file.getvalue()


def write_cell(sheet: Any, line: int, column: int, value: Any) -> None:
    """A value in a cell: numbers as numbers, all else as text that is no formula."""
    match cell := _cell(value):
        case None:
            sheet.write_blank(line, column, None)
        case bool():
            sheet.write_boolean(line, column, cell)
        case int() | float():
            sheet.write_number(line, column, cell)
        case str() if len(cell) <= 15 and _AMOUNT.fullmatch(cell):  # more digits than a sheet's numbers have stay text
            sheet.write_number(line, column, float(cell))
        case _:
            sheet.write_string(line, column, str(cell))


def _columns(table: Table) -> pl.DataFrame:
    import polars as pl

    columns = {name: [_cell(row.get(name)) for row in table.rows] for name in table.columns}
    return pl.DataFrame({name: pl.Series(name, cells, strict=False) for name, cells in columns.items()})


def _parquet(table: Table) -> bytes:
    _columns(table).write_parquet(file := io.BytesIO())
    return file.getvalue()


def _arrow(table: Table) -> bytes:
    _columns(table).write_ipc_stream(file := io.BytesIO())
    return file.getvalue()


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        each.name: each
        for each in (
            Format("csv", "text/csv", _csv),
            Format("ndjson", "application/x-ndjson", _ndjson),
            Format("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _xlsx, Feature.PIVOTS),
            Format("parquet", "application/vnd.apache.parquet", _parquet, Feature.PIVOTS),
            Format("arrow", "application/vnd.apache.arrow.stream", _arrow, Feature.PIVOTS),
        )
    }
)


def format_of(name: str) -> Format:
    """The format of that name; CSV where none is named. Raises Invalid."""
    if (name or "csv") not in FORMATS:
        raise Invalid(f"{name!r} is no format; there are {', '.join(FORMATS)}", code="bad_parameter")
    return FORMATS[name or "csv"]
