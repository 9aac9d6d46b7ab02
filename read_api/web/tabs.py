"""Tables that belong together share one place, as tabs: the same question, asked by one thing after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from read_api.web.drawn_tiles import DrawnTile
from read_api.web.tiles import place_of

ASKED_BY = "by"  # the parameter in which tabs differ
MOST = 6  # tabs of one place: the style sheet knows so many
Tiles = Sequence[Mapping[str, Any]]


class Group(NamedTuple):
    """Tiles of one place of the grid: one, or several as tabs."""

    place: str
    tiles: Sequence[DrawnTile]


def groups(tiles: Tiles, drawings: Mapping[str, DrawnTile]) -> list[Group]:
    """The tiles in their order (by row, then column), those that are tabs together; `drawings` by their ids."""
    found = []
    for _, alike in groupby(tiles, key=_question):
        run = list(alike)
        if 1 < len(run) <= MOST and (layout := _rectangle(run)):
            found.append(Group(place_of(layout), [drawings[tile["id"]] for tile in run]))
        else:
            found += [Group(drawings[tile["id"]].place, [drawings[tile["id"]]]) for tile in run]
    return found


def _question(tile: Mapping[str, Any]) -> object:
    """The same for tables that ask the same but for what they ask it by; else the tile's own."""
    if tile["kind"] != "table" or ASKED_BY not in tile["params"]:
        return tile["id"]
    return tile["query"], tuple(sorted((k, v) for k, v in tile["params"].items() if k != ASKED_BY))


def _rectangle(tiles: Tiles) -> dict[str, int] | None:
    """The place that they fill together, without a gap; None where they fill no rectangle."""
    layouts = [tile["layout"] for tile in tiles]
    x, y = (min(each[edge] for each in layouts) for edge in ("x", "y"))
    w, h = (max(each[a] + each[b] for each in layouts) - least for a, b, least in (("x", "w", x), ("y", "h", y)))
    filled = sum(each["w"] * each["h"] for each in layouts)  # tiles never overlap
    return {"x": x, "y": y, "w": w, "h": h} if filled == w * h else None
