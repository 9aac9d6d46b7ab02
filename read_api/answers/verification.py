"""The log against its seals and signed checkpoints, for auditors at either door. No web framework here."""

from __future__ import annotations

from collections.abc import Sequence

from domain.access.rights import Principal, Right, require
from domain.errors import Invalid
from domain.events.catalogue import STREAMS
from domain.ports import EventLog
from domain.position import Position
from eventlog.seals.verify import Evidence, Verdict, verify


class LogVerification:
    """Verifies for somebody. Seals cover the events of all tenants; a verdict holds none of them, only places."""

    def __init__(self, log: EventLog, evidence: Evidence) -> None:
        self._log = log
        self._evidence = evidence

    async def verdict(self, principal: Principal, company: str, streams: Sequence[str], end: str) -> Verdict:
        """What is found up to a position, or up to the head. Raises Forbidden, Invalid, Unavailable."""
        require(principal, Right.VERIFY, company or None)
        if unknown := set(streams) - set(STREAMS):
            raise Invalid(f"there is no stream {', '.join(sorted(unknown))}", code="unknown_stream")
        until = Position.parse(end) if end else None
        return await verify(self._log, self._evidence, list(streams) or STREAMS, Position(), until, _unreported)


def _unreported(_done: int, _total: int) -> None:
    """Nobody looks on."""
