"""Answers that cost much are kept, exact by position: while nothing of the company was folded, they are the same.

What "now" means in a kept answer is the beginning of the minute in which it was asked, so that all who ask in a minute
get the same; and so does whoever asks later, up to the moment at which time matters to the answer. What a kept answer
costs is one statement, which asks where its projections stand and where they last folded anything of this company:
other companies' events change nothing. A look counts for LOOK seconds, and until the bus says that something has moved.
What is not in this process may be in a tier behind it.

Whoever says `max_staleness` gets an answer that was right so many seconds ago at once, marked as such, while a new one
is made; but none across the turn of a day: what was yesterday's month is no answer to a question of today. Who needs a
newer position asks past this.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

import msgspec
from cachetools import LRUCache, TTLCache

from domain.errors import AnalyticsError
from domain.ports import Checkpoint, PositionedStore
from eventlog import tasks
from projections.engine.declare.registry import read_beside
from projections.engine.query.ask import answerable, is_stamped
from projections.engine.query.asked_at import LastingAnswer
from projections.engine.query.compared import Compared
from projections.engine.query.composed import Composed, projections_of
from projections.engine.query.formatting import age
from projections.engine.query.instance_query import InstanceQuery
from projections.engine.query.request import Question
from projections.engine.query.wide_answers import FEW
from read_api.answers.cache_tiers import Tiers
from read_api.answers.cached_answer import CachedAnswer, Entry, State, key_of, state_of, stood_still

MEMORY = 64 * 2**20  # bytes of answers in a process
TIMES_JSON = 9  # bytes in memory for each of an answer's JSON: its rows twice, where they are stamped, and as sent
COMPANIES = 200  # that are remembered as having asked
WORTH = 0.005  # seconds that answers of a query must have cost lately to be kept
FADING = 0.9  # of what a query cost, with each cheaper answer
LOOK = 0.01  # seconds for which a look at positions counts
SHARE = 5  # an answer is made anew after so many times what it cost, at the earliest
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TURN = timedelta(minutes=15)  # in every time zone there is, a day begins at such a quarter of an hour

COUNTS = ("process_hits", "stale_hits", "misses", "computed", "warmed", "warmed_hits")
SECONDS = ("computing", "saved", "warming", "saved_by_warming")

logger = logging.getLogger(__name__)


class Freshness(NamedTuple):
    """How old an answer may be (s since it was right), and whether it must be computed now, whatever is kept."""

    max_staleness: float = 0.0
    force_refresh: bool = False


EXACT = Freshness()


class _Look(NamedTuple):
    """Where the projections of an answer and those beside stand, what it depends on of that, the event of their next
    movement, and when.
    """

    checkpoints: Mapping[str, Checkpoint]
    state: State
    moved: asyncio.Event
    at: float


class Lease(NamedTuple):
    """An exact answer that is there. It is so without asking anybody for as long as `holds` says."""

    answer: CachedAnswer
    entry: Entry
    look: _Look
    cache: AnswerCache

    @property
    def holds(self) -> bool:
        """Whether it still counts what was seen of positions."""
        return self.cache._clock() < self.look.at + LOOK and not self.look.moved.is_set()

    def count_again(self) -> None:
        """It was given once more."""
        self.entry.right = self.cache._clock()
        self.cache._count_hit(self.entry)


Place = tuple[Hashable, datetime, State, bool]


class AnswerCache:
    """Answers by question; `make` computes one. `code` names what computes them, `clock` tells seconds that only go on.

    `moved` gives an event that is set when any projection moves next. `companies`: whose questions come here.
    """

    def __init__(
        self,
        store: PositionedStore,
        make: Callable[[Question], Awaitable[LastingAnswer]],
        *,
        moved: Callable[[], asyncio.Event] = asyncio.Event,
        tiers: Tiers | None = None,
        code: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._make, self._moved = store, make, moved
        self._tiers = tiers or Tiers()
        self._code = code
        self._clock = clock
        self._entries: LRUCache[Hashable, Entry] = LRUCache(MEMORY, getsizeof=lambda entry: entry.size)
        self._costs: dict[str, float] = {}
        self._looks: TTLCache[tuple[str, tuple[str, ...]], _Look] = TTLCache(1_000, LOOK, timer=clock)
        self._making: dict[Place, asyncio.Task[dict[str, Any]]] = {}
        self._renewing: asyncio.Task[dict[str, Any]] | None = None  # one at a time: others need connections too
        self.companies: LRUCache[str, None] = LRUCache(COMPANIES)
        self.counts: Counter[str] = Counter()
        self.seconds: dict[str, float] = defaultdict(float)

    async def answer(self, question: Question, freshness: Freshness = EXACT) -> dict[str, Any]:
        """The answer as it is now, or as it was right a moment ago where that will do. Raises what making it raises."""
        if not self._is_worth_keeping(question):
            return await self._timed(question)
        self.companies[question.company] = None
        asked = _of_its_minute(question)
        entry = self._entries.get(asked.key)
        reads = entry.reads if entry and entry.answer.holds_at(asked.asked_at) else tuple(sorted(projections_of(asked)))
        look = await self._look(asked.company, reads)
        if entry is not None and not freshness.force_refresh:
            if (kept := self._hit(entry, asked, look)) is not None:
                return kept
            if self._clock() - entry.right < freshness.max_staleness and _of_same_day(entry.answer, asked.asked_at):
                self._renew(asked, reads, look, entry)
                self.counts["stale_hits"] += 1
                return {**entry.answer, "complete": False, "lag_ms": age(entry.answer["as_of"], question.asked_at)}
        self.counts["misses"] += 1
        return await asyncio.shield(self._begin(asked, reads, look, anew=freshness.force_refresh))

    def at_hand(self, asked: Question, key: Hashable) -> Lease | None:
        """The exact answer, where it is kept and known to be right without asking anybody; else `answer` has it.

        `asked` is of its minute (`minute_of`), and `key` its key.
        """
        entry = self._entries.get(key)
        look = None if entry is None else self._looks.get((asked.company, entry.reads))
        if entry is None or look is None or look.moved.is_set():
            return None
        answer = self._hit(entry, asked, look)
        return None if answer is None else Lease(answer, entry, look, self)

    def _hit(self, entry: Entry, asked: Question, look: _Look) -> CachedAnswer | None:
        """What is kept, if it is the exact answer to the question now."""
        if not entry.holds(look.state, asked.asked_at):
            return None
        entry.right = self._clock()
        self._count_hit(entry)
        return entry.as_of_now(look.checkpoints)

    async def fresh(self, question: Question) -> LastingAnswer:
        """The answer of a computation that begins now; kept where answers of this query are.

        Raises what making it raises, Unavailable.
        """
        if not self._is_worth_keeping(question):
            return await self._timed(question)
        asked = _of_its_minute(question)
        reads = tuple(sorted(projections_of(asked)))
        return await self._computed(asked, reads, await self._look_now(asked.company, reads))

    async def warm(self, question: Question) -> float:
        """Have the answer before it is asked for; the seconds that it took, 0 where it is there or costs little.

        Raises as `answer`.
        """
        if not self._is_worth_keeping(question):
            return 0.0
        asked = _of_its_minute(question)
        reads = tuple(sorted(projections_of(asked)))
        look = await self._look(asked.company, reads)
        entry = self._entries.get(asked.key)
        if entry is not None and entry.holds(look.state, asked.asked_at):
            return 0.0
        began = self._clock()
        await asyncio.shield(self._begin(asked, reads, look, anew=False))
        if (made := self._entries.get(asked.key)) is not None:
            made.warmed = True
        self.counts["warmed"] += 1
        self.seconds["warming"] += (took := self._clock() - began)
        return took

    @property
    def busy(self) -> bool:
        """Whether anything is being computed."""
        return bool(self._making)

    def figures(self) -> dict[str, float]:
        """What it has done since the process began: counts of answers and of tiers, and seconds, by name."""
        found: dict[str, float] = {name: self.counts[name] for name in COUNTS}
        for tier in self._tiers.all:
            found |= {f"{tier.name}_{name}": tier.counts[name] for name in ("hits", "misses", "failures", "foreign")}
            found[f"{tier.name}_answers"] = float(tier.answers)
        found |= {f"{name}_seconds": round(self.seconds[name], 6) for name in SECONDS}
        return found | {"entries": len(self._entries), "bytes": self._entries.currsize}

    def hit_rates(self) -> dict[str, float]:
        """Shares of the answers that might have been kept: by the tier that had them, and those that warming made."""
        hits = {"process": self.counts["process_hits"] + self.counts["stale_hits"]}
        hits |= {tier.name: tier.counts["hits"] for tier in self._tiers.all}
        total = hits["process"] + self.counts["misses"]
        return {name: count / total for name, count in (hits | {"warmed": self.counts["warmed_hits"]}).items() if total}

    def _is_worth_keeping(self, question: Question) -> bool:
        query = answerable(question.name)
        if isinstance(query, Compared | InstanceQuery):  # it rests on others' rows, too, and keeps its own; or on none
            return False
        return (isinstance(query, Composed) and query.kept) or self._costs.get(question.name, 0.0) >= WORTH

    async def _timed(self, question: Question) -> LastingAnswer:
        began = self._clock()
        answer = await self._make(question)
        self._costs[question.name] = max(self._clock() - began, FADING * self._costs.get(question.name, 0.0))
        return answer

    def _count_hit(self, entry: Entry) -> None:
        self.counts["process_hits"] += 1
        self.seconds["saved"] += entry.cost
        if entry.warmed:
            self.counts["warmed_hits"] += 1
            self.seconds["saved_by_warming"] += entry.cost

    async def _look(self, company: str, reads: tuple[str, ...]) -> _Look:
        """Where the projections stand, as it was LOOK seconds ago at most."""
        known = self._looks.get((company, reads))
        if known is not None and not known.moved.is_set():
            return known
        return await self._look_now(company, reads)

    async def _look_now(self, company: str, reads: tuple[str, ...]) -> _Look:
        moved = self._moved()
        found = await self._store.checkpoints(sorted({*reads, *read_beside(reads)}), company)
        look = self._looks[company, reads] = _Look(found, state_of(found, reads), moved, self._clock())
        return look

    def _begin(
        self, asked: Question, reads: tuple[str, ...], look: _Look, *, anew: bool
    ) -> asyncio.Task[dict[str, Any]]:
        """The computation that is under way, or a new one: many who ask at once are one question."""
        place = asked.key, asked.asked_at, look.state, anew
        if place not in self._making:
            work = self._computed(asked, reads, look) if anew else self._found(asked, reads, look)
            self._making[place] = tasks.owned(work, f"answer {asked.name}")
            self._making[place].add_done_callback(lambda _: self._making.pop(place))
        return self._making[place]

    async def _found(self, asked: Question, reads: tuple[str, ...], look: _Look) -> LastingAnswer:
        """What a tier has, else what is computed."""
        expected = self._costs.get(asked.name, 0.0)
        found = await self._tiers.get(key_of(asked, look.state, self._code), asked.asked_at, expected)
        if found is None:
            return await self._computed(asked, reads, look)
        cost, answer = found
        entry = self._keep(asked, reads, look.state, answer, cost)
        self.seconds["saved"] += cost
        return entry.as_of_now((await self._look(asked.company, reads)).checkpoints)

    async def _computed(self, asked: Question, reads: tuple[str, ...], look: _Look) -> LastingAnswer:
        began = self._clock()
        answer = await self._make(asked)
        cost = self._clock() - began
        self._costs[asked.name] = max(cost, FADING * self._costs.get(asked.name, 0.0))
        self.counts["computed"] += 1
        self.seconds["computing"] += cost
        if len(answer["rows"]) > FEW:  # so many are given back when they have been sent
            return answer
        still = stood_still(look.checkpoints, (await self._look_now(asked.company, reads)).checkpoints)
        entry = self._keep(asked, reads, look.state if still else (), answer, cost)
        if still:
            tasks.start(self._tiers.put(key_of(asked, look.state, self._code), answer, cost), "keeping an answer")
        return entry.answer

    def _keep(
        self, asked: Question, reads: tuple[str, ...], state: State, lasting: LastingAnswer, cost: float
    ) -> Entry:
        now = self._clock()
        answer = CachedAnswer(lasting, lasting.asked_at, lasting.until, lasting.beside)
        answer.rows_json = msgspec.Raw(msgspec.json.encode(answer["rows"]))
        stamped = is_stamped(answerable(asked.name))
        size = TIMES_JSON * len(bytes(answer.rows_json)) + 1_000
        entry = Entry(answer, reads, state, cost, now, now - cost, stamped, size=size)
        if size < MEMORY // 8:
            self._entries[asked.key] = entry
        return entry

    def _renew(self, asked: Question, reads: tuple[str, ...], look: _Look, entry: Entry) -> None:
        if self._clock() - entry.made >= SHARE * entry.cost and self._renewing is None:
            self._renewing = self._begin(asked, reads, look, anew=False)
            self._renewing.add_done_callback(partial(self._renewed, asked))

    def _renewed(self, question: Question, task: asyncio.Task[dict[str, Any]]) -> None:
        """Say why an answer that nobody waits for was not made anew."""
        self._renewing = None
        if not task.cancelled() and (error := task.exception()) is not None:
            if not isinstance(error, AnalyticsError):
                raise error
            logger.warning("%s was not made anew: %s", question.name, error)


def minute_of(moment: datetime) -> datetime:
    """The minute in which all who ask get the same."""
    return moment.replace(second=0, microsecond=0)


def _of_its_minute(question: Question) -> Question:
    return replace(question, asked_at=minute_of(question.asked_at))


def _of_same_day(answer: LastingAnswer, moment: datetime) -> bool:
    """Whether no day may have begun since that changes what it is about."""
    return answer.holds_at(moment) or (answer.asked_at - EPOCH) // TURN == (moment - EPOCH) // TURN
