"""A document as a workbook: a summary, a sheet for each section with its chart, numbers as numbers.

Rows are written as they come, so that a million of them take the memory of a few. Texts stay texts: none becomes a
formula or a link, whatever it looks like.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from itertools import chain, islice
from types import MappingProxyType
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import xlsxwriter
from xlsxwriter.utility import xl_range

from domain.metrics.catalogue import METRICS
from domain.reports.document import Document, Section
from read_api.charts.columns import COUNT, DAY, FORMATS, FRACTION, MOMENT, MONEY, RATIO, WEEKDAY, label
from read_api.charts.shapes import shape_of
from read_api.charts.special import LIFE, MRR
from read_api.export.tables import MADE_AT
from read_api.reports.composing import cover_of, formats_for, proof_of
from read_api.reports.pivot import SHEET as PIVOT
from read_api.reports.pivot import Pivot, Source, pivot_of, with_pivot, write_cells
from read_api.web.formats import Formats
from read_api.web.tables import LOOKED_AT, Column, columns_of, plain_rows, unit_kind

MOST_ROWS = 1_048_576  # of a sheet
MOST_TEXT = 32_767  # characters of a cell
MOST_CHARTED = 32_000  # points of a series, which is as many as spreadsheets draw
HEAD = 4  # lines above the names of columns: title, sentence, parameters, an empty one
WIDEST = 42  # characters of a column
NUMBER_FORMATS: Mapping[str, str] = MappingProxyType(
    {
        COUNT: "#,##0",
        MONEY: "#,##0.00",
        FRACTION: "0.0%",
        RATIO: "#,##0.00",
        "quantity": "#,##0.######",
        "points": "#,##0.0",
        DAY: "yyyy-mm-dd",
        MOMENT: "yyyy-mm-dd hh:mm:ss",
        **{name: f'#,##0.0"{form.suffix}"' for name, form in FORMATS.items() if form.suffix},
    }
)
CHARTS: Mapping[str, str] = MappingProxyType(
    {
        "line": "line",
        "area": "area",
        "bar": "bar",
        "stacked_bar": "column",
        "pie": "pie",
        "histogram": "column",
        "funnel": "bar",
        "scatter": "scatter",
    }
)
SIDE_BY_SIDE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {query: tuple(name for name, _ in moves) for query, moves in (("mrr_movements", MRR), ("lifecycle", LIFE))}
)
_NO_SHEET_NAME = re.compile(r"[\[\]:*?/\\\x00-\x1f]|^'|'$")
Write = Callable[[Any, int, int, Any], None]


class _Sheet(NamedTuple):
    """A sheet of rows: its name, the section's columns, and the lines (from 0) of its first and last row."""

    name: str
    columns: Sequence[Column]
    first: int
    last: int


def workbook(document: Document) -> bytes:
    """The document as the bytes of an Excel file: the same ones, whenever and wherever it is written."""
    file = io.BytesIO()
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(file, {**options, "default_date_format": "yyyy-mm-dd"}) as book:
        made = MADE_AT.replace(tzinfo=None)
        owner = document.owner
        book.set_properties({"title": document.title, "author": owner.name, "subject": document.kind, "created": made})
        pivot = _Book(book, document).write()
    return with_pivot(file.getvalue(), *pivot) if pivot else file.getvalue()


class _Book:
    """One workbook while it is written."""

    def __init__(self, book: Any, document: Document) -> None:
        self._book, self._document = book, document
        self._formats: Formats = formats_for(document)
        self._names: set[str] = {"summary", "history"}  # history: a name that Excel keeps for itself
        colour = document.owner.primary_color
        self._title = book.add_format({"font_size": 16, "font_color": colour})
        self._quiet = book.add_format({"font_color": "#59616e"})
        self._head = book.add_format(
            {"bottom": 2, "bottom_color": colour, "font_color": "#59616e", "text_wrap": True, "valign": "bottom"}
        )
        self._cells = {kind: book.add_format({"num_format": form}) for kind, form in NUMBER_FORMATS.items()}
        self._named = book.add_format({"font_color": "#59616e", "valign": "top"})
        self._wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        self._pivot: tuple[Pivot, Source] | None = None  # of the first section that has one

    def write(self) -> tuple[Pivot, Source, int] | None:
        """Everything, the summary first; what pivot table is to be laid over which sheet."""
        summary = self._book.add_worksheet("Summary")
        names = [self._free_name(section.title) for section in self._document.sections]
        self._write_summary(summary, names)
        for section, name in zip(self._document.sections, names, strict=True):
            self._write_section(section, name)
        if self._pivot is None:
            return None
        sheet = self._book.add_worksheet(self._free_name(PIVOT))
        sheet.set_column(0, 0, 24)
        write_cells(sheet, self._pivot[0], partial(_text, sheet))
        return *self._pivot, len(self._book.worksheets())

    def _free_name(self, title: str) -> str:
        """A name for a sheet that none has yet: what Excel allows of the title."""
        plain = _NO_SHEET_NAME.sub(" ", title).strip()[:31].strip("' ") or "Section"
        name, number = plain, 2
        while name.lower() in self._names:
            name = f"{plain[: 31 - len(f' ({number})')]} ({number})"
            number += 1
        self._names.add(name.lower())
        return name

    def _write_summary(self, sheet: Any, names: Sequence[str]) -> None:
        document = self._document
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, 90)
        sheet.set_column(3, 3, 20)
        facts = [
            ("Company", document.owner.name),
            *cover_of(document, self._formats),
            *proof_of(document),
            ("Digits", "Numbers have fifteen digits here; the JSON form of this report has all of them."),
            ("Verify", "analytics report verify FILE, with FILE.proof.json beside it"),
        ]
        _text(sheet, 0, 0, document.title, self._title)
        _text(sheet, 1, 0, document.description, self._quiet)
        line = 3
        for name, value in facts:
            _text(sheet, line, 0, name, self._named)
            _text(sheet, line, 1, value, self._wrapped)
            line += 1
        for place, head in enumerate(("Section", "What it shows", "Rows", "Query", "Version")):
            _text(sheet, line + 1, place, head, self._head)
        for section, name in zip(document.sections, names, strict=True):
            self._write_section_line(sheet, line + 2, section, name)
            line += 1

    def _write_section_line(self, sheet: Any, line: int, section: Section, name: str) -> None:
        sheet.write_url(line, 0, f"internal:'{name.replace(chr(39), chr(39) * 2)}'!A1", string=name)
        _text(sheet, line, 1, section.problem or section.sentence, self._wrapped)
        sheet.write_number(line, 2, len(section.rows))
        _text(sheet, line, 3, section.query)
        sheet.write_number(line, 4, section.definition_version)

    def _write_section(self, section: Section, name: str) -> None:
        rows = iter(plain_rows(section.rows))
        first = list(islice(rows, LOOKED_AT))
        if section.problem or not first:
            sheet = self._begun(section, name)
            _text(sheet, HEAD, 0, section.problem or "There is nothing to show for this period.")
            return
        columns = columns_of(section.query, first)
        rows, part = chain(first, rows), 1
        while True:
            sheet = self._begun(section, name, columns, part)
            last = self._write_rows(sheet, columns, rows)
            if part == 1:
                self._draw(sheet, section, _Sheet(name, columns, HEAD + 1, last), first)
            following = next(rows, None)
            if following is None:
                if part == 1 and self._document.can_pivot and self._pivot is None:
                    self._pivot = _pivot_of(section, _Sheet(name, columns, HEAD + 1, last))
                return
            rows, part = chain((following,), rows), part + 1
            name = self._free_name(section.title)

    def _begun(self, section: Section, name: str, columns: Sequence[Column] = (), part: int = 1) -> Any:
        sheet = self._book.add_worksheet(name)
        for place, column in enumerate(columns):
            sheet.set_column(place, place, _width(column), self._cells.get(column.kind))
        _text(
            sheet,
            0,
            0,
            section.title + (f" (part {part}, goes on from the sheet before)" if part > 1 else ""),
            self._title,
        )
        _text(sheet, 1, 0, section.sentence, self._quiet)
        params = ", ".join(f"{key} = {value}" for key, value in section.params.items())
        _text(
            sheet,
            2,
            0,
            f"{section.query}, version {section.definition_version}" + (f"; {params}" if params else ""),
            self._quiet,
        )
        for place, column in enumerate(columns):
            _text(sheet, HEAD, place, column.label or "Name", self._head)
        if columns:
            sheet.freeze_panes(HEAD + 1, 1)
        return sheet

    def _write_rows(self, sheet: Any, columns: Sequence[Column], rows: Iterator[Mapping[str, Any]]) -> int:
        """As many as a sheet has room for; the line of the last one."""
        writers = [(place, column.name, self._writer(column)) for place, column in enumerate(columns)]
        line = HEAD
        for line, row in enumerate(islice(rows, MOST_ROWS - HEAD - 1), HEAD + 1):
            for place, name, write in writers:
                value = row.get(name)
                if value is not None:
                    write(sheet, line, place, value if name not in _OF_UNITS else (value, row))
        return line

    def _writer(self, column: Column) -> Write:
        """How cells of this column are written."""
        cells = self._cells
        if column.name in _OF_UNITS:
            return lambda sheet, line, place, pair: _number(
                sheet, line, place, pair[0], cells.get(unit_kind(pair[1]["unit"]) if "unit" in pair[1] else column.kind)
            )
        if column.name == "key":
            return lambda sheet, line, place, key: _text(
                sheet, line, place, METRICS[key].title if key in METRICS else label(str(key))
            )
        if column.numeric:
            form = cells.get(column.kind)
            return lambda sheet, line, place, value: _number(sheet, line, place, value, form)
        if column.kind == DAY:
            return lambda sheet, line, place, value: sheet.write_datetime(
                line, place, date.fromisoformat(value), cells[DAY]
            )
        if column.kind == MOMENT:
            zone = ZoneInfo(self._document.calendar["time_zone"])
            return lambda sheet, line, place, value: sheet.write_datetime(
                line, place, datetime.fromisoformat(value).astimezone(zone).replace(tzinfo=None), cells[MOMENT]
            )
        if column.kind == WEEKDAY:
            return lambda sheet, line, place, value: _text(sheet, line, place, self._formats.weekdays[value])
        return _cell

    def _draw(self, sheet: Any, section: Section, of: _Sheet, rows: Sequence[Mapping[str, Any]]) -> None:
        """A chart of the sheet's own cells, beside them; a heat map colours the cells themselves."""
        shape = shape_of(section.query, rows)
        places = {column.name: place for place, column in enumerate(of.columns)}
        if shape is None or shape.along not in places or not set(shape.measures) <= places.keys():
            return
        if section.chart == "heat_map":
            for name in shape.measures:
                sheet.conditional_format(of.first, places[name], of.last, places[name], {"type": "3_color_scale"})
            return
        if section.chart not in CHARTS or shape.series or of.last - of.first >= MOST_CHARTED:
            return
        measures = [name for name in SIDE_BY_SIDE.get(section.query, shape.measures) if name in places]
        chart = self._book.add_chart({"type": CHARTS[section.chart]})
        for name in measures:
            along = [of.name, of.first, places[shape.along], of.last, places[shape.along]]
            values = [of.name, of.first, places[name], of.last, places[name]]
            chart.add_series({"name": label(name), "categories": along, "values": values})
        chart.set_title({"name": section.title, "name_font": {"size": 12, "bold": False}})
        chart.set_size({"width": 640, "height": 320})
        if section.chart == "bar" or section.chart == "funnel":
            chart.set_y_axis({"reverse": True})
        if len(measures) == 1:
            chart.set_legend({"none": section.chart != "pie"})
        sheet.insert_chart(HEAD, len(of.columns) + 1, chart)


def _pivot_of(section: Section, of: _Sheet) -> tuple[Pivot, Source] | None:
    pivot = pivot_of(section.title, of.columns, list(plain_rows(section.rows)))
    whole = xl_range(HEAD, 0, of.last, len(of.columns) - 1)
    return pivot and (pivot, Source(of.name, whole))


_OF_UNITS = frozenset({"value", "previous", "change"})  # of rows that may name a unit of their own


def _width(column: Column) -> float:
    least = {MOMENT: 19.0, DAY: 11.0, MONEY: 15.0}.get(column.kind, 11.0 if column.numeric else 18.0)
    return min(WIDEST, max(least, len(column.label) * 0.75 + 2))


def _number(sheet: Any, line: int, place: int, value: Any, form: Any = None) -> None:
    sheet.write_number(line, place, float(value) if isinstance(value, str) else value, form)


def _text(sheet: Any, line: int, place: int, text: str, form: Any = None) -> None:
    """A text as it is, cut with a mark where a cell has not room for it."""
    if len(text) > MOST_TEXT:
        mark = f"… [cut: {len(text):,} characters]"
        text = text[: MOST_TEXT - len(mark)] + mark
    sheet.write_string(line, place, text, form)


def _cell(sheet: Any, line: int, place: int, value: Any) -> None:
    """A cell of a column of texts: yes and no, numbers that are names, lists and objects as JSON."""
    if isinstance(value, bool):
        _text(sheet, line, place, "yes" if value else "no")
    elif isinstance(value, int | float):
        sheet.write_number(line, place, value)
    else:
        _text(sheet, line, place, value if isinstance(value, str) else msgspec.json.encode(value).decode())
