"""Tiles are drawn anew where something that is seen of them is another, and only there; numbers are babel's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from babel import Locale, numbers
from hypothesis import given
from hypothesis import strategies as st

from domain.company_calendar import UTC_CALENDAR
from read_api.charts.columns import FORMATS, MONEY, QUANTITY
from read_api.dashboards.tiles import FAILED, STANDS_FOR
from read_api.web.address import Address
from read_api.web.drawn_tiles import Surroundings, drawn_tile
from read_api.web.formats import Formats
from read_api.web.tables import MOST_BESIDE

ROWS = [{"key": "total_pnl", "value": "1234.50", "unit": "money", "previous": "1000.00", "change": 0.2345}]
FORMS = Formats(Locale("en"), UTC_CALENDAR, "USD", date(2026, 11, 30))
AROUND = Surroundings(Address("/dashboards/trading", "drawn-co"), FORMS, "c1")


def tile(rows: list[dict[str, Any]], **members: object) -> dict[str, Any]:
    """A number as a dashboard answers it."""
    return {
        "id": "pnl",
        "title": "P&L",
        "kind": "number",
        "layout": {"x": 0, "y": 0, "w": 3, "h": 2},
        "query": "key_figure",
        "params": {"key": "total_pnl"},
        "left_out": [],
        "state": "open",
        "problem": None,
        "definition_version": 1,
        "position": "a=1",
        "as_of": None,
        "complete": True,
        "lag_ms": 0,
        "every": 1,
        "extra": {},
        "rows": rows,
        **members,
    }


def test_what_shows_the_same_is_drawn_once() -> None:
    """However far its projections have come meanwhile, and whoever made the rows."""
    first = drawn_tile(tile(ROWS), AROUND, None)
    assert "1,234.50" in first.element
    moved = dict.fromkeys(STANDS_FOR) | {"position": "a=2", "lag_ms": 9}
    assert drawn_tile(tile(ROWS, **moved), AROUND, None) is first
    assert drawn_tile(tile([dict(row) for row in ROWS], **moved), AROUND, None) is first
    assert drawn_tile(tile(ROWS), replace(AROUND, correlation_id="c2"), None) is first


@pytest.mark.parametrize(
    ("shown", "around", "bases", "says"),
    [
        (tile([ROWS[0] | {"value": "99.00"}]), AROUND, None, "99.00"),
        (tile(ROWS, title="Profit"), AROUND, None, "Profit"),
        (tile(ROWS, layout={"x": 3, "y": 0, "w": 4, "h": 2}), AROUND, None, "x3 w4"),
        (tile(ROWS), replace(AROUND, address=Address("/dashboards/trading", "other-co")), None, "company=other-co"),
        (tile(ROWS), replace(AROUND, formats=replace(FORMS, locale=Locale("de"))), None, "1.234,50"),
        (tile(ROWS), replace(AROUND, formats=replace(FORMS, currency="EUR")), None, "EUR"),
        (tile(ROWS), AROUND, {"pnl": {"value": "617.25"}}, "+100.0 %"),
    ],
)
def test_whatever_is_seen_draws_it_anew(
    shown: Mapping[str, Any], around: Surroundings, bases: Mapping[str, Mapping[str, Any]] | None, says: str
) -> None:
    """And what was drawn for somebody else, or before, is not shown."""
    before = drawn_tile(tile(ROWS), AROUND, None)
    drawing = drawn_tile(shown, around, bases)
    assert says in drawing.element
    assert says not in before.element
    assert drawn_tile(tile(ROWS), AROUND, None).element == before.element


def test_what_failed_says_each_time_its_own_correlation_id() -> None:
    """By which it is found in the logs."""
    problem = {"code": "unavailable", "detail": "the store is away", "suggested_actions": []}
    failed = tile([], state=FAILED, problem=problem)
    assert "c1" in drawn_tile(failed, AROUND, None).element
    assert "c2" in drawn_tile(failed, replace(AROUND, correlation_id="c2"), None).element


def test_beside_a_chart_no_more_rows_are_written_than_its_table_shows() -> None:
    """And it says of how many."""
    rows = [{"day": f"2026-01-{day:02}", "value": float(day)} for day in range(1, 32)] * 4
    chart = drawn_tile(tile(rows, id="days", kind="line", query="trading_equity", params={}), AROUND, None)
    assert chart.element.count("<tr>") == 1 + MOST_BESIDE
    assert f"The first {MOST_BESIDE} of {len(rows)} rows" in chart.element


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=7, min_value=-(10**12), max_value=10**12),
    st.sampled_from(("en", "de", "fr", "sv", "hi", "ar", "es", "pl", "pt_PT", "fa")),
    st.sampled_from(sorted(FORMATS)),
)
def test_numbers_are_written_as_babel_writes_them(value: Decimal, locale: str, kind: str) -> None:
    """By the signs of the locale, rounded to the decimals of their kind."""
    form, known = FORMATS[kind], Locale.parse(locale)
    most = form.decimals(value)
    pattern = "#,##0" + ("." + "0" * form.least + "#" * (most - form.least) if most else "")
    told = numbers.format_decimal(value * 100 if form.percent else value, format=pattern, locale=known)
    assert replace(FORMS, locale=known).value(kind, value) == told + (" %" if form.percent else form.suffix)


@pytest.mark.parametrize(
    ("kind", "value", "says"),
    [
        (MONEY, "0.00012345", "0.00012345"),
        (MONEY, "-0.000000000001", "-0.000000000001"),
        (MONEY, "0.009", "0.009"),
        (MONEY, "0.014", "0.01"),
        (MONEY, "0", "0.00"),
        (QUANTITY, "0.000012345678", "0.000012345678"),
        (QUANTITY, "2.50", "2.5"),
    ],
)
def test_what_is_smaller_than_a_cent_is_shown_and_no_zero(kind: str, value: str, says: str) -> None:
    """Profit of coins of which one costs a millionth: to the last digit that is stored."""
    assert FORMS.value(kind, value) == FORMS.figure(kind, value) == says
