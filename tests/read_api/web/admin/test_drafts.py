"""Forms of commands say what the command's JSON says, and tiles never lie on one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies
from hypothesis.strategies import SearchStrategy

from domain.configuration.dashboard import Contents, problems
from domain.configuration.registry import COMMANDS
from read_api.web.admin.drafts import arranged, edited, new_tile
from read_api.web.admin.fields import Field, fields_of, read_fields
from tests.support.any_command import any_command

DEEDS = ("left", "right", "up", "down", "narrower", "wider", "lower", "taller", "remove")


def sent(fields: Sequence[Field]) -> Iterator[tuple[str, str]]:
    """What a browser sends of these fields, left as they are."""
    for one in fields:
        if one.control == "check":
            yield from [(one.name, "on")] if one.value else ()
        elif one.control == "checks":
            yield from ((f"{one.name}.{value}", "on") for value in one.value)
        elif one.fields:
            yield from sent(one.fields)
        elif one.control not in ("group", "items", "list", "map"):
            yield one.name, one.value


FORMS = sorted(set(COMMANDS) - {"dashboard.arrange"})  # that one is done by moving tiles


@given(any_command(FORMS))
def test_a_form_that_is_left_as_it_is_says_the_same(command: tuple[str, Any]) -> None:
    name, told = command
    kind = COMMANDS[name].kind
    form = dict(sent(fields_of(kind, msgspec.to_builtins(told))))
    assert msgspec.convert(read_fields(kind, form), kind) == told


def tiles() -> SearchStrategy[list[dict[str, Any]]]:
    """Tiles in any places, also on one another."""
    side = strategies.integers(0, 9)
    layout = strategies.fixed_dictionaries(
        {"x": side, "y": side, "w": strategies.integers(1, 3), "h": strategies.integers(1, 5)}
    )
    return strategies.lists(layout, max_size=12).map(
        lambda found: [
            {"id": f"t{n}", "title": "T", "kind": "number", "query": "kpis", "layout": each}
            for n, each in enumerate(found)
        ]
    )


@given(
    tiles(), strategies.lists(strategies.tuples(strategies.sampled_from(DEEDS), strategies.integers(0, 12)), max_size=6)
)
def test_whatever_is_done_to_tiles_they_can_be_saved(found: list[dict[str, Any]], deeds: list[tuple[str, int]]) -> None:
    values: dict[str, Any] = {"name": "n", "tiles": arranged(found)}
    for verb, number in deeds:
        values = edited(values, f"tile {verb} t{number}")
    values = edited(values, "tile add")
    assert list(problems(msgspec.convert(values, Contents))) == []


def test_a_tile_changes_places_with_the_next_one() -> None:
    one, other = ({**new_tile(()), "id": name} for name in ("a", "b"))
    stacked = arranged([one, {**other, "layout": {**other["layout"], "y": 2}}])
    for deed in ("tile down a", "tile up b", "tile to b 0 0"):
        moved = edited({"tiles": stacked}, deed)["tiles"]
        assert [(each["id"], each["layout"]["y"]) for each in moved] == [("a", 2), ("b", 0)], deed


@pytest.mark.parametrize(
    "deed",
    ["", "add", "remove name.0", "remove tiles.7", "remove tiles.-1", "add name.x.y", "tile up z", "tile to a 1",
     "tile", "tile to a x 1", "fly", "add tiles.0.0"],
)  # fmt: skip
def test_what_names_nothing_changes_nothing(deed: str) -> None:
    values = {"name": "n", "tiles": [{**new_tile(()), "id": "a"}]}
    assert edited({**values}, deed) == values
