"""What the pages stand on beside the read side, given by `app`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from domain.access.rights import Principal
from domain.ports import Placed
from read_api.answers.verification import Verifications
from read_api.web.bundle import Bundle
from read_api.web.engine.port import EngineRoom


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


class Evidence(Protocol):
    """What shows that an event is in the log, and what it changed."""

    async def proof(self, place: Placed) -> Mapping[str, Any]:
        """The proof of the record that lies there, as JSON.

        Raises NotFound, NotYet while it is neither sealed nor signed, Unavailable.
        """
        ...

    def public_key(self) -> bytes:
        """The key that checkpoints are signed by, as PEM."""
        ...

    async def changed_rows(self, place: Placed, record: bytes) -> Sequence[Mapping[str, Any]]:
        """The rows that the event of a record changes: projection, table, key, values. Raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class PageServices:
    """`bundle`: what draws charts; `commands`: who takes what forms command; `verifications`: of the log, by turns.

    `engine`: the machinery that engineers work on.
    """

    bundle: Bundle
    commands: PageCommands
    evidence: Evidence
    verifications: Verifications
    engine: EngineRoom
