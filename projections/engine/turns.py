"""Turns at work that not all can have at once: tenants take turns, so that one who asks much waits for itself alone."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from domain.errors import LimitExceeded


@dataclass(frozen=True, slots=True)
class Share:
    """How many work at once, in all and of one tenant; how many of one tenant may wait, and for how many seconds."""

    at_once: int
    of_tenant: int
    waiting: int
    patience: float


class Turns:
    """Gives turns. `work` is what errors call it: "questions about the past"."""

    def __init__(self, work: str, share: Share) -> None:
        self._work = work
        self._share = share
        self._running: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}  # whose turn is next comes first

    @asynccontextmanager
    async def turn(self, company: str, *, first: bool = False) -> AsyncIterator[None]:
        """Wait for a turn, and have it for as long as this lasts. `first`: before all others of the tenant.

        Raises LimitExceeded where too many of the tenant wait already, and where the turn does not come in time.
        """
        if self._is_free(company):
            self._running[company] += 1
        else:
            await self._wait(company, first=first)
        try:
            yield
        finally:
            self._end(company)

    def _is_free(self, company: str) -> bool:
        """Whether a turn is there for the taking: most of the time it is."""
        share, running = self._share, self._running
        return not self._waiting and running.total() < share.at_once and running[company] < share.of_tenant

    async def _wait(self, company: str, *, first: bool) -> None:
        queue = self._waiting.setdefault(company, deque())
        if len(queue) >= self._share.waiting and not first:
            raise self._refused(f"{len(queue)} {self._work} of {company} wait already", "too_many_questions")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.insert(0 if first else len(queue), turn)
        self._serve()
        came = False
        try:
            async with asyncio.timeout(self._share.patience):
                await turn
            came = True
        except TimeoutError:
            raise self._refused(
                f"no turn came within {self._share.patience:g} s: too many {self._work}", "busy"
            ) from None
        finally:
            if not came:
                self._forget(company, turn)

    def _serve(self) -> None:
        """Give what is free: to each tenant in turn, the one that was served last comes last."""
        while self._running.total() < self._share.at_once:
            company = next((c for c in self._waiting if self._running[c] < self._share.of_tenant), None)
            if company is None:
                return
            queue = self._waiting.pop(company)
            turn = queue.popleft()
            if queue:
                self._waiting[company] = queue
            if not turn.done():
                self._running[company] += 1
                turn.set_result(None)

    def _end(self, company: str) -> None:
        self._running[company] -= 1
        if not self._running[company]:
            del self._running[company]
        self._serve()

    def _forget(self, company: str, turn: asyncio.Future[None]) -> None:
        """Whoever waits no longer leaves the queue; a turn that came at this moment is another one's."""
        if turn.done() and not turn.cancelled():
            self._end(company)
            return
        queue = self._waiting.get(company, deque())
        if turn in queue:
            queue.remove(turn)
        if not queue:
            self._waiting.pop(company, None)

    def _refused(self, text: str, code: str) -> LimitExceeded:
        error = LimitExceeded(text, code=code, suggested_actions=("Ask again when your other questions are answered.",))
        error.retry_after = max(1.0, self._share.patience / 4)
        return error
