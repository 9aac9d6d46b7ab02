"""The engineer's pages that there are for whoever is signed in."""

from __future__ import annotations

from collections.abc import Sequence

from domain.access.rights import Right, may
from read_api.web.engine.port import EngineRoom
from read_api.web.room import Page, Room

HOME = "/engine"
QUARANTINE = f"{HOME}/quarantine"


def rooms(page: Page) -> Sequence[Room]:
    """Projections and quarantine, each for its right."""
    path = page.address.path
    shown = []
    if may(page.principal, Right.PROJECTIONS):
        shown.append(Room("Projections", page.to(HOME), path == HOME or path.startswith(f"{HOME}/projections")))
    if may(page.principal, Right.QUARANTINE):
        shown.append(Room("Quarantine", page.to(QUARANTINE), path.startswith(QUARANTINE)))
    return shown


def room_of(page: Page) -> EngineRoom:
    """The machinery."""
    return page.services.engine
