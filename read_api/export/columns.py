"""Rows as PostgreSQL copies them (CSV), as columns, and these as answers show them.

All that is of many rows happens in Polars and PyArrow: a row has a few microseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec
import polars as pl
import pyarrow as pa
from pyarrow import csv

from domain.decimals import PLACES
from projections.engine.declare.merge_rules import (
    Count,
    Day,
    Flag,
    Json,
    Kind,
    Labels,
    Moment,
    Money,
    Number,
    Small,
    Text,
    Twelfths,
)
from projections.engine.query.formatting import document, labels, twelfths
from projections.engine.query.plain import Shown
from read_api.export.tables import FORMULA

DECIMAL = pa.decimal128(38, PLACES)
# As they are read; whole trillionths are decimals of the grid, without a computation.
STORED: Mapping[type[Kind], pa.DataType] = MappingProxyType(
    {
        Text: pa.string(),
        Small: pa.int64(),
        Count: pa.int64(),
        Flag: pa.string(),
        Money: pa.decimal128(38, 0),
        Number: pa.decimal128(38, 0),
        Twelfths: pa.string(),
        Moment: pa.timestamp("ms", "UTC"),
        Day: pa.date32(),
    }
)


READ: Mapping[type[Kind], Callable[[Any], Any] | None] = MappingProxyType({Json: document, Labels: labels, Kind: None})


def frame_of(rows: bytes, columns: Sequence[Shown]) -> pl.DataFrame:
    """Whole lines of CSV as columns: amounts are decimals, measures floats; lists and documents are as stored."""
    names = [column.name for column in columns]
    if not rows:
        empty = [pa.array([], _of_kind(STORED, column.kind)) for column in columns]
        return _frame([pa.chunked_array([each]) for each in empty], columns)
    read = csv.read_csv(
        pa.BufferReader(rows),
        csv.ReadOptions(column_names=names, block_size=len(rows) + 1),
        csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        csv.ConvertOptions(
            column_types={column.name: _of_kind(STORED, column.kind) for column in columns},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    return _frame(read.columns, columns)


def as_csv(frame: pl.DataFrame, columns: Sequence[Shown]) -> bytes:
    """Lines of CSV, in which no text is taken for a formula."""
    cells = frame.select(_cell(column) for column in columns)
    return cells.write_csv(include_header=False, line_terminator="\r\n").encode()


def as_rows(frame: pl.DataFrame, columns: Sequence[Shown]) -> list[dict[str, Any]]:
    """Rows as answers have them."""
    reads = {column.name: _of_kind(READ, column.kind) for column in columns}
    rows = frame.select(_as_shown(column) for column in columns).to_dicts()
    for row in rows:
        row |= {name: read(row[name]) for name, read in reads.items() if read is not None and row[name] is not None}
    return rows


def as_table(frame: pl.DataFrame, columns: Sequence[Shown]) -> pa.Table:
    """Columns of their own types: lists as lists, documents as text."""
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    for place, column in enumerate(columns):
        if issubclass(column.kind, Labels):
            table = table.set_column(place, column.name, _by_value(table[column.name], labels, pa.list_(pa.string())))
    return table


def _frame(read: Sequence[pa.ChunkedArray], columns: Sequence[Shown]) -> pl.DataFrame:
    found: Any = pl.from_arrow(pa.table([_on_the_grid(each) for each in read], [column.name for column in columns]))
    typed: pl.DataFrame = found.select(_typed(column) for column in columns)
    return typed


def _of_kind(table: Mapping[type[Kind], Any], kind: type[Kind]) -> Any:
    """What a table says of the kind, or of the nearest one that it is one of."""
    return next(table[each] for each in kind.__mro__ if each in table)


def _on_the_grid(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole trillionths as what they are: the same bytes."""
    if column.type != STORED[Money]:
        return column
    chunks = [pa.Array.from_buffers(DECIMAL, len(c), c.buffers(), c.null_count, c.offset) for c in column.chunks]
    return pa.chunked_array(chunks, DECIMAL)


def _typed(column: Shown) -> pl.Expr:
    cells, kind = pl.col(column.name), column.kind
    if issubclass(kind, Number):
        return cells.cast(pl.String).cast(pl.Float64)  # by its digits: halfway through a float it would be another one
    if issubclass(kind, Flag):
        return cells == "t"
    if issubclass(kind, Json):
        return pl.when(cells != "null").then(cells).alias(column.name)
    if issubclass(kind, Twelfths):
        return cells.map_elements(lambda text: twelfths(int(text)), pl.String)
    return cells


def _by_value(cells: pa.ChunkedArray, show: Callable[[str], Any], kind: pa.DataType) -> pa.ChunkedArray:
    """What each text comes to; the same text is looked at once."""
    coded = cells.combine_chunks().dictionary_encode()
    return pa.chunked_array([pa.array(map(show, coded.dictionary.to_pylist()), kind).take(coded.indices)])


def _as_json(texts: pl.Series) -> pl.Series:
    values = _by_value(
        pa.chunked_array([texts.to_arrow()]), lambda text: msgspec.json.encode(labels(text)).decode(), pa.string()
    )
    return pl.Series(texts.name, values)


def _as_shown(column: Shown) -> pl.Expr:
    cells, kind = pl.col(column.name), column.kind
    if issubclass(kind, Money):
        return cells.cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")
    if issubclass(kind, Moment):
        whole, rest = cells.dt.strftime("%Y-%m-%dT%H:%M:%S"), cells.dt.millisecond()
        exact = pl.concat_str(whole, pl.lit("."), rest.cast(pl.String).str.zfill(3), pl.lit("Z"))
        return pl.when(rest == 0).then(whole + "Z").otherwise(exact).alias(column.name)
    if issubclass(kind, Day):
        return cells.cast(pl.String)
    return cells


def _cell(column: Shown) -> pl.Expr:
    cells, kind = _as_shown(column), column.kind
    if issubclass(kind, Labels):
        return cells.map_batches(_as_json, pl.String)
    if not issubclass(kind, Text) or issubclass(kind, Json):  # a document begins with a bracket
        return cells
    formula = cells.str.head(1).is_in(FORMULA) & ~cells.str.contains(r"^-?\d+(\.\d+)?$")
    return pl.when(formula).then(pl.lit("'") + cells).otherwise(cells).alias(column.name)
