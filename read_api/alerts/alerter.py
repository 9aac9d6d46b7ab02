"""The alerter: evaluates what is over, writes changes into the log, sends notices; others do the same beside it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress

from domain.alerting.alert_store import AlertStore, DeliverNotice, HeldNotice, HeldWatch
from domain.alerting.evaluation import Figures, Transition, evaluated
from domain.alerting.notices import Notice, notices
from domain.alerting.watch import Rule, Watch
from domain.errors import AnalyticsError, Fenced, NotYet, Unavailable
from domain.ports import EventLog
from eventlog import tasks
from eventlog.publish.alerts import transition_record
from read_api.alerts.rules import RuleBook
from read_api.alerts.values import Reader, projections_behind
from read_api.shared_work import FIRST_PAUSE, attempts, held

LOOK = 1.0  # seconds between two looks at what is due
DELAY = 5_000  # ms that events may come late: as live windows wait (docs/how-to/watch-live-metrics.md)
SPREAD = 30_000  # ms over which watches of equal periods are spread, no more than their period
CATCH_UP = 86_400_000  # ms before now from which a rule is evaluated that nobody evaluated yet
LANES = 3
logger = logging.getLogger(__name__)
CompleteTo = Callable[[Collection[str]], Awaitable[int]]


class Evaluator:
    """Evaluates watches that it claimed as `holder`.

    `complete_to`: up to which moment (ms) projections have folded whatever the log had by then; `now`: ms.
    """

    def __init__(
        self, store: AlertStore, reader: Reader, complete_to: CompleteTo, *, holder: str, now: Callable[[], int]
    ) -> None:
        self._store, self._reader, self._complete_to = store, reader, complete_to
        self._holder, self._now = holder, now
        self._rules = RuleBook(store)
        self._reading = asyncio.Lock()

    async def plan(self) -> None:
        """Keep a watch of what rules that were changed watch. Raises Unavailable."""
        async with self._reading:
            begun = await self._rules.read()
        since = self._now() - CATCH_UP
        if begun:
            await self._store.add([(watch, _floor(watch, max(at, since))) for watch, at in begun])

    async def next(self, lease: float) -> bool:
        """Claim a watch and evaluate the periods of it that are over; False where none is due."""
        claimed = await self._store.claim(self._holder, self._now())
        if claimed is None:
            return False
        due = self._now() + 1_000
        try:
            async with held(
                lambda: self._store.extend(claimed, self._holder), lease, f"watch {claimed.watch.watch_id}"
            ):
                await self._evaluate(claimed)
                due = max(due, due_of(claimed.watch, claimed.book.until))
        except Fenced as error:
            logger.warning("watch %s: %s", claimed.watch.watch_id, error)
            return True
        except (Unavailable, NotYet) as error:
            logger.warning("watch %s of %s waits: %s", claimed.watch.watch_id, claimed.watch.company, error)
        finally:
            with suppress(AnalyticsError):
                await asyncio.shield(self._store.give_back(claimed, self._holder, due))
        return True

    async def _evaluate(self, claimed: HeldWatch) -> None:
        watch, book = claimed.watch, claimed.book
        complete = await self._final(watch)
        await self.plan()  # whatever was decided by then
        while book.until + watch.period <= complete:
            at = book.until + watch.period
            rules = self._rules.at(watch, at) if self._reader.sees(watch.company) else []
            if not rules and not book.entries:  # nothing to be said: the next period that has rules
                book.until, book.seen, book.sent = at, {}, {}
                if at + watch.period > complete:
                    await self._store.keep(claimed, self._holder, (), ())
                continue
            figures: Figures | str = await self._reader.figures(watch, rules, at)
            changes = evaluated(watch, book, rules, figures, self._rules.now(watch))
            await self._store.keep(claimed, self._holder, changes, self._notices(watch, claimed, rules))

    def _notices(self, watch: Watch, claimed: HeldWatch, rules: Sequence[Rule]) -> Sequence[Notice]:
        """By whom rules tell now, and what is silent now: nobody wants to be told as it was."""
        newest = self._rules.now(watch)
        return list(notices(watch.company, claimed.book, [newest[rule.rule_id] for rule in rules], self._now()))

    async def _final(self, watch: Watch) -> int:
        """Up to when (ms) periods are final: all events that come in time are in the rows that answer."""
        try:
            names = projections_behind(watch, _floor(watch, self._now()))
        except AnalyticsError:  # there is no such question any more: the answer will say so
            names = frozenset()
        return min(await self._complete_to(names), self._now()) - DELAY


def due_of(watch: Watch, until: int) -> int:
    """When (ms) the period after `until` is evaluated: watches of equal periods are spread by their ids."""
    offset = int(watch.watch_id.replace("-", "")[:8], 16) % min(SPREAD, watch.period)
    return until + watch.period + DELAY + offset


def _floor(watch: Watch, at: int) -> int:
    return at - at % watch.period


class Alerter:
    """`lease`: seconds that a watch or notice is held after its holder was last heard of; `link`: where a rule is."""

    def __init__(
        self,
        store: AlertStore,
        evaluator: Evaluator,
        log: EventLog,
        deliver: DeliverNotice,
        *,
        holder: str,
        now: Callable[[], int],
        lease: float,
        link: Callable[[Notice], str],
        first_pause: float = FIRST_PAUSE,
    ) -> None:
        self._link = link
        self._store, self._evaluator, self._log, self._deliver = store, evaluator, log, deliver
        self._holder, self._now, self._lease, self._first_pause = holder, now, lease, first_pause

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`. What is under way then goes on elsewhere, or after the next start."""
        lanes = {"planning": self._plan, "writing changes": self.hand_over}
        lanes |= {f"lane {number}": lambda: self._evaluator.next(self._lease) for number in range(LANES)}
        lanes |= {f"sending {number}": self.send for number in range(LANES)}
        working = [tasks.owned(tasks.keep(_repeated(work), name), name) for name, work in lanes.items()]
        try:
            await stop.wait()
        finally:
            await tasks.end(*working)

    async def _plan(self) -> bool:
        await self._evaluator.plan()
        await self._store.note_alive(self._holder)
        return False

    async def hand_over(self) -> bool:
        """Write changes into the log; False where none wait. Raises Unavailable."""
        return bool(await self._store.hand_over(self._write))

    async def _write(self, changes: Sequence[tuple[str, Transition]]) -> None:
        await self._log.append([transition_record(company, change) for company, change in changes])

    async def send(self) -> bool:
        """Send the oldest notice that waits; False where none does. Raises Unavailable from the store."""
        claimed = await self._store.claim_notice(self._holder)
        if claimed is None:
            return False
        holding = held(
            lambda: self._store.extend_notice(claimed, self._holder), self._lease, f"notice {claimed.notice.notice_id}"
        )
        with suppress(Fenced):
            async with holding:
                error = await self._tried(claimed)
                await self._store.end_notice(claimed, self._holder, self._now(), error)
        return True

    async def _tried(self, claimed: HeldNotice) -> str:
        """Why it cannot be sent, however often it is tried; empty where it was."""
        notice = claimed.notice
        try:
            async for attempt in attempts(self._first_pause):
                with attempt:
                    await self._deliver.send_notice(notice.channel, notice, self._link(notice))
        except AnalyticsError as error:
            logger.warning("notice %s of rule %s did not arrive: %s", notice.notice_id, notice.rule_id, error)
            return str(error)
        return ""


def _repeated(work: Callable[[], Awaitable[bool]]) -> Callable[[], Awaitable[None]]:
    """Again and again, at once while there is something to do."""

    async def repeat() -> None:
        while True:
            if not await work():
                await asyncio.sleep(LOOK)

    return repeat
