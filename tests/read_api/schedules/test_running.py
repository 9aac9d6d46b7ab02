"""Runs on a real store: each due time once, taken over from who is gone, with what is known kept on the way."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
from msgspec import structs

from adapters.postgres.tables.schedule_runs import PostgresRuns
from domain.access.rights import Member, Principal, Role
from domain.configuration.channels import FailureRecipient, Own, Recipient, ReportByWebhook, ToEmail
from domain.configuration.company import Calendar
from domain.configuration.report_schedule import Report, ReportSchedule, Timing
from domain.errors import AnalyticsError, Conflict, Fenced, Forbidden, Unavailable
from domain.reports.report import ReportRequest, State, StoredReport
from domain.reports.run_store import Message, Plan, RunFilter
from domain.reports.schedule_runs import Run, RunState, Sent
from read_api.schedules.running import MOST_STARTS, Runner, period_of

WHOLE, OWN = ReportByWebhook("https://a.example/"), ReportByWebhook("https://b.example/", Own(("u1",)))
ANN = ToEmail("ann@example.com")
LEASE, DUE = 1.0, 1_790_000_000_000


class Made:
    """Makes reports of nothing; `refused`: whose rights give an error."""

    def __init__(self) -> None:
        self.made: Counter[str] = Counter()
        self.asked: list[tuple[Principal, ReportRequest]] = []
        self.refused: dict[bool, AnalyticsError] = {}

    async def generate(
        self, principal: Principal, company: str, request: ReportRequest, key: str = "", *, of_run: bool = False
    ) -> StoredReport:
        """A report, by the rights of a member or of the company."""
        assert of_run
        if error := self.refused.get(principal.member is not None):
            raise error
        self.asked.append((principal, request))
        self.made[key] += 1
        return await self.find(principal, company, key)

    async def find(self, principal: Principal, company: str, report_id: str) -> StoredReport:
        """The report of that key."""
        request = ReportRequest(kind="trading")
        return StoredReport(
            report_id=report_id, company_id=company, requested_by=principal.sub, request=request, state=State.READY,
            requested_at=0, size=4, sha256="00",
        )  # fmt: skip

    async def piece(self, report: StoredReport, offset: int, length: int) -> bytes:
        """Whose report it is."""
        return report.report_id.encode()

    async def calendar(self, company: str) -> Calendar:
        """Weeks from Sunday."""
        return Calendar(week_starts_on="sunday")


class Received:
    """What recipients got; `errors`: what a recipient says, in turn, before it takes anything."""

    def __init__(self) -> None:
        self.messages: list[tuple[Recipient, Message]] = []
        self.failures: list[tuple[FailureRecipient, RunState, str]] = []
        self.errors: dict[Recipient, list[Exception]] = {}

    async def send_failure(self, recipient: FailureRecipient, run: Run) -> None:
        """Take it."""
        self.failures.append((recipient, run.state, run.error))

    async def send(self, recipient: Recipient, message: Message) -> None:
        """Take it."""
        if left := self.errors.get(recipient):
            raise left.pop(0)
        self.messages.append((recipient, message))


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[PostgresRuns]:
    """Runs of a fresh database, held for a second."""
    opened = PostgresRuns(database_url, LEASE)
    yield opened
    await opened.close()


def runner(store: PostgresRuns, reports: Made, deliver: Received, holder: str = "one") -> Runner:
    """One that waits for nothing between two tries."""
    return Runner(
        store, reports, deliver, {}, holder=holder, now=lambda: DUE + 1000, link=lambda report: report.report_id,
        first_pause=0.0,
    )  # fmt: skip


async def due(store: PostgresRuns, number: int = 1, *recipients: Recipient, **more: Any) -> None:
    """So many runs are due, of whose failures Ann hears."""
    schedule = ReportSchedule("s", Report("trading"), Timing("0 * * * *"), recipients, failure_recipients=(ANN,))
    runs = [Run(company_id="acme", schedule_id="s1", due=DUE + n, schedule=schedule, **more) for n in range(number)]
    await store.add(runs, Plan(DUE, 1))


async def only(store: PostgresRuns) -> Run:
    """The one that there is."""
    (run,) = await store.listing(RunFilter("acme"))
    return run


async def test_two_make_each_run_once(store: PostgresRuns, database_url: str) -> None:
    """Planned twice and claimed side by side: one report and one message a run."""
    other, reports, received = PostgresRuns(database_url, LEASE), Made(), Received()
    await due(store, 12, WHOLE)
    await due(other, 12, WHOLE)

    async def work(own: PostgresRuns, holder: str) -> None:
        while await runner(own, reports, received, holder).next(LEASE):
            pass

    await asyncio.gather(work(store, "one"), work(other, "two"))
    await other.close()
    runs = await store.listing(RunFilter("acme", state="done"))
    assert sorted(run.due for run in runs) == [DUE + n for n in range(12)]
    assert not await store.listing(RunFilter("other"))
    assert (len(reports.made), set(reports.made.values())) == (12, {1})
    assert len({message.run.run_id for _, message in received.messages}) == len(received.messages) == 12


async def test_a_run_is_taken_over_from_who_is_gone(store: PostgresRuns) -> None:
    """Once its lease has ended, and then the one before can keep nothing more."""
    await due(store)
    left = await store.claim("gone")
    assert left is not None
    assert not await runner(store, Made(), Received()).next(LEASE)
    await asyncio.sleep(LEASE + 0.1)
    assert await runner(store, Made(), Received()).next(LEASE)
    found = await only(store)
    assert (found.state, found.tries) == (RunState.DONE, 2)
    for late in (store.keep(left, "gone"), store.extend(left, "gone")):
        with pytest.raises(Fenced):
            await late


async def test_what_is_known_to_be_sent_is_not_sent_again(store: PostgresRuns) -> None:
    """The process ends between two recipients: the next one goes on with the second."""
    reports, received = Made(), Received()
    await due(store, 1, WHOLE, OWN)
    working = runner(store, reports, received)
    received.errors[OWN] = [RuntimeError("killed")]
    with pytest.raises(RuntimeError):
        await working.next(LEASE)
    await asyncio.sleep(LEASE + 0.1)
    assert await working.next(LEASE)
    assert [recipient for recipient, _ in received.messages] == [WHOLE, OWN]
    assert set(reports.made.values()) == {1}


async def test_each_gets_what_they_may_see(store: PostgresRuns) -> None:
    """A report for each set of rights, as a viewer or a member of the company, asked for as of when it was due."""
    reports, received = Made(), Received()
    await due(store, 1, WHOLE, OWN, structs.replace(OWN, url="https://c.example/"))
    await runner(store, reports, received).next(LEASE)
    whole, own = (who for who, _ in reports.asked)
    assert (whole.roles, whole.member) == (frozenset({Role.VIEWER}), None)
    assert (own.roles, own.member) == (frozenset({Role.MEMBER}), Member(frozenset({"u1"})))
    assert {request.asked_at for _, request in reports.asked} == {"2026-09-21T14:13:20Z"}
    assert {message.content for to, message in received.messages if to.sees} != {received.messages[0][1].content}


async def test_what_does_not_arrive_is_tried_and_can_be_sent_again(store: PostgresRuns) -> None:
    """What passes by itself is tried again; what is refused is not, and waits until somebody says so, once."""
    reports, received = Made(), Received()
    await due(store, 1, WHOLE, OWN)
    received.errors = {WHOLE: [Unavailable("away")] * 2, OWN: [Conflict("gone")]}
    working = runner(store, reports, received)
    await working.next(LEASE)
    failed = await only(store)
    assert ([each.state for each in failed.deliveries], failed.state) == ([Sent.SENT, Sent.DEAD], RunState.FAILED)
    assert failed.error == "gone"
    assert received.failures == [(ANN, RunState.FAILED, "gone")]
    await store.send_again("acme", "s1", DUE, 7)
    assert await working.next(LEASE)
    await store.send_again("acme", "s1", DUE, 7)
    assert not await working.next(LEASE)
    assert (await only(store)).state is RunState.DONE
    assert [recipient for recipient, _ in received.messages] == [WHOLE, OWN]
    assert set(reports.made.values()) == {1}


async def test_without_a_report_nobody_gets_one(store: PostgresRuns) -> None:
    """Whose rights give none is told why, and nobody gets what is not theirs instead."""
    reports, received = Made(), Received()
    reports.refused = {True: Forbidden("nothing of theirs")}
    await due(store, 1, WHOLE, OWN)
    await runner(store, reports, received).next(LEASE)
    run = await only(store)
    assert (run.state, run.error) == (RunState.FAILED, "nothing of theirs")
    assert [recipient for recipient, _ in received.messages] == [WHOLE]


async def test_what_is_skipped_is_told_and_can_be_made(store: PostgresRuns) -> None:
    """It is in the list with the reason; whoever wants it says so."""
    reports, received = Made(), Received()
    await due(store, 1, WHOLE, late=True, omit=True, error="nothing ran")
    await runner(store, reports, received).next(LEASE)
    run = await only(store)
    assert (run.state, run.error, reports.made) == (RunState.SKIPPED, "nothing ran", Counter())
    assert received.failures == [(ANN, RunState.SKIPPED, "nothing ran")]
    await store.send_again("acme", "s1", DUE, 3)
    await runner(store, reports, received).next(LEASE)
    assert ((await only(store)).state, len(received.messages)) == (RunState.DONE, 1)


async def test_who_kills_whoever_makes_it_is_given_up(store: PostgresRuns, database_url: str) -> None:
    """After some tries; servers that are away are waited for as often."""
    await due(store)
    for _ in range(MOST_STARTS):
        await store.claim("gone")
        with psycopg.connect(database_url) as connection:
            connection.execute("UPDATE report_runs SET lease_until = NULL")
    reports = Made()
    await runner(store, reports, Received()).next(LEASE)
    run = await only(store)
    assert (run.state, reports.made) == (RunState.FAILED, Counter())
    reports.refused = {False: Unavailable("away")}
    await store.send_again("acme", "s1", DUE, 1)
    await runner(store, reports, Received()).next(LEASE)
    assert ((await only(store)).state, (await only(store)).error) == (RunState.DUE, "away")


def test_the_period_is_the_last_whole_one() -> None:
    """Monday, 21 September 2026, 14:13 UTC; weeks from Sunday on, and a day that has begun already in Tokyo."""
    schedule = ReportSchedule("s", Report("trading"), Timing("0 * * * *"))
    run, calendar = (
        Run(company_id="acme", schedule_id="s1", due=DUE, schedule=schedule),
        Calendar(week_starts_on="sunday"),
    )
    assert period_of(run, "week", calendar) == {"from": "2026-09-13", "to": "2026-09-20"}
    assert period_of(run, "month", calendar) == {"from": "2026-08-01", "to": "2026-09-01"}
    assert period_of(run, "quarter", calendar) == {"from": "2026-04-01", "to": "2026-07-01"}
    late = structs.replace(run, due=DUE + 3_600_000)
    assert period_of(late, "day", structs.replace(calendar, time_zone="Asia/Tokyo")) == {
        "from": "2026-09-21",
        "to": "2026-09-22",
    }
