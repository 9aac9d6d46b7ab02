"""Tiles as a page draws them: a figure, charts, a table or a text, and the words for what there is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from read_api.charts import special
from read_api.charts.charts import IS_CHART, Chart, charts_of, columns_drawn
from read_api.charts.columns import MONEY, label
from read_api.charts.shapes import CURRENCY, currency_of
from read_api.dashboards.tile_answers import PENDING
from read_api.dashboards.tiles import CLOSED, FAILED, NEEDS, OPEN
from read_api.web.formats import Formats
from read_api.web.sentences import reason_words, sentences
from read_api.web.spark_lines import spark_line
from read_api.web.tables import MOST_BESIDE, MOST_ROWS, Table, raw_text, reason_of, table_of, unit_kind

EMPTY = "empty"
EXTRA, IN_CURRENCY = "extra", "currency"  # of a tile, what its query says beside rows; the unit of what methods find
TABLES = frozenset({"table", "status", "flow"})
Tile = Mapping[str, Any]


Bases = Mapping[str, Mapping[str, Any]]  # what numbers are compared with, by tile


@dataclass(frozen=True, slots=True)
class Figure:
    """One number: as text, as the query answers it, its unit beside it; and what it was before, if that is known.

    `way`: up, down or level; `note`: why there is no value, or what the change is beside.
    """

    text: str
    raw: str
    kind: str
    unit: str
    change: str = ""
    way: str = ""
    note: str = ""
    base: str = ""


@dataclass(frozen=True, slots=True)
class TileView:
    """One tile. `state`: open, empty, pending, closed, needs or failed; `says`: the words for it."""

    id: str
    title: str
    kind: str
    place: str
    state: str
    says: str
    action: str
    figure: Figure | None
    charts: Sequence[Chart]
    table: Table | None
    texts: Sequence[str]
    note: str
    line: str

    @property
    def refreshed(self) -> bool:
        """Whether a page asks for it anew, because no script knows how to draw it."""
        return self.kind in ("text", "flow", "status") or (self.table is not None and not self.table.keyed)


def tile_view(tile: Tile, formats: Formats, bases: Bases | None = None) -> TileView:
    """How a tile is drawn. `bases`: rows of the period that is compared with; None where each row says it itself."""
    rows = tile["rows"]
    base = None if bases is None else bases.get(tile["id"], {})
    figure = _figure(rows[0], formats, base) if tile["kind"] == "number" and rows else None
    line = spark_line(rows[0].get("history", ())) if figure and figure.raw else ""
    charts = charts_of(tile["kind"], tile["query"], tile["params"], rows, formats.calendar)
    texts = sentences(rows, formats) if tile["kind"] == "text" else []
    tabled = tile["kind"] in TABLES or tile["kind"] in IS_CHART
    most = MOST_BESIDE if charts else MOST_ROWS
    table = table_of(tile["query"], rows, formats, most) if tabled else None
    state, missing = tile["state"], _missing(tile, charts)
    nothing = missing or (not charts and (tile["kind"], tile["query"]) in {special.TIME, *special.CHARTS})
    if missing or (state == OPEN and (nothing or not (figure or charts or texts or table))):
        state = EMPTY
    words = (reason_words(missing), AMOUNTS[missing]) if missing else _words(state, tile)
    return TileView(
        tile["id"], tile["title"], tile["kind"], place_of(tile["layout"]), state,
        *words, figure, charts, table, texts, _note(tile, table, formats), line,
    )  # fmt: skip


AMOUNTS: Mapping[str, str] = MappingProxyType(
    {
        "no_rate": "Report rates of exchange for those days (exchange_rate), or choose one currency.",
        "no_reporting_currency": "An admin sets the currency of totals (Admin, Company, Currency); or choose one.",
    }
)
"""What can be done where amounts of several currencies cannot be told in one, by the reason."""


def _missing(tile: Tile, charts: Sequence[Chart]) -> str:
    """Why the amounts that a tile is about are in no currency at all; empty where they are in one."""
    if tile["problem"]:
        return tile["problem"]["code"] if tile["problem"]["code"] in AMOUNTS else ""
    drawn = columns_drawn(tuple(charts), tile["rows"][0]) if charts else ()
    for name in drawn:
        reasons = {reason_of(name, row) for row in tile["rows"] if row.get(name) is None}
        if reasons & AMOUNTS.keys() and all(row.get(name) is None for row in tile["rows"]):
            return min(reasons & AMOUNTS.keys())
    return ""


def drawn_rows(tile: Tile, charts: Sequence[Chart]) -> Sequence[Mapping[str, Any]]:
    """The rows of a tile with what its charts read of them."""
    if not charts:
        return ()
    names = columns_drawn(tuple(charts), tile["rows"][0])
    return [{name: row.get(name) for name in names} for row in tile["rows"]]


def place_of(layout: Mapping[str, int]) -> str:
    """Classes of the style sheet for a place of the grid."""
    return f"x{layout['x']} w{layout['w']} h{min(layout['h'], 12)}"


_EMPTY: Mapping[str, str] = MappingProxyType(
    {
        "alert_rules": "There is no alert rule yet. An admin makes one on the page Admin.",
        "configuration_history": "Nothing was changed yet.",
        "market_bars": "There are no bars of this length. Choose longer ones, or another symbol.",
        "indicator": "There are no bars of this length. Choose longer ones, or another symbol.",
    }
)


def _words(state: str, tile: Tile) -> tuple[str, str]:
    """What a tile says where it shows no figures, and what can be done."""
    problem = tile["problem"] or {"code": "", "detail": "", "suggested_actions": []}
    action = " ".join(problem["suggested_actions"])
    if state == EMPTY:
        found = next((row["reasons"]["finding"] for row in tile["rows"] if row.get("reasons", {}).get("finding")), "")
        why = reason_words(found) if found else _EMPTY.get(tile["query"], "Nothing happened in this period.")
        return why, "" if tile["query"] in _EMPTY else "Choose a longer period, or publish events."
    if state == PENDING:
        return "This takes a moment to compute.", "It comes by itself."
    if state == NEEDS:
        needed = problem["detail"].partition(" needs ")[2].replace("_", " ")
        return f"Choose a {needed}." if needed else _sentence(problem["detail"]), "In the filters above."
    if state == CLOSED:
        return "Closed: " + problem["detail"].replace("query ", "", 1).capitalize() + ".", action
    return (_sentence(problem["detail"]), _sentence(action)) if state == FAILED else ("", "")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].removesuffix(".") + "." if text else ""


def _note(tile: Tile, table: Table | None, formats: Formats) -> str:
    """What a figure, chart or table does not say itself."""
    if tile["kind"] == "number":
        rates = tile["extra"].get("rates") or NO_RATES
        at = f"at rates of {', '.join(rates['sources'])}" if rates["number"] and _is_money(tile) else ""
        return " ".join(filter(None, (_left_out(tile), at)))
    every = f"Each mark stands for {tile['every']} rows." if tile["every"] > 1 else ""
    money = (_currency(tile, table, formats), _some_missing(tile), _rates(tile))
    parts = (every, _left_out(tile), _days(tile, formats), *money)
    return " ".join(filter(None, parts))


def _is_money(tile: Tile) -> bool:
    return any(row.get("unit") == MONEY for row in tile["rows"])


def _currency(tile: Tile, table: Table | None, formats: Formats) -> str:
    """The currency of amounts beside which none stands."""
    columns = table.columns if table else ()
    if tile[EXTRA].get(CURRENCY) and any(row.get("unit") == IN_CURRENCY for row in tile["rows"]):
        return f"Amounts are in {tile[EXTRA][CURRENCY]}."  # of what methods found, whose numbers are plain ones
    said = any(column.name in (CURRENCY, "value") for column in columns) or currency_of(tile["rows"])
    if said or not any(column.kind == MONEY for column in columns):
        return ""
    currency = tile["extra"].get(CURRENCY) or formats.currency
    return f"In {currency}." if currency else ""


def _left_out(tile: Tile) -> str:
    names = " and ".join(label(name).lower() for name in tile["left_out"])
    return f"Whatever the {names}." if names else ""


PERIODS = frozenset({"day", "week", "month", "quarter", "year", "hour", "entry_hour", "weekday", "cohort"})


def _days(tile: Tile, formats: Formats) -> str:
    """Whose days and hours they are, where its rows are cut by them."""
    calendar = tile["extra"].get("calendar")
    if not (calendar and tile["rows"] and PERIODS & tile["rows"][0].keys()):
        return ""
    other = calendar["time_zone"] != formats.calendar.time_zone
    return f"Days are those of {calendar['time_zone']}" + (", which this is kept by." if other else ".")


def _some_missing(tile: Tile) -> str:
    """That some amounts are told in no currency, where others are."""
    reasons = [row["reasons"].values() for row in tile["rows"] if isinstance(row.get("reasons"), Mapping)]
    found = sorted({str(reason) for each in reasons for reason in each} & AMOUNTS.keys())
    return f"Some amounts are not shown. {reason_words(found[0])}" if found else ""


NO_RATES: Mapping[str, Any] = MappingProxyType({"number": 0})
RATE_POLICIES: Mapping[str, str] = MappingProxyType(
    {"booked": "the rates of their days", "closing": "the rates of the last day", "constant": "those of the first day"}
)


def _rates(tile: Tile) -> str:
    """By which rates amounts of several currencies became those of one."""
    rates = tile["extra"].get("rates") or NO_RATES
    if not rates["number"]:
        return ""
    return f"Converted at {RATE_POLICIES.get(rates['policy'], rates['policy'])} ({', '.join(rates['sources'])})."


def _figure(row: Mapping[str, Any], formats: Formats, base: Mapping[str, Any] | None) -> Figure | None:
    if "value" not in row:
        return None
    kind, value = unit_kind(row.get("unit")), row["value"]
    raw = raw_text(value)
    unit = (row.get("currency") or formats.currency) if row.get("unit") == "money" else ""
    text = formats.figure(kind, value)
    if value is None:
        return Figure(text, raw, kind, "", note=reason_words(str(row.get("reason", ""))))
    before = row.get("previous") if base is None else base.get("value")
    if before is None:
        return Figure(
            text, raw, kind, unit, note="" if base == {} else "nothing to compare with" if "previous" in row else ""
        )
    moved = Decimal(str(value)) - Decimal(str(before))
    way = "up" if moved > 0 else "down" if moved < 0 else "level"
    compared = "" if base is None else str(before)
    return Figure(text, raw, kind, unit, _change(kind, moved, Decimal(str(before)), formats), way, "", compared)


def _change(kind: str, moved: Decimal, before: Decimal, formats: Formats) -> str:
    """Shares change by points; everything else by its share of what it was, unless one of both is negative."""
    if kind == "fraction" or before <= 0 or moved < -before:
        sign = "+" if moved > 0 else ""
        return sign + (
            formats.value("points", moved * 100) + " pts" if kind == "fraction" else formats.figure(kind, moved)
        )
    return ("+" if moved > 0 else "") + formats.value("fraction", moved / before)
