"""Compared queries: composed ones that set a company beside its peers, the companies of its tier that agreed to it.

The tenant wall stays: each peer is asked the same question by itself, through the same store as everybody. What they
answer goes to the query's own `compare` and nowhere else, and the work for it is bounded (ADR 0028).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple

from cachetools import LRUCache

from domain.errors import Invalid, LimitExceeded
from domain.ports import Consents, ReadStore
from projections.engine.query.answer_row import Rows, as_answered
from projections.engine.query.ask import answer
from projections.engine.query.composed import AnyRow, Composed, Part, ask_parts
from projections.engine.query.formatting import age
from projections.engine.query.request import Asking, Question, Request
from projections.engine.turns import Share, Turns

PEERS = 200  # companies that are asked at most: more of them hardly change a rounded percentile
AT_ONCE = 2  # of them: the connections of the store are everybody's
WAITING = 8  # comparisons of a company that may wait while another is made
PATIENCE = 30.0  # seconds that one may take, and that its turn may be waited for
ONE = Share(1, of_tenant=1, waiting=WAITING, patience=PATIENCE)
MOST_FINDINGS = 500  # findings of a process
KEPT_FOR = 86_400.0  # seconds: whoever moves their own value to find out those of others gets one answer a day


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared: the answers to this question, in a tier; of one currency, where they are money."""

    part: Part
    tier: str
    currency: str | None = None


class Others(NamedTuple):
    """What the peers answered, by company, and the secret that noise is drawn with."""

    answers: Mapping[str, Rows]
    secret: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared(Composed[AnyRow]):
    """`combine` tells what there is to tell without peers, `compare` with them; no value of a peer may be in it.

    `comparison` says from the company's own rows what is compared, None where nothing is. With fewer than `fewest`
    peers none of them is asked.
    """

    comparison: Callable[[Request, Mapping[str, Rows]], Comparison | None]
    compare: Callable[[Request, Mapping[str, Rows], Others], Sequence[AnyRow]]
    fewest: int

    async def answer(self, request: Request, asking: Asking) -> dict[str, Any]:
        """The answer of whoever compares. Raises Invalid where nobody can, and what comparing raises."""
        if asking.comparing is None:
            raise Invalid(
                f"{self.name} is not available as of a past state: who may be compared is known of the present alone",
                code="no_past",
                suggested_actions=("Ask for the period with from and to.",),
            )
        return await asking.comparing.answer(self, request, asking)


class _CachedAnswer(NamedTuple):
    """An answer, which peers it was found among, and when (monotonic seconds)."""

    answer: Mapping[str, Any]
    among: bytes
    at: float


class Comparing:
    """Answers compared queries, one comparison at a time, and keeps what it found for a day.

    A finding is made anew at once where the peers are others, so that who no longer agrees is no longer counted.
    `secret` gives the secret of the noise, `clock` seconds that only go on.
    """

    def __init__(
        self, consents: Consents, secret: Callable[[], bytes], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._consents = consents
        self._secret = secret
        self._clock = clock
        self._cache: LRUCache[object, _CachedAnswer] = LRUCache(MOST_FINDINGS)
        self._turns = Turns("comparisons with peers", ONE)

    async def answer(self, query: Compared[Any], request: Request, asking: Asking) -> dict[str, Any]:
        """The answer in the form of the API. Raises what the company's own questions raise, and LimitExceeded."""
        asked_at = request.asked_at.exact  # it rests on others' rows as well, whose movements nobody looks at
        own, stands_for = await ask_parts(query, request, asking)
        head = {"query": query.name, "definition_version": query.version, **stands_for}
        comparison = query.comparison(request, own)
        peers = [] if comparison is None else await self._peers(request.company, comparison)
        if comparison is None or len(peers) < query.fewest:
            return {**head, "rows": query.rows(request, own)}
        key, among = _key(query, request.company, comparison), _digest(peers)
        cached = self._cached(key, among)
        if cached is not None:
            return _as_now(cached, stands_for, asked_at)
        async with self._turns.turn(request.company), _in_time():
            cached = self._cached(key, among)
            if cached is None:
                # the peers are asked later than the company, so that they have seen what its position says
                answers = await _answers(comparison.part, peers, asked_at, asking.store)
                cached = {**head, "rows": as_answered(query.compare(request, own, Others(answers, self._secret())))}
                self._cache[key] = _CachedAnswer(cached, among, self._clock())
        return dict(cached)

    async def _peers(self, company: str, comparison: Comparison) -> Sequence[str]:
        agreed = await self._consents.agreed(comparison.tier, comparison.currency, PEERS + 1)
        return [each for each in agreed if each != company][:PEERS]

    def _cached(self, key: object, among: bytes) -> Mapping[str, Any] | None:
        entry = self._cache.get(key)
        if entry is None or entry.among != among or self._clock() - entry.at >= KEPT_FOR:
            return None
        return entry.answer


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(PATIENCE):
            yield
    except TimeoutError:
        raise LimitExceeded("the comparison with peers took too long") from None


async def _answers(part: Part, peers: Sequence[str], asked_at: datetime, store: ReadStore) -> dict[str, Rows]:
    answers: dict[str, Rows] = {}
    for some in (peers[begin : begin + AT_ONCE] for begin in range(0, len(peers), AT_ONCE)):
        rows = await asyncio.gather(*(_rows(Question(part.query, peer, part.params, asked_at), store) for peer in some))
        answers.update(zip(some, rows, strict=True))
    return answers


async def _rows(question: Question, store: ReadStore) -> Rows:
    """What a peer answers; nothing where it has too much to be asked: one of them must not stop all comparisons."""
    try:
        rows: Rows = (await answer(question, store))["rows"]
    except LimitExceeded:
        return []
    return rows


def _as_now(cached: Mapping[str, Any], stands_for: Mapping[str, Any], asked_at: datetime) -> dict[str, Any]:
    """A kept answer at its own position, and how new that is."""
    if cached["position"] == stands_for["position"]:
        return {**cached, **stands_for}
    return {**cached, "complete": False, "lag_ms": age(cached["as_of"], asked_at)}


def _key(query: Compared[Any], company: str, of: Comparison) -> object:
    return query.name, company, of.part.query, tuple(sorted(of.part.params.items())), of.tier, of.currency


def _digest(peers: Sequence[str]) -> bytes:
    return blake2b("\n".join(peers).encode(), digest_size=16).digest()
