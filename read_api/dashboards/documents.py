"""The documents of dashboards: the standard ones, each a file of this folder, and those that were configured.

Both are of one type (domain/configuration/dashboard.py), so that a standard one is what a command takes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

import msgspec

from domain.configuration.dashboard import FILTERS, Contents, Tile
from domain.errors import NotFound
from domain.metrics.catalogue import METRICS
from projections.engine.declare.registry import all_registered
from projections.queries.metrics.metric_value import DIMENSIONS
from read_api.answers.questions import VIEWER

NAMES = ("executive", "trading", "users", "system")
PERSON = "person"  # that of one user, who must be named
PERIOD = ("from", "to")
POINT = "."  # between a tile and a parameter that is asked of it alone
END = "at"  # what queries call the end of their period that look at one moment
NEEDED: Mapping[str, frozenset[str]] = MappingProxyType({PERSON: frozenset({"user_id", "customer_id"})})


@dataclass(frozen=True)
class Document:
    """A dashboard: its name in addresses, what it holds, and the version of that; a standard one has version 0."""

    name: str
    contents: Contents
    version: int = 0

    @property
    def personal(self) -> bool:
        """Whether some tile shows different people different rows, whatever their roles are."""
        return any(VIEWER in (p.name for p in all_registered()[tile.query].params) for tile in self.contents.tiles)

    @property
    def needs(self) -> frozenset[str]:
        """Parameters without which a tile that leaves them open would show everybody's figures in place of one's."""
        return NEEDED.get(self.name, frozenset())

    @cached_property
    def params(self) -> frozenset[str]:
        """What may be asked of all its tiles alike: the period, and filters that some tile knows; and of one alone."""
        alike = (left_open(tile) | of_one(tile) for tile in self.contents.tiles)
        return frozenset(PERIOD).union(*alike)


def of_one(tile: Tile) -> frozenset[str]:
    """What may be asked of this tile alone: `price.interval` is the interval of the tile `price`."""
    query = all_registered().get(tile.query)
    return frozenset(tile.id + POINT + param.name for param in query.params) if query else frozenset()


def left_open(tile: Tile) -> frozenset[str]:
    """Which of the parameters that a dashboard may have its tile knows and does not settle itself."""
    query = all_registered().get(tile.query)
    names = {param.name for param in query.params} if query else set()
    if (entry := METRICS.get(tile.params.get("key", ""))) is not None:
        names -= set(DIMENSIONS) - set(entry.dimensions)
    return frozenset(name for name in (*PERIOD, END, *FILTERS) if name in names and name not in tile.params)


@cache
def standard() -> Mapping[str, Document]:
    """The standard dashboards by name."""
    found = {name: _read(Path(__file__).with_name(f"{name}.toml")) for name in (*NAMES, PERSON)}
    return MappingProxyType({name: Document(name, contents) for name, contents in found.items()})


def _read(path: Path) -> Contents:
    return msgspec.convert(tomllib.loads(path.read_text()), Contents)


def document_of(name: str, row: Mapping[str, Any]) -> Document:
    """The document of a row of the query `dashboards`."""
    members = {member: row[member] for member in Contents.__struct_fields__}
    return Document(name, msgspec.convert(members, Contents), row["version"])


def check_name(name: str) -> None:
    """Raise NotFound for what is neither the name of a standard dashboard nor an id."""
    if name in standard():
        return
    try:
        UUID(name)
    except ValueError:
        raise NotFound(
            f"there is no dashboard {name[:64]!r}",
            code="no_dashboard",
            suggested_actions=(f"Ask for one of {', '.join(standard())}, or for the id of one that was configured.",),
        ) from None
