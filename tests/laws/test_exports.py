"""The law of exports: a file of all rows says what the query says, row for row, in every form.

A query that lists a table enters by itself. The company is one of which every query has something to tell, and texts of
it are odd: what spreadsheets would run, quotes, line ends, letters of all kinds, nothing.
"""

from __future__ import annotations

import csv
import functools
import io
import json
import re
import zipfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import msgspec
import polars as pl
import pytest

from adapters.postgres.read_models.read_store import Statement
from adapters.postgres.read_models.row_copy import copied
from domain.decimals import ONE
from eventlog.publish.builders import payment, trading_result
from projections.engine.declare.merge_rules import Money, Twelfths
from projections.engine.declare.registry import all_queries
from projections.engine.query.ask import answer, find, read_by_calendar
from projections.engine.query.asked_at import AskedAt
from projections.engine.query.formatting import show_time
from projections.engine.query.plain import Whole
from projections.engine.query.request import Question, Request
from read_api.export.forms import FORMS
from read_api.export.tables import harmless
from tests.laws.busy_company import busy_company
from tests.projections.harness import COMPANY, ReadModels

MOMENT = datetime(2025, 3, 25, 12, tzinfo=UTC)
WHOLE = sorted(name for name, (_, query) in all_queries().items() if query.whole is not None)
ODD = [
    "=1+1",
    "-1",
    '@"quoted", and\r\nmore',
    "",
    " ",
    "\t",
    "日本語",
    "ü\u2028",
    "'",
    "a,b",
    "1e5",
    "null",
    "\x1fa\x1eb",
    "007",
]
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"  # the namespace of its elements
ESCAPED = re.compile("_x([0-9A-F]{4})_")  # what XML has no letter for
Rows = Sequence[Mapping[str, Any]]


def _odd_events() -> Sequence[Any]:
    at = int(MOMENT.timestamp() * 1000) - 86_400_000
    sizes = [1e-12, 123_456_789.123456, 1e15, 0.1, 1 / 3, -0.00000843]
    of: dict[str, Any] = {"company_id": COMPANY, "side": "long", "quantity": 1.0, "entry_price": 1.0, "fees": 0.0}
    trades = [
        trading_result(
            user_id="odd", account_id="a", trade_id=f"odd{number}", symbol="A", strategy=text, tags=[text, "plain"],
            exit_price=1.0, pnl=sizes[number % len(sizes)], closed_at=at + number, timestamp=at, **of,
        )
        for number, text in enumerate(ODD)
    ]  # fmt: skip
    invoices = [
        payment(
            invoice_id=f"i{text}", payment_id=f"p{text}", customer_id="c", kind="failed", amount=size, currency="JPY",
            timestamp=at, company_id=COMPANY,
        )
        for text, size in zip(ODD, sizes[:5] * 3, strict=False)
    ]  # fmt: skip
    return [*trades, *invoices]


def _whole(name: str) -> Whole:
    whole = find(name)[1].whole
    assert whole is not None
    return whole


class Exported:
    """A query's file in a form, and the rows that its answer has."""

    def __init__(self, url: str, models: ReadModels) -> None:
        self._url, self._models = url, models

    async def file(self, name: str, form: str, **params: str) -> bytes:
        """As it is written."""
        (projection, query), whole = find(name), _whole(name)
        request = await read_by_calendar(query, Question(name, COMPANY, params, MOMENT), self._models.reads)
        statement, file = whole.everything(request), io.BytesIO()
        asked = Statement(COMPANY, projection.name, statement.sql, statement.params)
        with copied(self._url, asked, 60.0) as rows:
            writer, count = FORMS[form](file, whole.shown), 0
            for piece, lines in rows.pieces:
                writer.write(piece)
                count += lines
            writer.end()
        return file.getvalue()

    async def rows(self, name: str, **params: str) -> Rows:
        """All pages of the answer."""
        rows: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            more = {"cursor": cursor} if cursor else {}
            found = await answer(Question(name, COMPANY, {**params, **more}, MOMENT), self._models.reads)
            rows += found["rows"]
            cursor = found["next_cursor"]
        answered: Rows = json.loads(msgspec.json.encode(rows))
        return answered


@pytest.fixture
async def exported(database_url: str) -> AsyncIterator[Exported]:
    """Files and answers of a busy company with odd texts."""
    models = ReadModels(database_url)
    await models.reads.open()
    try:
        models.given([*busy_company(), *_odd_events()])
        yield Exported(database_url, models)
    finally:
        await models.close()


def _sorted(rows: Rows) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True, ensure_ascii=False) for row in rows)


async def test_a_file_says_what_the_answer_says(exported: Exported) -> None:
    """Of every table, in every form that programs read; and in CSV nothing is run."""
    for name in WHOLE:
        rows = await exported.rows(name)
        assert rows or name == "report_schedules", name
        lines = (await exported.file(name, "ndjson")).decode().split("\n")[:-1]
        assert _sorted([json.loads(line) for line in lines]) == _sorted(rows), name
        content = (await exported.file(name, "csv")).decode()
        cells = list(csv.reader(io.StringIO(content, newline="")))
        columns = [column.name for column in _whole(name).shown]
        expected = [[_text(harmless(row[column])) for column in columns] for row in rows]
        assert cells[0] == columns
        assert sorted(_floats(line) for line in cells[1:]) == sorted(_floats(line) for line in expected), name
        assert not any(cell.startswith(("=", "+", "@", "\t", "\r")) for line in cells[1:] for cell in line), name
        values = _sorted([{key: _comparable(value) for key, value in row.items()} for row in rows])
        for form, read in (("parquet", pl.read_parquet), ("arrow", pl.read_ipc_stream)):
            frame = read(io.BytesIO(await exported.file(name, form)))
            found = [{key: _answered(value) for key, value in row.items()} for row in frame.to_dicts()]
            assert _sorted(found) == values, (name, form)


async def test_a_workbook_says_what_the_answer_says(exported: Exported) -> None:
    """Of every table: amounts that a sheet's numbers have room for as numbers, ids of digits as text, nothing run."""
    for name in WHOLE:
        columns = {column.name: issubclass(column.kind, (Money, Twelfths)) for column in _whole(name).shown}
        lines: list[list[str | float]] = [list(columns)]
        for row in await exported.rows(name):
            lines.append([_of_sheet(row[column], amount) for column, amount in columns.items()])
        empty: list[str | float] = [""] * len(columns)
        found = [(cells + empty)[: len(columns)] for cells in _cells(await exported.file(name, "xlsx"))]
        assert sorted(map(repr, found)) == sorted(map(repr, lines)), name


def _of_sheet(value: Any, amount: bool) -> str | float:
    """What a cell has of a value of an answer."""
    if isinstance(value, dict | list):
        return msgspec.json.encode(value).decode()
    if value is None or isinstance(value, bool):
        return "" if value is None else float(value)
    if isinstance(value, int | float) or (amount and len(value) <= 15):
        return float(value)
    return str(value).replace("\r\n", "\n")


def _cells(workbook: bytes) -> Iterator[list[str | float]]:
    """The rows of the first sheet, read without a library; empty cells as empty texts."""
    with zipfile.ZipFile(io.BytesIO(workbook)) as files:
        sheet = ElementTree.fromstring(files.read("xl/worksheets/sheet1.xml"))
    assert not list(sheet.iter(f"{SHEET}f")), "a formula"
    for row in sheet.iter(f"{SHEET}row"):
        cells: list[str | float] = []
        for cell in row:
            place = functools.reduce(
                lambda sum, letter: sum * 26 + ord(letter) - 64, cell.attrib["r"].rstrip("0123456789"), 0
            )
            cells += [""] * (place - 1 - len(cells))
            number, text = cell.find(f"{SHEET}v"), cell.find(f"{SHEET}is/{SHEET}t")
            plain = ESCAPED.sub(lambda found: chr(int(found[1], 16)), text.text or "" if text is not None else "")
            cells.append(plain.replace("\r\n", "\n") if number is None else float(number.text or ""))
        yield cells


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell)


def _floats(cells: Sequence[str]) -> list[str]:
    """Numbers as Python writes them: 1e16 is 1e+16."""
    return [repr(float(cell)) if "e" in cell and cell[:1].isdigit() and _is_number(cell) else cell for cell in cells]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _answered(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(int(value * ONE))
    if isinstance(value, datetime):
        return show_time(value)
    return value.isoformat() if isinstance(value, date) else _comparable(value)


def _comparable(value: Any) -> Any:
    """Decimal texts by their size, so that 1.10 is 1.1; documents as text."""
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True)
    if isinstance(value, str):
        try:
            document = json.loads(value)
        except ValueError:
            return value
        if isinstance(document, dict | list):
            return json.dumps(document, sort_keys=True)
        return str(int(Decimal(value) * ONE)) if isinstance(document, int | float) and len(value) < 32 else value
    return value


async def test_filters_order_and_limit_hold(exported: Exported) -> None:
    """As the same parameters do of the answer."""
    asked = {"user_id": "odd", "order": "newest", "limit": "5"}
    lines = (await exported.file("trades", "ndjson", **asked)).decode().split("\n")[:-1]
    found = await answer(Question("trades", COMPANY, asked, MOMENT), exported._models.reads)
    assert [json.loads(line) for line in lines] == json.loads(msgspec.json.encode(found["rows"]))


async def test_another_company_has_none_of_it(exported: Exported, database_url: str) -> None:
    """Whatever the statement says: the rows of the company that reads are all that the database shows."""
    for name in WHOLE:
        projection, query = find(name)
        assert query.selects is not None
        table = query.selects(Request("other", {}, AskedAt(MOMENT))).table.name
        asked = Statement("other", projection.name, f"SELECT * FROM {{{table}}}", ())
        with copied(database_url, asked, 60.0) as rows:
            assert list(rows.pieces) == [], name
