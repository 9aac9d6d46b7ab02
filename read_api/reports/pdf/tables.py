"""Tables of any length: a row costs a tenth of a millisecond and not the six that it would cost as HTML.

Their heads are repeated on each page. What is too wide for its column is broken into lines; columns that do not fit
side by side go on in a table below, which begins with the same first column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import islice
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import LongTable, Paragraph, Spacer, TableStyle
from reportlab.platypus.flowables import Flowable

from read_api.reports.pdf import fonts
from read_api.web.tables import Cell, Column, Table

SIZE = 7.5  # points
LEADING = 10.0
PADDING, ABOVE, BELOW = 4.0, 2.5, 3.0  # left and right of a text, above and below it
MEASURED = 400  # rows at most, to see how wide columns are
MOST_ROWS = 48  # two more than fit on a page
LEAST, MOST = 30.0, 150.0  # width of a column
INK, QUIET, LINE = HexColor("#16191f"), HexColor("#59616e"), HexColor("#d5d9e0")


def tables(table: Table, width: float, colour: str) -> list[Flowable]:
    """The table, in as many as its columns need."""
    widths = _widths(table)
    found: list[Flowable] = []
    for places in _side_by_side(widths, width):
        if found:
            found.append(Spacer(1, 8))
        found.append(_Rows(_layout(table, places, [widths[place] for place in places], width, colour)))
    return found


def _widths(table: Table) -> list[float]:
    """As wide as the widest cell of the rows that are looked at, which lie all over the table, within limits."""
    rows = [*table.rows[:: len(table.rows) // MEASURED + 1], *table.rows[-1:]]
    return [
        min(MOST, max(LEAST, *(fonts.width(text, SIZE) for text in _texts(column, rows, place)))) + 2 * PADDING + 1
        for place, column in enumerate(table.columns)
    ]


def _texts(column: Column, rows: Sequence[Sequence[Cell]], place: int) -> Sequence[str]:
    longest = sorted({row[place].text for row in rows}, key=len)[-20:]
    heads = [word for word in fonts.clean(column.label).split(" ")]
    return [fonts.clean(text) for text in (*heads, *longest)] or [""]


def _side_by_side(widths: Sequence[float], most: float) -> list[list[int]]:
    """Which columns stand together: the first one leads each group."""
    groups, group, used = [], [0], widths[0]
    for place, width in enumerate(widths[1:], 1):
        if used + width > most and len(group) > 1:
            groups.append(group)
            group, used = [0], widths[0]
        group.append(place)
        used += width
    return [*groups, group]


@dataclass(frozen=True)
class _Layout:
    """Some columns of a table, as they stand side by side."""

    rows: Sequence[Sequence[Cell]]
    places: Sequence[int]
    widths: Sequence[float]
    heads: Sequence[Any]
    style: TableStyle

    def part(self, start: int) -> LongTable:
        """Its rows from one on: no more than may fit on a page."""
        cells = list(zip(self.places, self.widths, strict=True))
        rows = islice(self.rows, start, start + MOST_ROWS)
        body = [[_text(row[place].text, width) for place, width in cells] for row in rows]
        heights = [None, *map(_height, body)]
        return LongTable([self.heads, *body], self.widths, heights, repeatRows=1, style=self.style, hAlign="LEFT")


class _Rows(Flowable):
    """The rows of a layout from one on. To split a whole table would copy all that follows, page after page."""

    def __init__(self, layout: _Layout, start: int = 0) -> None:
        super().__init__()
        self._layout, self._start, self._part = layout, start, layout.part(start)

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Higher than there is room where more is left than was laid out."""
        wide, high = self._part.wrap(width, height)
        return wide, high if self._start + MOST_ROWS >= len(self._layout.rows) else max(high, height + 1)

    def split(self, width: float, height: float) -> list[Flowable]:
        """What fits, and the rest; nothing where not one row does."""
        parts = self._part.split(width, height)
        if not parts:
            return []
        end = self._start + len(parts[0]._cellvalues) - 1
        return [parts[0], _Rows(self._layout, end)] if end < len(self._layout.rows) else parts[:1]

    def draw(self) -> None:
        """All that is left, which fits."""
        self._part.drawOn(self.canv, 0, 0)


def _layout(table: Table, places: Sequence[int], widths: Sequence[float], most: float, colour: str) -> _Layout:
    scale = min(1.0, most / sum(widths))
    widths = [width * scale for width in widths]
    columns = [table.columns[place] for place in places]
    heads = [_text(column.label, width) for column, width in zip(columns, widths, strict=True)]
    right = [("ALIGN", (place, 0), (place, -1), "RIGHT") for place, column in enumerate(columns) if column.numeric]
    style = TableStyle([*STYLE, *right, ("LINEBELOW", (0, 0), (-1, 0), 1.0, HexColor(colour))])
    return _Layout(table.rows, places, widths, heads, style)


def _text(text: str, width: float) -> Any:
    """A cell: a string, with line ends where it is too wide; a paragraph where several fonts are needed."""
    text = fonts.clean(text)
    if fonts.is_plain(text):
        room = width - 2 * PADDING
        short = len(text) * SIZE * 0.45 < room and fonts.width(text, SIZE) <= room
        return text if short else "\n".join(fonts.lines(text, SIZE, room))
    broken = fonts.lines(fonts.shaped(text), SIZE, width - 2 * PADDING)
    return Paragraph("<br/>".join(_markup(fonts.visual(line)) for line in broken), CELL)


def _height(cells: Sequence[Any]) -> float | None:
    """Of a row, as ReportLab would find it; None where it has to, since a cell is a paragraph."""
    if not all(isinstance(cell, str) for cell in cells):
        return None
    breaks = max(str(cell).count("\n") for cell in cells)
    return LEADING * (1 + breaks) + ABOVE + BELOW


def _markup(line: str) -> str:
    return "".join(f'<font face="{run.face}">{escape(run.text)}</font>' for run in fonts.runs(line))


CELL = ParagraphStyle("cell", fontName=fonts.BASE, fontSize=SIZE, leading=LEADING, textColor=INK)
STYLE = (
    ("FONT", (0, 0), (-1, -1), fonts.BASE, SIZE, LEADING),
    ("TEXTCOLOR", (0, 0), (-1, -1), INK),
    ("TEXTCOLOR", (0, 0), (-1, 0), QUIET),
    ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
    ("VALIGN", (0, 1), (-1, -1), "TOP"),
    ("LINEBELOW", (0, 1), (-1, -1), 0.25, LINE),
    ("LEFTPADDING", (0, 0), (-1, -1), PADDING),
    ("RIGHTPADDING", (0, 0), (-1, -1), PADDING),
    ("TOPPADDING", (0, 0), (-1, -1), ABOVE),
    ("BOTTOMPADDING", (0, 0), (-1, -1), BELOW),
)
