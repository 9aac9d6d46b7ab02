"""An answered dashboard as a page draws it: its tiles, and what the scripts of the page begin with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from read_api.charts.columns import FORMATS
from read_api.charts.theme import THEMES
from read_api.dashboards.documents import POINT
from read_api.web.bundle import bundle_address
from read_api.web.drawn_tiles import Surroundings, drawn_tile
from read_api.web.tabs import groups
from read_api.web.tiles import Bases

MAX_RATE = 4  # updates a second


def drawn(answer: Mapping[str, Any], around: Surroundings, bases: Bases | None = None, *, live: bool) -> dict[str, Any]:
    """For a template: `answer`, `tiles`, these in `groups`, and `state`. `live`: whether the page follows it."""
    tiles = sorted(answer["tiles"], key=lambda tile: (tile["layout"]["y"], tile["layout"]["x"]))
    drawings = [drawn_tile(tile, around, bases) for tile in tiles]
    subscribe = {"dashboard": answer["dashboard"], "company": answer["company"], "params": answer["params"]}
    state = {
        "own": {name: text for name, text in answer["params"].items() if POINT in name},
        "subscribe": {**subscribe, "max_rate": MAX_RATE} if live else None,
        "charts": {drawing.id: drawing.charts for drawing in drawings if drawing.charts},
        "themes": THEMES,
        "formats": {name: form._asdict() for name, form in FORMATS.items()},
        "numbers": around.formats.for_charts(),
        "times": around.formats.times_for_charts(),
        "zone": answer["time_zone"],
        "company": answer["company"],
        "narrows": list(around.narrows),
        "bundle": bundle_address(),
    }
    grouped = groups(tiles, {drawing.id: drawing for drawing in drawings})
    return {"answer": answer, "tiles": drawings, "groups": grouped, "state": state}
