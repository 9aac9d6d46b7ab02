"""What the buttons of an editor do to a draft before it is commanded: items come and go, tiles find their places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

STEPS: Mapping[str, tuple[str, int]] = {
    "left": ("x", -1), "right": ("x", 1), "narrower": ("w", -1), "wider": ("w", 1), "lower": ("h", -1),
    "taller": ("h", 1),
}  # fmt: skip
COLUMNS, TALLEST = 12, 100
NEW_TILE = {"kind": "number", "query": "key_figure", "params": {"key": "total_trades"}}


def edited(values: dict[str, Any], deed: str) -> dict[str, Any]:
    """A draft after a button: `add PATH`, `remove PATH`, `tile add`, `tile VERB ID` or `tile to ID X Y`.

    What is none of these, or names what is not there, changes nothing.
    """
    verb, _, about = deed.partition(" ")
    if verb == "tile":
        return {**values, "tiles": _tiles(list(values.get("tiles", ())), about.split(" "))}
    *way, last = about.split(".")
    place: Any = values
    for step in way:
        place = place.get(step) if isinstance(place, dict) else _at(place, step)
    if verb == "remove" and _at(place, last) is not None:
        del place[int(last)]
    elif verb == "add" and isinstance(place, dict) and isinstance(place.get(last), list):
        place[last].append({})
    return values


def _at(place: Any, step: str) -> Any:
    inside = isinstance(place, list) and step.isascii() and step.isdecimal() and len(step) < 4
    return place[int(step)] if inside and int(step) < len(place) else None


def _tiles(tiles: Sequence[dict[str, Any]], words: Sequence[str]) -> list[dict[str, Any]]:
    if words == ["add"]:
        return [*tiles, new_tile(tiles)]
    verb, about, *rest = [*words, ""]
    tile = next((tile for tile in tiles if tile.get("id") == about), None)
    if tile is None or not all(map(_is_placed, tiles)):
        return list(tiles)
    if verb == "remove":
        return arranged([each for each in tiles if each is not tile])
    place = dict(tile["layout"])
    if verb in STEPS:
        side, by = STEPS[verb]
        place[side] += by
    elif verb in ("up", "down"):
        place["y"] = _beside(tiles, tile, verb)
    elif verb == "to" and all(word.isdecimal() and len(word) < 4 for word in rest[:2]):
        place |= {"x": int(rest[0]), "y": int(rest[1])}
    moved = {**tile, "layout": _within(place)}
    return arranged([moved if each is tile else each for each in tiles], about)


def new_tile(tiles: Sequence[Mapping[str, Any]], tile: Mapping[str, Any] = NEW_TILE) -> dict[str, Any]:
    """A tile below all others, with an id that none of them has."""
    known = {each.get("id") for each in tiles}
    name = next(name for n in range(1, len(tiles) + 2) if (name := f"tile-{n}") not in known)
    below = max((each["layout"]["y"] + each["layout"]["h"] for each in tiles if _is_placed(each)), default=0)
    number = tile["kind"] == "number"
    layout = {"x": 0, "y": below, "w": 3 if number else 6, "h": 2 if number else 4}
    return {"title": "New figure", **tile, "id": name, "layout": layout}


def arranged(tiles: Sequence[dict[str, Any]], first: str = "") -> list[dict[str, Any]]:
    """The tiles, each as far up as those before it leave room; of two that want one place, `first` gets it."""

    def order(tile: dict[str, Any]) -> tuple[int, bool, int]:
        return tile["layout"]["y"], tile["id"] != first, tile["layout"]["x"]

    placed: dict[str, dict[str, Any]] = {}
    for tile in sorted(tiles, key=order):
        place = tile["layout"]
        above = [each["y"] + each["h"] for each in placed.values() if _share_columns(each, place)]
        placed[tile["id"]] = {**place, "y": max(above, default=0)}
    return [{**tile, "layout": placed[tile["id"]]} for tile in tiles]


def _beside(tiles: Sequence[dict[str, Any]], tile: dict[str, Any], verb: str) -> int:
    """The row that puts a tile before the next one above it, or after the next one below it."""
    place = tile["layout"]
    others: list[dict[str, int]] = [
        each["layout"] for each in tiles if each is not tile and _share_columns(each["layout"], place)
    ]
    if verb == "up":
        return max((each["y"] for each in others if each["y"] < place["y"]), default=0)
    return min((each["y"] + 1 for each in others if each["y"] > place["y"]), default=int(place["y"]))


def _share_columns(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
    return one["x"] < other["x"] + other["w"] and other["x"] < one["x"] + one["w"]


def _within(place: Mapping[str, int]) -> dict[str, int]:
    width = min(max(place["w"], 1), COLUMNS)
    left = min(max(place["x"], 0), COLUMNS - width)
    return {"x": left, "y": max(place["y"], 0), "w": width, "h": min(max(place["h"], 1), TALLEST)}


def _is_placed(tile: Mapping[str, Any]) -> bool:
    layout = tile.get("layout") or {}
    return isinstance(tile.get("id"), str) and all(isinstance(layout.get(side), int) for side in "xywh")
