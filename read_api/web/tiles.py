"""Tiles as a page draws them: a figure, charts, a table or a text, and the words for what there is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from read_api.charts import special
from read_api.charts.charts import IS_CHART, Chart, charts_of, columns_drawn
from read_api.charts.columns import label
from read_api.dashboards.tile_answers import PENDING
from read_api.dashboards.tiles import CLOSED, FAILED, NEEDS, OPEN
from read_api.web.formats import Formats
from read_api.web.sentences import reason_words, sentences
from read_api.web.spark_lines import spark_line
from read_api.web.tables import MOST_BESIDE, MOST_ROWS, Table, raw_text, table_of, unit_kind

EMPTY = "empty"
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
    line = spark_line(rows[0].get("history", ())) if tile["kind"] == "number" and rows else ""
    figure = _figure(rows[0], formats, base) if tile["kind"] == "number" and rows else None
    charts = charts_of(tile["kind"], tile["query"], tile["params"], rows)
    texts = sentences(rows, formats) if tile["kind"] == "text" else []
    tabled = tile["kind"] in TABLES or tile["kind"] in IS_CHART
    most = MOST_BESIDE if charts else MOST_ROWS
    table = table_of(tile["query"], rows, formats, most) if tabled else None
    state = tile["state"]
    nothing = not charts and (tile["kind"], tile["query"]) in special.CHARTS
    if state == OPEN and (nothing or not (figure or charts or texts or table)):
        state = EMPTY
    return TileView(
        tile["id"], tile["title"], tile["kind"], place_of(tile["layout"]), state,
        *_words(state, tile), figure, charts, table, texts, _note(tile), line,
    )  # fmt: skip


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


def _note(tile: Tile) -> str:
    if tile["every"] > 1:
        return f"Each mark stands for {tile['every']} rows."
    if tile["left_out"]:
        return "Whatever the " + " and ".join(label(name).lower() for name in tile["left_out"]) + "."
    return ""


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
