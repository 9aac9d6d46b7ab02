"""Hypothesis strategies for commands and events, from their declared forms; a few fields need more than a form."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from domain.configuration.dashboard import Layout, Sharing, Tile
from domain.configuration.registry import COMMANDS
from domain.configuration.report_schedule import Report, Section
from domain.events.catalogue import STREAMS

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12)
ZONES = st.sampled_from(["UTC", "Europe/Zurich", "America/New_York", "Asia/Kolkata"])
CRONS = st.sampled_from(["0 7 * * mon", "*/15 * * * *", "0 0 1 1-12/3 *", "15 6,18 * * 1-5"])
LOGO = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\nrest").decode()
# At least two for every pattern of a form: drawing from the patterns themselves is a hundred times slower.
WORDS = (
    *("a", "b", "trades", "x_1", "AAPL", "#aabbcc", "#000000", "USD", "EUR", "07:30", "23:59", "-0.25", "12"),
    *("ann@example.com", "b@c.example", "https://a.example", "https://b.example:8443/hook?x=1#y"),
)
# Few ids, so that commands meet what others made.
TILE_IDS = st.sampled_from(["a", "b", "c"])


def _tiles() -> st.SearchStrategy[tuple[Tile, ...]]:
    """Tiles that do not overlap: each id has a row of its own."""

    def placed(ids: list[str], tile: Tile) -> tuple[Tile, ...]:
        return tuple(msgspec.structs.replace(tile, id=i, layout=Layout(0, 2 * ord(i), 6, 2)) for i in ids)

    return st.builds(placed, st.lists(TILE_IDS, unique=True, max_size=3), any_of(Tile))


def _tile() -> st.SearchStrategy[Tile]:
    def placed(tile_id: str, right: bool, title: str) -> Tile:
        return Tile(tile_id, title, "bar", "trading_totals", Layout(6 * right, 2 * ord(tile_id), 6, 2))

    return st.builds(placed, TILE_IDS, st.booleans(), st.sampled_from(["One", "Other"]))


SHARINGS = st.sampled_from([Sharing(), Sharing("company"), Sharing("users", ("ann", "bob"))])
SECTIONS = (Section("Trades", "trades"),)
REPORTS = st.sampled_from([Report("trading"), Report("users", "xlsx"), Report("custom", sections=SECTIONS)])
FIELDS: Mapping[str, st.SearchStrategy[Any]] = {
    "time_zone": ZONES,
    "cron": CRONS,
    "logo": st.sampled_from(["", LOGO]),
    "days": st.dictionaries(st.sampled_from(STREAMS), st.integers(30, 36_500), max_size=3),
    "sharing": SHARINGS,
    "report": REPORTS,
    "tile": _tile(),
    "tiles": st.deferred(_tiles),
    "tile_id": TILE_IDS,
    "layouts": st.dictionaries(TILE_IDS, st.just(Layout(0, 0, 1, 1)), min_size=1, max_size=1),
    "by": st.just(()),
    "group_by": st.sampled_from([(), ("symbol",), ("symbol", "side")]),
    "mute_timings": st.just(()),
    "deviations": st.sampled_from(["1", "2.5", "10"]),
}


def any_of(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Any value of a declared type, whose form is right."""
    return _any(inspect.type_info(kind))


def any_command(names: list[str]) -> st.SearchStrategy[tuple[str, Any]]:
    """A name out of these, and a command of it."""
    return st.sampled_from(names).flatmap(lambda name: st.tuples(st.just(name), any_of(COMMANDS[name].kind)))


def _any(info: Any) -> st.SearchStrategy[Any]:
    return _KINDS[type(info)](info)


def _struct(info: inspect.StructType) -> st.SearchStrategy[Any]:
    return st.builds(info.cls, **{f.name: _field(info.cls, f) for f in info.fields})


def _field(owner: type[Any], field: inspect.Field) -> st.SearchStrategy[Any]:
    if field.name == "by" and owner.__name__ == "Change":
        return st.sampled_from(["0.5", "10"])
    if field.name == "by" and owner.__name__ == "Silence":
        return TEXT
    return FIELDS[field.name] if field.name in FIELDS else _any(field.type)


def _text(info: inspect.StrType) -> st.SearchStrategy[str]:
    if info.pattern is None:
        return TEXT.filter(lambda text: len(text) >= (info.min_length or 0))
    if info.pattern == r"\S":
        return TEXT.map(lambda text: f"x{text}")
    return st.sampled_from([word for word in WORDS if re.search(str(info.pattern), word)])


_KINDS: Mapping[type[inspect.Type], Callable[[Any], st.SearchStrategy[Any]]] = {
    inspect.Metadata: lambda info: _any(info.type),
    inspect.StructType: _struct,
    inspect.StrType: _text,
    inspect.IntType: lambda info: st.integers(info.ge, info.le),
    inspect.BoolType: lambda _: st.booleans(),
    inspect.LiteralType: lambda info: st.sampled_from(info.values),
    inspect.EnumType: lambda info: st.sampled_from(list(info.cls)),
    inspect.UnionType: lambda info: st.one_of([_any(one) for one in info.types]),
    inspect.VarTupleType: lambda info: st.lists(_any(info.item_type), min_size=info.min_length or 0, max_size=2).map(
        tuple
    ),
    inspect.DictType: lambda info: st.dictionaries(_any(info.key_type), _any(info.value_type), max_size=2),
    inspect.NoneType: lambda _: st.none(),
}
