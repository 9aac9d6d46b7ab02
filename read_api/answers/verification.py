"""The log against its seals and signed checkpoints, for auditors at every door. No web framework here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from domain.access.rights import Principal, Right, require
from domain.errors import AnalyticsError, Conflict, Invalid
from domain.events.catalogue import STREAMS
from domain.ports import EventLog
from domain.position import Position
from eventlog import tasks
from eventlog.seals.verify import Evidence, Verdict, verify

Report = Callable[[int, int], None]  # records that are done, records in all


def _unreported(_done: int, _total: int) -> None:
    """Nobody looks on."""


class LogVerification:
    """Verifies for somebody. Seals cover the events of all tenants; a verdict holds none of them, only places."""

    def __init__(self, log: EventLog, evidence: Evidence) -> None:
        self._log = log
        self._evidence = evidence

    async def verdict(
        self, principal: Principal, company: str, streams: Sequence[str], end: str, report: Report = _unreported
    ) -> Verdict:
        """What is found up to a position, or up to the head. Raises Forbidden, Invalid, Unavailable."""
        require(principal, Right.VERIFY, company or None)
        if unknown := set(streams) - set(STREAMS):
            raise Invalid(f"there is no stream {', '.join(sorted(unknown))}", code="unknown_stream")
        until = Position.parse(end) if end else None
        return await verify(self._log, self._evidence, list(streams) or STREAMS, Position(), until, report)


@dataclass(slots=True)
class Verification:
    """One verification that was begun: by whom, when (monotonic, s), how far it is, and what came of it: a verdict, or
    the problem that ended it.
    """

    subject: str
    began: float
    done: int = 0
    total: int = 0
    ended: float | None = None
    verdict: Verdict | None = None
    problem: str = ""

    @property
    def seconds(self) -> float:
        """How long it took, or takes until now."""
        return (time.monotonic() if self.ended is None else self.ended) - self.began

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.done / self.seconds if self.seconds else 0.0

    @property
    def left(self) -> float | None:
        """Seconds that it takes from here; None where that is not known."""
        return (self.total - self.done) / self.rate if self.rate else None


class Verifications:
    """Verifies beside its callers, one at a time in this process, and remembers the last one."""

    def __init__(self, verification: LogVerification) -> None:
        self._verification = verification
        self._work: asyncio.Task[None] | None = None
        self.last: Verification | None = None

    def begin(self, principal: Principal, company: str) -> Verification:
        """Begin with the whole log. Raises Forbidden, Conflict while one is under way."""
        require(principal, Right.VERIFY, company or None)
        if self._work is not None and not self._work.done():
            raise Conflict("the log is being verified already", code="already_running")
        self.last = Verification(principal.sub, time.monotonic())
        self._work = tasks.start(self._run(self.last, principal, company), "verifying the log for a page")
        return self.last

    async def close(self) -> None:
        """End what is under way."""
        await tasks.end(self._work)

    async def _run(self, run: Verification, principal: Principal, company: str) -> None:
        def report(done: int, total: int) -> None:
            run.done, run.total = done, total

        try:
            run.verdict = await self._verification.verdict(principal, company, (), "", report)
        except AnalyticsError as error:
            run.problem = str(error)
        except Exception:
            run.problem = "the service failed at it; its own log says why"
            raise
        finally:
            run.ended = time.monotonic()
