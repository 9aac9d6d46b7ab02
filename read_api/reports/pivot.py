"""A real pivot table in a workbook: two texts of a section's rows against each other, and the sum of what adds up.

`xlsxwriter` has none, so its parts are added to the finished file: the cache says where its rows stand and is filled
when the workbook is opened, the table says what stands where. Its cells are computed as well, for those who only look.
Form: ECMA-376, part 1, 18.10.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import product
from typing import Any, NamedTuple
from xml.sax.saxutils import quoteattr

from read_api.charts.columns import COUNT, MONEY, TEXT
from read_api.web.tables import Column

MOST_DOWN, MOST_ACROSS = 500, 20  # values of the texts
ADDS_UP = ("total_pnl", "pnl", "amount", "total_trades", "count", "users", "events")  # the first that there is
CURRENCY = "currency"  # across, where there are several: amounts of two add up to nothing
SHEET = "Pivot"
TOP = 3  # line (from 1) at which the table begins
TOTAL = "Grand Total"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
CONTENT = "application/vnd.openxmlformats-officedocument.spreadsheetml"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
CACHE, TABLE = "pivotCache/pivotCacheDefinition1.xml", "pivotTables/pivotTable1.xml"
EARLIEST = (1980, 1, 1, 0, 0, 0)  # of all parts, so that the same workbook has the same bytes


class Pivot(NamedTuple):
    """What stands against what: places of the columns down, across and summed up, and their values in order.

    `cells`: sums by values down and across, None for all of them. `title`: of the section.
    """

    title: str
    columns: Sequence[Column]
    down: int
    across: int
    measure: int
    downs: Sequence[str]
    acrosses: Sequence[str]
    cells: Mapping[tuple[str | None, str | None], Decimal]


class Source(NamedTuple):
    """Where the rows stand: the name of their sheet, and its range with the line of names."""

    sheet: str
    range: str


def pivot_of(title: str, columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> Pivot | None:
    """The pivot of these rows; None where no two texts can stand against each other, or nothing adds up."""
    labels = [column.label for column in columns]
    if not all(labels) or len({each.lower() for each in labels}) < len(labels):
        return None
    names = [column.name for column in columns]
    measure = next((names.index(each) for each in ADDS_UP if each in names and _adds_up(columns, names, each)), None)
    texts = {place: values for place, column in enumerate(columns) if (values := _values(column, rows)) is not None}
    currency = names.index(CURRENCY) if CURRENCY in names else None
    downs = [place for place, values in texts.items() if place != currency and 2 <= len(values) <= MOST_DOWN]
    several = currency is not None and len(texts.get(currency, ())) > 1
    others = [place for place in downs[1:] if len(texts[place]) <= MOST_ACROSS]
    across = currency if several else next(iter(others), None)
    if measure is None or not downs or across is None:
        return None
    cells: dict[tuple[str | None, str | None], Decimal] = {}
    for row in rows:
        value = Decimal(str(row.get(names[measure]) or 0))
        for at in product((row[names[downs[0]]], None), (row[names[across]], None)):
            cells[at] = cells.get(at, Decimal(0)) + value
    return Pivot(title, columns, downs[0], across, measure, texts[downs[0]], texts[across], cells)


def _adds_up(columns: Sequence[Column], names: Sequence[str], name: str) -> bool:
    return columns[names.index(name)].kind in (COUNT, MONEY)


def _values(column: Column, rows: Sequence[Mapping[str, Any]]) -> Sequence[str] | None:
    """Its values in order, where all of them are short texts."""
    if column.kind != TEXT:
        return None
    values = {row.get(column.name) for row in rows}
    if all(isinstance(value, str) and 0 < len(value) <= 255 and value.isprintable() for value in values):
        return sorted(map(str, values), key=str.casefold)
    return None


def write_cells(sheet: Any, pivot: Pivot, text: Callable[[int, int, str], None]) -> None:
    """The cells as the table shows them; `text` writes one."""
    columns, line = pivot.columns, TOP - 1
    text(0, 0, f"{pivot.title}: {columns[pivot.down].label} by {columns[pivot.across].label}")
    text(line, 0, f"Sum of {columns[pivot.measure].label}")
    text(line, 1, columns[pivot.across].label)
    text(line + 1, 0, columns[pivot.down].label)
    downs, acrosses = (*pivot.downs, None), (*pivot.acrosses, None)
    for place, across in enumerate(acrosses, 1):
        text(line + 1, place, TOTAL if across is None else across)
    for row, down in enumerate(downs, line + 2):
        text(row, 0, TOTAL if down is None else down)
        for place, across in enumerate(acrosses, 1):
            if (value := pivot.cells.get((down, across))) is not None:
                sheet.write_number(row, place, float(value))


def with_pivot(workbook: bytes, pivot: Pivot, source: Source, sheet_number: int) -> bytes:
    """The workbook with the table laid over the cells of its sheet of that number (from 1)."""
    parts = {
        f"xl/{CACHE}": _cache(pivot, source),
        f"xl/{TABLE}": _table(pivot),
        "xl/pivotTables/_rels/pivotTable1.xml.rels": _relations("pivotCacheDefinition", f"../{CACHE}"),
        f"xl/worksheets/_rels/sheet{sheet_number}.xml.rels": _relations("pivotTable", f"../{TABLE}"),
    }
    changes: dict[str, Callable[[str], str]] = {
        "[Content_Types].xml": lambda text: text.replace("</Types>", f"{_types()}</Types>"),
        "xl/_rels/workbook.xml.rels": lambda text: text.replace("</Relationships>", f"{_to_cache()}</Relationships>"),
        "xl/workbook.xml": lambda text: text.replace("</workbook>", f"{_CACHES}</workbook>"),
    }
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            with new.open(_part(name), "w") as target, old.open(name) as part:
                if name in changes:
                    target.write(changes[name](part.read().decode()).encode())
                else:
                    while piece := part.read(1 << 20):
                        target.write(piece)
        for name, text in parts.items():
            new.writestr(_part(name), (HEAD + text).encode())
    return file.getvalue()


def _part(name: str) -> zipfile.ZipInfo:
    part = zipfile.ZipInfo(name, EARLIEST)
    part.compress_type, part.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
    return part


_CACHES = '<pivotCaches><pivotCache cacheId="1" r:id="rIdPivot1"/></pivotCaches>'


def _types() -> str:
    kinds = ((CACHE, "pivotCacheDefinition"), (TABLE, "pivotTable"))
    return "".join(f'<Override PartName="/xl/{name}" ContentType="{CONTENT}.{kind}+xml"/>' for name, kind in kinds)


def _to_cache() -> str:
    return f'<Relationship Id="rIdPivot1" Type="{RELATIONS}/pivotCacheDefinition" Target="{CACHE}"/>'


def _relations(kind: str, target: str) -> str:
    one = f'<Relationship Id="rId1" Type="{RELATIONS}/{kind}" Target="{target}"/>'
    return f'<Relationships xmlns="{PACKAGE}">{one}</Relationships>'


def _cache(pivot: Pivot, source: Source) -> str:
    fields = "".join(
        f'<cacheField name={quoteattr(column.label)} numFmtId="0">{_items(pivot, place)}</cacheField>'
        for place, column in enumerate(pivot.columns)
    )
    return (
        f'<pivotCacheDefinition xmlns="{MAIN}" xmlns:r="{RELATIONS}" saveData="0" refreshOnLoad="1"'
        ' createdVersion="6" refreshedVersion="6" minRefreshableVersion="3" recordCount="0">'
        f'<cacheSource type="worksheet"><worksheetSource ref="{source.range}" sheet={quoteattr(source.sheet)}/>'
        f'</cacheSource><cacheFields count="{len(pivot.columns)}">{fields}</cacheFields></pivotCacheDefinition>'
    )


def _items(pivot: Pivot, place: int) -> str:
    values = {pivot.down: pivot.downs, pivot.across: pivot.acrosses}.get(place)
    if values is None:
        return "<sharedItems/>"
    return f'<sharedItems count="{len(values)}">{"".join(f"<s v={quoteattr(v)}/>" for v in values)}</sharedItems>'


def _table(pivot: Pivot) -> str:
    last = f"{_letters(len(pivot.acrosses) + 1)}{TOP + 2 + len(pivot.downs)}"
    summed = pivot.columns[pivot.measure].label
    fields = "".join(_field(pivot, place) for place in range(len(pivot.columns)))
    return (
        f'<pivotTableDefinition xmlns="{MAIN}" name="PivotTable1" cacheId="1" dataCaption="Values"'
        ' applyNumberFormats="0" applyBorderFormats="0" applyFontFormats="0" applyPatternFormats="0"'
        ' applyAlignmentFormats="0" applyWidthHeightFormats="1" updatedVersion="6" minRefreshableVersion="3"'
        ' createdVersion="6" useAutoFormatting="1" itemPrintTitles="1" indent="0" compact="0" compactData="0"'
        f" rowHeaderCaption={quoteattr(pivot.columns[pivot.down].label)}"
        f" colHeaderCaption={quoteattr(pivot.columns[pivot.across].label)}>"
        f'<location ref="A{TOP}:{last}" firstHeaderRow="1" firstDataRow="2" firstDataCol="1"/>'
        f'<pivotFields count="{len(pivot.columns)}">{fields}</pivotFields>'
        f'<rowFields count="1"><field x="{pivot.down}"/></rowFields>{_lines("rowItems", len(pivot.downs))}'
        f'<colFields count="1"><field x="{pivot.across}"/></colFields>{_lines("colItems", len(pivot.acrosses))}'
        f'<dataFields count="1"><dataField name={quoteattr(f"Sum of {summed}")} fld="{pivot.measure}" baseField="0"'
        ' baseItem="0"/></dataFields><pivotTableStyleInfo name="PivotStyleLight16" showRowHeaders="1"'
        ' showColHeaders="1" showRowStripes="0" showColStripes="0" showLastColumn="1"/></pivotTableDefinition>'
    )


def _field(pivot: Pivot, place: int) -> str:
    plain = 'compact="0" outline="0" showAll="0"'
    if place == pivot.measure:
        return f'<pivotField dataField="1" {plain}/>'
    axis = {pivot.down: ("axisRow", pivot.downs), pivot.across: ("axisCol", pivot.acrosses)}.get(place)
    if axis is None:
        return f"<pivotField {plain}/>"
    items = "".join(f'<item x="{number}"/>' for number in range(len(axis[1]))) + '<item t="default"/>'
    whole = f'<items count="{len(axis[1]) + 1}">{items}</items>'
    return f'<pivotField axis="{axis[0]}" {plain}>{whole}</pivotField>'


def _lines(name: str, count: int) -> str:
    items = "".join(f'<i><x v="{number}"/></i>' if number else "<i><x/></i>" for number in range(count))
    return f'<{name} count="{count + 1}">{items}<i t="grand"><x/></i></{name}>'


def _letters(number: int) -> str:
    """The name of a column, from 1."""
    text = ""
    while number:
        number, place = divmod(number - 1, 26)
        text = chr(65 + place) + text
    return text
