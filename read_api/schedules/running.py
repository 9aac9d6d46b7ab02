"""A run: the reports that it makes, each by the rights of who gets it, and how they are sent.

Whoever begins a run that somebody else left goes on where that one stopped: a report that is made is not made again, a
delivery that is known to have gone out is not sent again. What went out the moment before a process died goes out
twice, under the same id.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from msgspec import structs

from domain.access.rights import Member, Principal, Role, Tier
from domain.company_calendar import Period, day_at, first_day
from domain.configuration.channels import Own
from domain.configuration.company import Calendar
from domain.errors import AnalyticsError, Fenced, NotYet, Unavailable
from domain.reports.report import ReportRequest, ReportSection, State, StoredReport
from domain.reports.run_store import Deliver, Message, RunStore
from domain.reports.schedule_runs import Delivery, MadeReport, Run, RunState, Sent
from domain.reports.standard import CUSTOM
from read_api.shared_work import FIRST_PAUSE, attempts, held

MOST_TRIES = 5  # of a run whose servers are away
MOST_STARTS = 20  # of one whose process ends each time: less would give up what others have died of
PAUSE = 30.0  # seconds before one whose servers are away is tried again
MOST_ATTACHED = 10 * 2**20  # bytes of a file that is sent along; a larger one is linked
logger = logging.getLogger(__name__)


class Reports(Protocol):
    """What makes reports and reads their files: `read_api.answers.reports.Reports`."""

    async def generate(
        self, principal: Principal, company: str, request: ReportRequest, key: str = "", *, of_run: bool = False
    ) -> StoredReport:
        """Make it and keep it, or find the one that was made under this key."""
        ...

    async def piece(self, report: StoredReport, offset: int, length: int) -> bytes:
        """A piece of its file."""
        ...

    async def find(self, principal: Principal, company: str, report_id: str) -> StoredReport:
        """The report of that id."""
        ...

    async def calendar(self, company: str) -> Calendar:
        """By which the company's weeks and years are cut."""
        ...


class Runner:
    """Carries out runs that it claimed as `holder`.

    `tiers`: what companies were commanded to have; `link`: where a report's file lies for who signs in; `now`: ms.
    """

    def __init__(
        self,
        store: RunStore,
        reports: Reports,
        deliver: Deliver,
        tiers: Mapping[str, Tier],
        *,
        holder: str,
        now: Callable[[], int],
        link: Callable[[StoredReport], str],
        first_pause: float = FIRST_PAUSE,
    ) -> None:
        self._store, self._reports, self._deliver, self._tiers = store, reports, deliver, tiers
        self._holder, self._now, self._link, self._first_pause = holder, now, link, first_pause

    async def next(self, lease: float) -> bool:
        """Claim a run and carry it out, saying in each third of the lease that it is alive; False where none is due."""
        run = await self._store.claim(self._holder)
        if run is None:
            return False
        try:
            async with held(lambda: self._store.extend(run, self._holder), lease, f"run {run.run_id}"):
                await self._carry_out(run)
        except Fenced as error:
            logger.warning("%s", error)
        except (Unavailable, NotYet) as error:
            await self._put_off(run, error)
        except asyncio.CancelledError:
            await asyncio.shield(self._give_back(run))
            raise
        return True

    async def _give_back(self, run: Run) -> None:
        """This process ends: another one may take the run at once. What is known of it stays as it was kept."""
        with suppress(AnalyticsError):
            await self._store.give_back(run, self._holder)

    async def _put_off(self, run: Run, error: AnalyticsError) -> None:
        """What passes by itself is waited for, a few times."""
        logger.warning("run %s of schedule %s waits: %s", run.run_id, run.schedule_id, error)
        state = RunState.DUE if run.tries < MOST_TRIES else RunState.FAILED
        finished_at = self._now() if state is RunState.FAILED else 0
        ended = structs.replace(run, state=state, error=str(error), finished_at=finished_at)
        if state is RunState.FAILED:
            await self._send_failures(ended)
        await self._store.keep(ended, self._holder, PAUSE)

    async def _carry_out(self, run: Run) -> None:
        error = run.error if run.omit and not run.again else ""
        run = structs.replace(run, state=RunState.RUNNING, started_at=run.started_at or self._now(), error=error)
        if run.omit and not run.again:
            await self._end(run, RunState.SKIPPED)
            return
        if run.tries > MOST_STARTS:
            error = f"it was begun {MOST_STARTS} times, and the process ended each time"
            await self._end(structs.replace(run, error=error), RunState.FAILED)
            return
        made = [await self._made(run, sees) for sees in audiences(run)]
        run = structs.replace(run, reports=made, deliveries=deliveries_of(run))
        await self._store.keep(run, self._holder)
        for place in range(len(run.deliveries)):
            run = await self._sent(run, place)
        errors = [*(each.error for each in run.reports), *(each.error for each in run.deliveries)]
        problems = [error for error in errors if error]
        run = structs.replace(run, error=problems[0] if problems else "")
        await self._end(run, RunState.FAILED if problems else RunState.DONE)

    async def _end(self, run: Run, state: RunState) -> None:
        ended = structs.replace(run, state=state, finished_at=self._now())
        if state is not RunState.DONE:
            await self._send_failures(ended)
        await self._store.keep(ended, self._holder)

    async def _send_failures(self, run: Run) -> None:
        """Who wants to hear of failures hears of this one; whom it does not reach finds it in the list of runs."""
        for recipient in run.schedule.failure_recipients:
            try:
                async for attempt in attempts(self._first_pause):
                    with attempt:
                        await self._deliver.send_failure(recipient, run)
            except AnalyticsError as error:
                logger.warning("nobody hears that run %s of schedule %s failed: %s", run.run_id, run.schedule_id, error)

    async def _made(self, run: Run, sees: Own | None) -> MadeReport:
        """The report by these rights: the one that is there, else a new one; or why there is none."""
        before = next((each for each in run.reports if each.sees == sees and not each.error), None)
        if before is not None:
            return before
        who = principal_of(run, sees, self._tiers)
        key = f"{run.run_id}:{'' if sees is None else ','.join((*sees.user_ids, '', *sees.account_ids))}:{run.again}"
        try:
            period = await self._period(run)
            report = await self._reports.generate(who, run.company_id, request_of(run, period), key, of_run=True)
        except (Unavailable, NotYet):
            raise
        except AnalyticsError as error:
            return MadeReport(sees=sees, error=str(error))
        if report.state is not State.READY:
            return MadeReport(sees=sees, report_id=report.report_id, error=report.error)
        return MadeReport(sees=sees, report_id=report.report_id, size=report.size, sha256=report.sha256)

    async def _period(self, run: Run) -> dict[str, str]:
        """The last whole period before it was due, by the clock of the schedule and the company's weeks and years."""
        period = run.schedule.report.period
        if not period:
            return {}
        calendar = await self._reports.calendar(run.company_id)
        return period_of(run, period, structs.replace(calendar, time_zone=run.schedule.timing.time_zone))

    async def _sent(self, run: Run, place: int) -> Run:
        """The run with what came of a delivery, kept before the next one is sent."""
        delivery = run.deliveries[place]
        made = next(each for each in run.reports if each.sees == delivery.recipient.sees)
        if delivery.state is Sent.SENT:
            return run
        if made.error:
            after = structs.replace(delivery, state=Sent.DEAD, at=self._now(), error=f"no report: {made.error}")
        else:
            after = await self._tried(run, made, delivery)
        run = structs.replace(run, deliveries=[*run.deliveries[:place], after, *run.deliveries[place + 1 :]])
        await self._store.keep(run, self._holder)
        return run

    async def _tried(self, run: Run, made: MadeReport, delivery: Delivery) -> Delivery:
        """A delivery after it was sent, or tried for as often as there is hope."""
        try:
            message = await self._message(run, made)
            async for attempt in attempts(self._first_pause):
                with attempt:
                    await self._deliver.send(delivery.recipient, message)
        except AnalyticsError as error:
            return structs.replace(delivery, state=Sent.DEAD, at=self._now(), error=str(error))
        return structs.replace(delivery, state=Sent.SENT, at=self._now(), error="")

    async def _message(self, run: Run, made: MadeReport) -> Message:
        report = await self._reports.find(principal_of(run, None, self._tiers), run.company_id, made.report_id)
        content = await self._reports.piece(report, 0, report.size) if report.size <= MOST_ATTACHED else None
        return Message(run, report, content, self._link(report))


def audiences(run: Run) -> Sequence[Own | None]:
    """By whose rights reports are made, each once: the company's, which is kept for it, and those of recipients."""
    return list(dict.fromkeys((None, *(recipient.sees for recipient in run.schedule.recipients))))


def deliveries_of(run: Run) -> Sequence[Delivery]:
    """One for each recipient; those that are known already stay."""
    known = {each.recipient: each for each in run.deliveries}
    return [known.get(each, Delivery(recipient=each)) for each in run.schedule.recipients]


def principal_of(run: Run, sees: Own | None, tiers: Mapping[str, Tier]) -> Principal:
    """By whose rights a report is made: those of a viewer or member of the company, in the tier that it has now."""
    member = Member(frozenset(sees.user_ids), frozenset(sees.account_ids)) if sees else None
    role = Role.MEMBER if member else Role.VIEWER
    companies, subject = frozenset({run.company_id}), f"schedule:{run.schedule_id}"
    return Principal(subject, companies, frozenset({role}), stored_tiers=tiers, member=member)


def request_of(run: Run, period: Mapping[str, str]) -> ReportRequest:
    """What is asked for: its moment is when the run was due, whenever it is made."""
    report = run.schedule.report
    sections = [ReportSection(title=each.title, query=each.query, params=each.params) for each in report.sections]
    return ReportRequest(
        kind=report.kind,
        format=report.format,
        title=run.schedule.name,
        sections=sections if report.kind == CUSTOM else [],
        params={**period, **report.params},
        asked_at=run.due_at.isoformat().replace("+00:00", "Z"),
        failures=report.failures,
    )


def period_of(run: Run, period: Period, calendar: Calendar) -> dict[str, str]:
    """First day of the last whole period before a run was due, and the day after its last one."""
    end = first_day(day_at(run.due_at, calendar), period, calendar)
    begin = first_day(end.fromordinal(end.toordinal() - 1), period, calendar)
    return {"from": begin.isoformat(), "to": end.isoformat()}
