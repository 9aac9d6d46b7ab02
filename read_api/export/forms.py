"""Forms of a file of all rows: each takes them a piece at a time, and holds no more than that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Protocol

import msgspec
import pyarrow as pa
from pyarrow import parquet

from projections.engine.declare.merge_rules import Money, Twelfths
from projections.engine.query.plain import Shown
from read_api.export.columns import as_csv, as_rows, as_table, frame_of
from read_api.export.tables import MADE_AT, harmless, write_cell

MOST_ROWS = 1_048_576  # of a sheet


class Sink(Protocol):
    """What a file is written to."""

    def write(self, content: bytes, /) -> int:
        """Add bytes; how many."""
        ...


class RowWriter(Protocol):
    """Writes a file, once."""

    def write(self, rows: bytes) -> None:
        """Add these rows, whole lines of CSV as PostgreSQL copies them."""
        ...

    def end(self) -> None:
        """Nothing follows."""
        ...


class Csv:
    """CSV (RFC 4180) with the names of columns before it."""

    def __init__(self, file: Sink, columns: Sequence[Shown]) -> None:
        self._file, self._columns = file, columns
        file.write(",".join(str(harmless(column.name)) for column in columns).encode() + b"\r\n")

    def write(self, rows: bytes) -> None:
        """Add rows."""
        self._file.write(as_csv(frame_of(rows, self._columns), self._columns))

    def end(self) -> None:
        """Nothing is missing."""


class NdJson:
    """A line of JSON for each row, as answers have it."""

    def __init__(self, file: Sink, columns: Sequence[Shown]) -> None:
        self._file, self._columns = file, columns

    def write(self, rows: bytes) -> None:
        """Add rows."""
        found = as_rows(frame_of(rows, self._columns), self._columns)
        self._file.write(b"".join(msgspec.json.encode(row) + b"\n" for row in found))

    def end(self) -> None:
        """Nothing is missing."""


class Columnar:
    """Batches of columns: amounts are decimals, times have their zone. `open_file`: what writes tables of a schema."""

    def __init__(self, file: Sink, columns: Sequence[Shown], *, open_file: Callable[[Sink, pa.Schema], Any]) -> None:
        self._columns = columns
        self._schema = as_table(frame_of(b"", columns), columns).schema
        self._writer = open_file(file, self._schema)

    def write(self, rows: bytes) -> None:
        """Add rows."""
        self._writer.write_table(as_table(frame_of(rows, self._columns), self._columns).cast(self._schema))

    def end(self) -> None:
        """Write what stands at the end."""
        self._writer.close()


class Excel:
    """A workbook: a sheet, and another one where the rows are more than a sheet has."""

    def __init__(self, file: Sink, columns: Sequence[Shown]) -> None:
        import xlsxwriter

        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        self._book, self._columns = xlsxwriter.Workbook(file, options), columns
        self._book.set_properties({"created": MADE_AT.replace(tzinfo=None)})
        self._amounts = [issubclass(column.kind, (Money, Twelfths)) for column in columns]
        self._sheet: Any = None
        self._line = MOST_ROWS

    def _begin(self) -> None:
        self._sheet, self._line = self._book.add_worksheet(), 1
        for place, column in enumerate(self._columns):
            self._sheet.write_string(0, place, column.name)

    def write(self, rows: bytes) -> None:
        """Add rows."""
        for row in as_rows(frame_of(rows, self._columns), self._columns):
            if self._line == MOST_ROWS:
                self._begin()
            for place, (value, amount) in enumerate(zip(row.values(), self._amounts, strict=True)):
                if type(value) is str and not amount:  # an id of digits alone is none the less a text
                    self._sheet.write_string(self._line, place, value)
                elif value is not None:
                    write_cell(self._sheet, self._line, place, value)
            self._line += 1

    def end(self) -> None:
        """Write the file: until now its sheets are in temporary ones."""
        if self._sheet is None:
            self._begin()
        self._book.close()


FORMS: Mapping[str, Callable[[Sink, Sequence[Shown]], RowWriter]] = MappingProxyType(
    {
        "csv": Csv,
        "ndjson": NdJson,
        "xlsx": Excel,
        "parquet": partial(Columnar, open_file=partial(parquet.ParquetWriter, compression="zstd")),
        "arrow": partial(Columnar, open_file=pa.ipc.new_stream),
    }
)
