"""What the pages stand on beside the read side, given by `app`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from domain.access.rights import Principal
from read_api.web.bundle import Bundle


@dataclass(frozen=True, slots=True)
class PageCommand:
    """A command of the registry by its name, with its JSON.

    `id`: of what it is about, empty to create; `version`: that the page showed, None for any; `key`: the same for the
    same form, so that a second press of its button does nothing.
    """

    name: str
    company: str
    body: bytes = b""
    id: str = ""
    version: int | None = None
    key: str = ""
    dry_run: bool = False
    correlation_id: str = ""


class PageCommands(Protocol):
    """Takes commands on somebody's behalf, as the command API does."""

    async def take(self, principal: Principal, command: PageCommand) -> Mapping[str, Any]:
        """What the command API answers: id, version, position, events. What is answered is durable.

        Raises Invalid, Forbidden, NotFound, Conflict, Unavailable.
        """
        ...


@dataclass(frozen=True, slots=True)
class PageServices:
    """`bundle`: what draws charts; `commands`: who takes what forms command."""

    bundle: Bundle
    commands: PageCommands
