"""Tiles as elements of a page. One that shows what it showed before is the element of before.

Most of what a page costs is to write numbers and tables, and of an open dashboard most stand still.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
from cachetools import LRUCache
from markupsafe import Markup

from read_api.dashboards.tiles import OPEN, STANDS_FOR
from read_api.web.address import Address
from read_api.web.formats import Formats
from read_api.web.market import Picker
from read_api.web.rendering import macro
from read_api.web.tiles import Bases, Tile, drawn_rows, tile_view

MEMORY = 16 * 2**20  # bytes of tiles that a process keeps as they were drawn
LARGEST = MEMORY // 8


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The page round its tiles, as far as they show it.

    `narrows`: columns whose values lead to the same page of that value alone; `explained`: whether a tile leads to what
    explains it.
    """

    address: Address
    formats: Formats
    correlation_id: str
    picker: Picker | None = None
    narrows: Sequence[str] = ()
    explained: bool = True


class DrawnTile(NamedTuple):
    """A tile of a page: its place in the grid, its element, and what its charts are drawn from, as JSON."""

    id: str
    title: str
    place: str
    element: Markup
    charts: msgspec.Raw | None


class _Entry(NamedTuple):
    """A tile as it was drawn, the rows that it shows, and a digest of these."""

    rows: Sequence[Any]
    digest: bytes
    drawing: DrawnTile

    @property
    def size(self) -> int:
        """Bytes, about; the rows are those of an answer, which is kept anyway."""
        return 1_000 + len(self.drawing.element) + len(bytes(self.drawing.charts or b""))


_entries: LRUCache[bytes, _Entry] = LRUCache(MEMORY, getsizeof=lambda entry: entry.size)


def drawn_tile(tile: Tile, around: Surroundings, bases: Bases | None) -> DrawnTile:
    """The tile as an element. `bases`: as of `tile_view`."""
    if tile["state"] != OPEN:  # what failed says a correlation id, another one each time
        return _drawn(tile, around, bases)
    rows, key = tile["rows"], _key(tile, around, bases)
    known = _entries.get(key)
    if known is not None and known.rows is rows:
        return known.drawing
    digest = hashlib.sha256(msgspec.json.encode(rows)).digest()
    same = known is not None and known.digest == digest
    found = _Entry(rows, digest, known.drawing if known and same else _drawn(tile, around, bases))
    if found.size < LARGEST:
        _entries[key] = found
    return found.drawing


def _key(tile: Tile, around: Surroundings, bases: Bases | None) -> bytes:
    """The same for what is drawn alike of the same rows: whatever else of tile, reader and page is seen in it."""
    shown = {name: value for name, value in tile.items() if name != "rows" and name not in STANDS_FOR}
    formats = around.formats
    reader = formats.tag, formats.calendar, formats.currency
    base = None if bases is None else bases.get(tile["id"], {})
    picker = around.picker if tile["kind"] == "candles" else None
    parts = [shown, reader, base, picker, around.address.text(), around.narrows, around.explained]
    return msgspec.json.encode(parts, enc_hook=dict)


def _drawn(tile: Tile, around: Surroundings, bases: Bases | None) -> DrawnTile:
    view = tile_view(tile, around.formats, bases)
    charts = None
    if view.charts:
        begin = {"specs": [chart.spec for chart in view.charts], "rows": drawn_rows(tile, view.charts)}
        charts = msgspec.Raw(msgspec.json.encode(begin, enc_hook=dict))
    seen = {name: getattr(around, name) for name in Surroundings.__slots__}
    return DrawnTile(view.id, view.title, view.place, macro("tile.html", "tile", seen)(view), charts)
