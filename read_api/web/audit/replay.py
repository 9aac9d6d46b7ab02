"""`/audit/replay`: any dashboard as it was at a moment, beside today's, with what differs marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from litestar import Response, get

from domain.access.rights import Right, require
from domain.request.caller import PAGE
from read_api.dashboards.dashboards import DashboardQuestion
from read_api.dashboards.documents import PERIOD
from read_api.http.departure import for_caller
from read_api.http.request import HttpRequest
from read_api.web.address import read_address, read_moment
from read_api.web.audit.places import rooms
from read_api.web.dashboard_names import dashboard_names
from read_api.web.formats import Formats
from read_api.web.past_dashboard import dashboard_as_of
from read_api.web.room import Page, page_of
from read_api.web.tables import MOST_ROWS, raw_text, table_of
from read_api.web.tiles import TileView, tile_view

Tile = Mapping[str, Any]
DEFAULT = "trading"
Row = Sequence[tuple[str, bool]]  # cells: text, and whether it differs from the other side


class Side(NamedTuple):
    """A tile at one of the two moments. `rows`: of its table, aligned with the other side's; None where it has none."""

    view: TileView
    head: Sequence[str]
    rows: Sequence[Row | None]


class Pair(NamedTuple):
    """A tile then and now."""

    title: str
    differs: bool
    then: Side
    now: Side


@get("/audit/replay", include_in_schema=False, opt={PAGE: True})
async def replay_page(request: HttpRequest) -> Response[bytes]:
    """The two of a dashboard, where a moment is given; a form for it. Raises Forbidden, NotFound, Invalid."""
    page = await page_of(request, "dashboard", "as_of", "period", *PERIOD)
    require(page.principal, Right.EXPLAIN, page.company)
    as_of = read_moment(page.params.get("as_of", ""), page.formats.zone)
    pairs = await for_caller(request, _pairs(page, as_of)) if as_of else []
    return page.html(
        "audit/replay.html",
        "Audit: then and now",
        rooms=rooms(page),
        as_of=as_of,
        period=page.params.get("period", ""),
        chosen=page.params.get("dashboard", DEFAULT),
        dashboards=await dashboard_names(page),
        pairs=pairs,
        different=sum(pair.differs for pair in pairs),
    )


async def _pairs(page: Page, as_of: str) -> list[Pair]:
    name, side = page.params.get("dashboard", DEFAULT), page.side
    moment = side.questions.now()
    document = await side.dashboards.document(page.principal, name, page.company, moment)
    plain = {key: text for key, text in page.params.items() if key in ("period", *PERIOD)}
    period = read_address(page.address.path, plain, page.company).params(page.formats.today, page.formats.calendar)
    params = {key: text for key, text in period.items() if key in document.params}
    question = DashboardQuestion(name, page.company, params)
    now = await side.dashboards.answer(page.principal, question)
    then = await dashboard_as_of(side, page.principal, document, question, as_of, moment)
    formats = replace(page.formats, currency=now["currency"])
    before = {tile["id"]: tile for tile in then["tiles"]}
    tiles = sorted(now["tiles"], key=lambda tile: (tile["layout"]["y"], tile["layout"]["x"]))
    return [_pair(before[tile["id"]], tile, formats) for tile in tiles if tile["id"] in before]


def _pair(then: Tile, now: Tile, formats: Formats) -> Pair:
    views = tile_view(then, formats), tile_view(now, formats)
    tables = [_aligned(each, formats) for each in (then, now)]
    keys = list(dict.fromkeys([*tables[0][1], *tables[1][1]]))
    sides = [
        Side(view, own[0], [_row(own[1].get(key), other[1].get(key)) for key in keys])
        for view, own, other in zip(views, tables, reversed(tables), strict=True)
    ]
    return Pair(now["title"], _value(then) != _value(now) or then["state"] != now["state"], *sides)


def _value(tile: Tile) -> Any:
    """What is compared: the value of a number, else the rows as they are shown."""
    rows = tile["rows"]
    return rows[0].get("value") if tile["kind"] == "number" and rows else [raw_text(row) for row in rows]


def _aligned(tile: Tile, formats: Formats) -> tuple[Sequence[str], dict[tuple[str, ...], Sequence[str]]]:
    """Column names, and the cells of each row by what names it: its texts, so that the same row stands in one line."""
    table = None if tile["kind"] == "number" else table_of(tile["query"], tile["rows"], formats)
    if table is None:
        return (), {}
    rows: dict[tuple[str, ...], Sequence[str]] = {}
    for row in table.rows[:MOST_ROWS]:
        naming = tuple(cell.raw for cell in row if not cell.numeric)
        rows[(*naming, str(sum(key[:-1] == naming for key in rows)))] = [cell.text for cell in row]
    return [column.label for column in table.columns], rows


def _row(own: Sequence[str] | None, other: Sequence[str] | None) -> Row | None:
    if own is None:
        return None
    return [(text, other is None or number >= len(other) or other[number] != text) for number, text in enumerate(own)]
