"""The law of the moment: what a question leaves open is taken as of the moment it stands for, whatever the clock says.

Every registered query is asked as of a past moment through the questions about the past behind the doors, by a machine
whose clock is right and by one that is two years ahead, and of a service to which nothing has happened since. A query
that is declared enters by itself, and must have rows here; a parameter without which it has none needs a value in
`needed.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial, partialmethod
from typing import Any

import pytest

from adapters.postgres.log.log import EmbeddedLog
from app.read_side.past import answer_question
from app.settings import Settings
from domain.access.rights import OPERATOR
from domain.errors import AnalyticsError
from domain.events.catalogue import STREAMS
from eventlog.publish.builders import account_flow, acquisition_cost, payment, support_ticket, survey_response
from eventlog.publish.event import Event
from projections.engine.declare.registry import all_projections, all_registered
from projections.engine.query.ask import answer
from projections.engine.query.asked_at import DAY, FOREVER, INSTANT, LastingAnswer
from projections.engine.query.request import Question
from projections.engine.worker_process import WorkerProcess
from read_api.answers.cache import AnswerCache
from read_api.answers.past import PastQuestions
from read_api.answers.questions import Questions, utc_now
from tests.laws.busy_company import busy_company
from tests.projections.harness import COMPANY, PARTITIONS, ReadModels
from tests.projections.small_company import at, traded
from tests.support.moved_clock import move
from tests.support.needed import needed_by
from tests.support.of_instance import OF_INSTANCE

MOMENT = datetime(2025, 3, 25, 12, tzinfo=UTC)
AHEAD = timedelta(days=731)
WITHOUT_PAST = {"competitive", *OF_INSTANCE}  # who may be compared, how the instance runs: known of now alone
# how much of the log is told does not depend on the query: that the clock does not count there is shown by some of them
ONE_OF_EACH = WITHOUT_PAST | {p.queries[0].name for p in all_projections().values() if p.queries}
# of rows that say it themselves: another log, not another answer
OF_STATE = ("position", "as_of", "complete", "known_at", "cursor")
MORE = {
    "trading_returns": {"user_id": "u1"},  # of an account whose capital is known
    "correlations": {"of": "strategies"},
}
NO_STORE: Any = None  # the past is not asked of it
AUDITOR = replace(OPERATOR, companies=frozenset({COMPANY}))


@pytest.fixture(scope="module")
def database(module_database_url: str) -> str:
    """A log and the decisions on it, up to months after the moment."""
    asyncio.run(_append(module_database_url, [*busy_company(), *reported_again()]))
    return module_database_url


@pytest.fixture(scope="module", autouse=True)
def patient() -> Iterator[None]:
    """Whatever is computed apart may take its time: loading its libraries takes a minute on a machine that is busy."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(WorkerProcess, "submit", partialmethod(WorkerProcess.submit, seconds=600.0))
        yield


@cache
def reported_again() -> Sequence[Event]:
    """Of each kind that can be, a fact of which the second report says something else."""
    when = "2025-03-01T12:00:00"
    of: dict[str, Any] = {"company_id": COMPANY, "timestamp": at(when)}
    return [
        *(traded(9_000, "u1", pnl, "AAPL", when) for pnl in (1.0, 2.0)),
        *(survey_response(survey="nps", respondent_id="r1", response_id="a1", score=n, **of) for n in (3, 8)),
        *(account_flow(user_id="u1", account_id="a-u1", flow_id="f1", amount=n, **of) for n in (3, 8)),
        *(
            payment(customer_id="c9", invoice_id="i9", kind="succeeded", payment_id="p1", amount=n, **of)
            for n in (3, 8)
        ),
        *(acquisition_cost(channel="ads", cost_id="k1", cost=n, currency="USD", **of) for n in (3, 8)),
        *(support_ticket(ticket_id="t9", step_id="s1", event=step, **of) for step in ("opened", "reopened")),
    ]


async def _append(url: str, events: Sequence[Event]) -> None:
    log = EmbeddedLog(url)
    await log.create_topics(dict.fromkeys(STREAMS, PARTITIONS))
    await log.append([event.record for event in events])
    await log.close()
    models = ReadModels(url).given(events)
    await models.close()


@pytest.fixture(scope="module")
def answered_then(new_database: Callable[[], str]) -> Mapping[str, list[dict[str, Any]]]:
    """What every query answered at the moment, of a service to which nothing later has happened."""
    early = [
        event for event in (*busy_company(), *reported_again()) if event.record.timestamp < MOMENT.timestamp() * 1000
    ]
    return asyncio.run(_answers(new_database(), early))


async def _answers(url: str, events: Sequence[Event]) -> Mapping[str, list[dict[str, Any]]]:
    models = ReadModels(url).given(events)
    models.asked_at = MOMENT
    try:
        return {name: await models.rows(name, **params(name)) for name in set(all_registered()) - OF_INSTANCE}
    finally:
        await models.close()


def params(name: str) -> Mapping[str, str]:
    """With these a query has rows."""
    return {**needed_by(all_registered()[name]), **MORE.get(name, {})}


def past_questions(url: str) -> PastQuestions:
    """Answers about the past as HTTP gives them, in this process, so that the clock is moved for all of it."""
    settings = replace(Settings.read({}), database_url=url)
    return PastQuestions(Questions(NO_STORE, NO_STORE, NO_STORE, patience=1), partial(answer_question, settings))


async def asked(url: str, name: str, past: Mapping[str, str]) -> dict[str, Any]:
    """What the query answers of the past."""
    question = Question(name, COMPANY, params(name), utc_now(), about=past)
    try:
        return await past_questions(url).answer(AUDITOR, question)
    except AnalyticsError as error:
        return {"refused": error.code}


def comparable(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows without what they say of the log; what is sorted by when the log knew it in an order of its own."""
    known = [{key: value for key, value in row.items() if key not in OF_STATE} for row in rows]
    return sorted(known, key=repr) if any("known_at" in row for row in rows) else known


MINUTE = timedelta(minutes=1)
PERIODS: Mapping[str, Mapping[str, str]] = {
    "closed": {"from": "2025-02-01", "to": "2025-03-01"},
    "last 30 days": {"from": "2025-02-24", "to": "2025-03-26"},
    "none": {},
}
CHANGES = {"kpis", "key_figure", "active_users", "lifecycle"}  # whose answers change with nothing but time here
SHARES = {"closed": 0.9, "last 30 days": 0.8, "none": 0.9}  # of answers that outlast the minute


def of_period(name: str, period: str) -> Mapping[str, str]:
    """The query's parameters, with a period where it has one."""
    own = params(name)
    known = {param.name for param in all_registered()[name].params}
    return {**own, **PERIODS[period]} if {"from", "to"} <= known else own


class Clocked:
    """Questions to the read models of a company, and what was found out of how long answers last."""

    def __init__(self, models: ReadModels) -> None:
        self.models = models
        self.wrong, self.changed, self.lasting = list[str](), set[str](), dict[str, list[bool]]()

    async def answer(self, name: str, period: str, at: datetime) -> LastingAnswer:
        """At a moment."""
        return await answer(Question(name, COMPANY, of_period(name, period), at), self.models.reads)

    async def check(self, name: str, period: str, begin: datetime) -> None:
        """An answer of a moment beside those of later ones, up to its end; and what comes then, just so."""
        kept = await self.answer(name, period, begin)
        self.lasting.setdefault(period, []).append(kept.until > begin + MINUTE)
        await self._compare(name, period, kept)
        if kept.until < FOREVER:
            after = await self.answer(name, period, kept.until)
            await self._compare(name, period, after)
            if after["rows"] != kept["rows"]:
                self.changed.add(name)

    async def _compare(self, name: str, period: str, kept: LastingAnswer) -> None:
        later = {kept.asked_at + MINUTE, min(kept.until, kept.asked_at + 400 * DAY) - INSTANT} - {kept.asked_at}
        for moment in filter(kept.holds_at, later):
            if (await self.answer(name, period, moment))["rows"] != kept["rows"]:
                self.wrong.append(f"{name} of {period} at {kept.asked_at} and {moment}")


@pytest.mark.ci  # every query at many moments
async def test_an_answer_is_the_same_until_time_matters_to_it(database: str) -> None:
    """Of every query, for usual periods, from midnight and from noon on, with rows of months to come; most of them for
    longer than the minute for which any answer is kept.
    """
    clocked = Clocked(ReadModels(database))
    await clocked.models.reads.open()
    try:
        for name in sorted(all_registered().keys() - WITHOUT_PAST):
            for period, given in PERIODS.items():
                if given.keys() <= of_period(name, period).keys():
                    await clocked.check(name, period, MOMENT)
                    if period != "closed":
                        await clocked.check(name, period, MOMENT.replace(hour=0))
    finally:
        await clocked.models.close()
    assert clocked.wrong == []
    assert clocked.changed >= CHANGES
    shares = {period: sum(lasting) / len(lasting) for period, lasting in clocked.lasting.items()}
    assert all(shares[period] >= least for period, least in SHARES.items()), shares


@pytest.mark.parametrize(("at", "computed", "last"), [("2025-03-20", 1, "2025-03-20"), ("", 2, "2025-03-26")])
async def test_what_is_over_is_kept_for_days_and_today_s_until_midnight(
    database: str, at: str, computed: int, last: str
) -> None:
    """As one process keeps it: how many answers to four questions of two days it has computed."""
    models = ReadModels(database)
    await models.reads.open()
    kept = AnswerCache(models.reads, lambda question: answer(question, models.reads))
    own = {"key": "win_rate", "period": "day"} | ({"at": at} if at else {})
    found: Mapping[str, Any] = {}
    try:
        for hours in (0, 2, 24, 26):
            found = await kept.answer(Question("key_figure", COMPANY, own, MOMENT + timedelta(hours=hours)))
        assert (kept.counts["computed"], found["rows"][0]["from"]) == (computed, f"{last}T00:00:00Z")
    finally:
        await models.close()


@pytest.mark.share(6)
@pytest.mark.parametrize("name", sorted(all_registered()))
def test_the_past_does_not_know_what_time_it_is(
    name: str,
    database: str,
    answered_then: Mapping[str, list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was answered then, row for row; for one query of each projection also as a machine with the right clock."""
    then = {"as_of": MOMENT.isoformat()}
    known = {"as_known_at": "trading-events:0=1"}
    right: list[dict[str, Any]] = []
    if name in ONE_OF_EACH:
        right = [asyncio.run(asked(database, name, then))]
        known = {"as_known_at": right[0].get("position", known["as_known_at"])}
        right.append(asyncio.run(asked(database, name, known)))
    move(monkeypatch, AHEAD)
    assert utc_now() - MOMENT > AHEAD
    now = asyncio.run(asked(database, name, then))
    assert not right or [now, asyncio.run(asked(database, name, known))] == right
    if name in WITHOUT_PAST:
        assert now == {"refused": "no_past"}
        return
    assert now["rows"], "a query without rows shows nothing"
    assert now["asked_at"] == "2025-03-25T12:00:00Z"
    assert comparable(now["rows"]) == comparable(answered_then[name])
