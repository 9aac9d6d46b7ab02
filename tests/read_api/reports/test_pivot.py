"""The pivot table of a workbook: its parts, its sums, and what a spreadsheet makes of it."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from typing import Any
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from read_api.reports.pivot import pivot_of
from read_api.reports.writers import write
from read_api.web.tables import columns_of
from tests.read_api.reports.documents import HOSTILE, WRITINGS, document, section

STRATEGIES = ["=1+1", "<x>&", *(text for text in (*HOSTILE[:8], *WRITINGS) if text.isprintable())]
TRADES = st.lists(
    st.tuples(st.sampled_from(STRATEGIES), st.sampled_from(["long", "short"]), st.integers(-10_000, 10_000)),
    min_size=4,
    max_size=40,
)


def trades(found: list[tuple[str, str, int]], currency: str = "USD") -> list[dict[str, Any]]:
    """Rows of a list of trades: strategy, side, and a quarter of so much earned."""
    return [
        {"strategy": strategy, "side": side, "pnl": f"{pnl / 4}", "currency": currency} for strategy, side, pnl in found
    ]


SOME = trades([(strategy, side, 7 * n - 90) for n, strategy in enumerate(STRATEGIES) for side in ("long", "short")])


def parts(rows: list[dict[str, Any]], **more: Any) -> dict[str, str]:
    """The parts of a workbook of these trades."""
    whole = document(section(rows, "table", query="trades", title="Trades"), **more)
    with zipfile.ZipFile(io.BytesIO(write("xlsx", whole))) as book:
        return {name: book.read(name).decode() for name in book.namelist()}


def test_a_workbook_has_a_pivot_table_over_its_own_rows() -> None:
    """Each part is XML, and is named where the format wants it named; names of data stand in it as text."""
    book = parts(SOME)
    for name, text in book.items():
        ElementTree.fromstring(text.encode()), name
    assert "pivotCacheDefinition1.xml" in book["[Content_Types].xml"]
    assert "<pivotCaches>" in book["xl/workbook.xml"]
    cache = ElementTree.fromstring(book["xl/pivotCache/pivotCacheDefinition1.xml"].encode())
    space = {"m": cache.tag[1:].partition("}")[0]}
    source = cache.find("m:cacheSource/m:worksheetSource", space)
    assert source is not None
    assert (source.get("sheet"), source.get("ref")) == ("Trades", f"A5:D{len(SOME) + 5}")
    items = cache.findall("m:cacheFields/m:cacheField[2]/m:sharedItems/m:s", space)
    assert [item.get("v") for item in items] == sorted({row["strategy"] for row in SOME}, key=str.casefold)


def test_without_the_tier_there_is_none() -> None:
    """And none where nothing adds up, or there is one text alone."""
    assert not any("pivot" in name.lower() for name in parts(SOME, can_pivot=False))
    assert not any("pivot" in name.lower() for name in parts([{**row, "side": "long"} for row in SOME]))


@given(TRADES)
def test_its_cells_are_the_sums(found: list[tuple[str, str, int]]) -> None:
    """Against a count of its own, with totals of lines and columns."""
    rows = trades(found)
    pivot = pivot_of("Trades", columns_of("trades", rows), rows)
    sums: Counter[tuple[str | None, str | None]] = Counter()
    for strategy, side, pnl in found:
        for key in ((side, strategy), (side, None), (None, strategy), (None, None)):
            sums[key] += pnl
    if pivot is None:
        assert min(len({row["strategy"] for row in rows}), len({row["side"] for row in rows})) < 2
    else:
        assert {key: value * 4 for key, value in pivot.cells.items()} == sums


def test_currencies_are_never_added_up() -> None:
    """Where there are several, they stand across."""
    rows = SOME + trades([("a", "long", 1), ("b", "short", 2)], "EUR")
    pivot = pivot_of("Trades", columns_of("trades", rows), rows)
    assert pivot is not None
    assert list(pivot.acrosses) == ["EUR", "USD"]
