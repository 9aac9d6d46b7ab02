"""What was decided about a thing, version by version: as a history, as it was then, and what differs between two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from domain.configuration.kinds import Aggregate
from domain.configuration.registry import read_event
from domain.errors import AnalyticsError, NotFound
from read_api.charts.columns import label

MOST_FACTS = 4  # of a change in one line
LONGEST = 80  # characters of a value that is told


class Difference(NamedTuple):
    """A field that is not alike: its name in words, and what it is on either side; empty where it is not there."""

    name: str
    before: str
    after: str


class Change(NamedTuple):
    """An entry of the history. `facts`: what it says, in one line."""

    version: int
    at: str
    actor: str
    role: str
    words: str
    facts: str


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Sequence[Difference]:
    """The fields of two JSON objects that are not alike, in the order of the first."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    return [
        Difference(name, old.get(name, ""), new.get(name, ""))
        for name in dict.fromkeys((*old, *new))
        if old.get(name, "") != new.get(name, "")
    ]


def changes(rows: Sequence[Mapping[str, Any]]) -> Sequence[Change]:
    """Rows of the query `configuration_history` as entries, the newest first."""
    return [
        Change(
            row["version"], row["at"], row["actor"], row["role"], label(row["topic"].replace(".", "_")),
            "; ".join(f"{name}: {text}" for name, text in list(_leaves(row["body"]))[:MOST_FACTS]),
        )
        for row in reversed(rows)
    ]  # fmt: skip


def contents_at(aggregate: Aggregate, rows: Sequence[Mapping[str, Any]], version: int) -> dict[str, Any]:
    """The state of a thing at a version, as JSON. Raises NotFound where there is none that this release can read."""
    state = None
    for row in (row for row in rows if row["version"] <= version):
        try:
            state = aggregate.evolve(state, read_event(row["topic"], msgspec.json.encode(row["body"])))
        except AnalyticsError as error:
            raise NotFound(f"version {version} cannot be read: {error}", code="no_version") from None
    if state is None or version > rows[-1]["version"]:
        raise NotFound(f"there is no version {version}", code="no_version")
    told: dict[str, Any] = msgspec.to_builtins(state)
    return told


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Each value of a JSON object with its name in words; items of a list by their id, if they have one."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name} › {label(str(key))}" if name else label(str(key)))
    elif isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
        for place, inner in enumerate(value, 1):
            yield from _leaves(inner, f"{name} {inner.get('id', place)}")
    else:
        yield name, _text(value)


def _text(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
