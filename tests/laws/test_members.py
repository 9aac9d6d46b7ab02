"""The wall around members, for every registered query: each gets what its own events alone would give, or a refusal.

Made from what is registered: a new query, metric or table is tried without being named here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.demo.behaviour import behaviour_events
from app.demo.companies import COMPANIES
from app.demo.subscriptions import subscription_events
from app.demo.trading import trading_events
from domain.access.rights import Member, Principal, Role, Tier
from domain.errors import AnalyticsError, Forbidden, Invalid
from domain.metrics.catalogue import METRICS
from eventlog.publish.event import Event
from projections.engine.declare.registry import all_projections, all_registered
from projections.engine.query.request import Question
from read_api.answers.questions import Questions
from tests.laws.test_folds import NewDatabase
from tests.projections.harness import ReadModels
from tests.projections.small_company import company
from tests.support.examples import examples
from tests.support.needed import needed_by

DUNE = COMPANIES[-1].company_id
MEMBERS = (("acme", "u1"), (DUNE, "u002"))
NOW = datetime(2026, 1, 1, tzinfo=UTC)
STANDS_FOR = ("position", "as_of", "complete")  # of rows that say it themselves: the log differs, not the answer
REFUSED = "forbidden_member"


@cache
def events() -> Sequence[Event]:
    """All that happened to a company worked out by hand, and to some users of one of the sample."""
    parts = (part(COMPANIES[-1]) for part in (trading_events, subscription_events, behaviour_events))
    return [*company(), *(event for part in parts for event in part if event.envelope.user_id < "u010")]


def member_of(company: str, *users: str) -> Principal:
    """A member of the company who is these users."""
    named = Member(frozenset(users))
    return Principal("somebody", frozenset({company}), frozenset({Role.MEMBER}), Tier.ENTERPRISE, member=named)


def manager_of(company: str) -> Principal:
    return Principal("manager", frozenset({company}), frozenset({Role.ADMIN, Role.AUDITOR}), Tier.ENTERPRISE)


def questions_over(models: ReadModels) -> Questions:
    """Questions to these read models, as every door asks them."""
    nothing: Any = None  # nobody waits for a position here
    store = models.reads
    still: Any = SimpleNamespace(next=asyncio.Event)  # nothing moves
    return Questions(store, still, nothing, patience=1, now=lambda: NOW, of_member=store.of_member)


@pytest.fixture
async def whole(new_database: NewDatabase) -> AsyncIterator[Questions]:
    """All events."""
    async with AsyncExitStack() as stack:
        yield await _filled(stack, new_database(), events())


async def _filled(stack: AsyncExitStack, url: str, some: Sequence[Event]) -> Questions:
    models = ReadModels(url)
    stack.push_async_callback(models.close)
    models.given(some)
    await models.reads.open()
    return questions_over(models)


def asked(company: str) -> Iterator[Question]:
    """Every query with what it needs, and every metric."""
    for name, query in all_registered().items():
        yield Question(name, company, needed_by(query), NOW)
    for key, entry in METRICS.items():
        yield Question("metric", company, {"key": key}, NOW)
        if "month" in entry.dimensions:
            yield Question("metric", company, {"key": key, "by": "month"}, NOW)


async def answered(questions: Questions, who: Principal, question: Question) -> list[dict[str, Any]] | str:
    """The rows, or the code of the refusal."""
    try:
        rows = (await questions.ask(who, question))["rows"]
    except AnalyticsError as error:
        return error.code
    return [{name: value for name, value in row.items() if name not in STANDS_FOR} for row in rows]


@pytest.mark.ci  # every query twice
async def test_a_member_gets_what_its_own_events_give(whole: Questions, new_database: NewDatabase) -> None:
    """An instance that has nothing but the user's events is the recount; what it cannot tell of a user is refused."""
    wrong: list[object] = []
    told, refused = set[str](), set[str]()
    async with AsyncExitStack() as stack:
        for who, user in MEMBERS:
            own = [event for event in events() if (event.envelope.company_id, event.envelope.user_id) == (who, user)]
            alone, others = await _filled(stack, new_database(), own), _users(who) - {user}
            for question in asked(who):
                found = await answered(whole, member_of(who, user), question)
                if found == REFUSED:
                    refused.add(question.name)
                    continue
                told.add(question.name)
                if isinstance(found, list):
                    question = whole.allowed(member_of(who, user), question)
                recount = await answered(alone, manager_of(who), replace(question, member=None))
                if found != recount or (isinstance(found, list) and _names(found) & others):
                    wrong.append((user, question.name, question.params, found, recount))
    assert wrong == []
    of_users = {name for name, query in all_registered().items() if "user_id" in {p.name for p in query.params}}
    opened = {name for name, query in all_registered().items() if query.open_to_members}
    assert told - opened <= of_users
    assert refused >= set(all_registered()) - of_users - opened
    assert {"trading_totals", "trades", "sessions", "trading_metrics", "market_bars", "metric"} <= told


def _users(company: str) -> set[str]:
    return {e.envelope.user_id for e in events() if e.envelope.company_id == company and e.envelope.user_id}


def _names(rows: list[dict[str, Any]]) -> set[str]:
    """Texts that stand by themselves in an answer."""
    return set(json.dumps(rows, default=str).split('"'))


async def test_nobody_elses_user_is_told_of(whole: Questions) -> None:
    """Named as a parameter, one that there is and one that there is not are the same refusal, with every query.

    Who is several users says which one is meant.
    """
    for question in asked("acme"):
        refusals = []
        for user in ("u2", "nobody", ""):
            params: Mapping[str, str] = {**question.params, "user_id": user}
            with pytest.raises((Forbidden, Invalid)) as refused:
                await whole.ask(member_of("acme", "u1"), Question(question.name, "acme", params, NOW))
            refusals.append((refused.value.code, str(refused.value)))
        assert len(set(refusals)) == 1
        assert refusals[0][0] in ("forbidden_user", REFUSED, "unknown_parameter")

    twice = member_of("acme", "u1", "u2")
    with pytest.raises(Invalid, match="name one of the users u1, u2"):
        await whole.ask(twice, Question("trades", "acme", {}, NOW))
    for user in ("u1", "u2"):
        question = Question("trades", "acme", {"user_id": user}, NOW)
        assert await answered(whole, twice, question) == await answered(whole, manager_of("acme"), question)


async def test_what_is_open_is_of_open_tables_alone() -> None:
    """A query that says it is open to members reads nothing that is of somebody."""
    from projections.engine.query.composed import tables_of

    for name, query in all_registered().items():
        if query.open_to_members:
            assert all(t.open_to_members for t in tables_of(Question(name, "acme", needed_by(query), NOW))), name


async def test_nobody_gets_an_answer_that_was_kept_for_another(whole: Questions) -> None:
    """Two members and a manager ask the same words, in both orders: whatever is kept by then, each gets its own."""
    people = (manager_of("acme"), member_of("acme", "u1"), member_of("acme", "u2"))
    for name, query in all_registered().items():
        question = Question(name, "acme", needed_by(query), NOW)
        first = [await answered(whole, who, question) for who in people]
        assert [await answered(whole, who, question) for who in reversed(people)] == first[::-1]
        later = replace(question, asked_at=NOW + timedelta(minutes=1))  # in which nothing is kept yet
        again = [await answered(whole, who, later) for who in reversed(people)]
        assert [await answered(whole, who, later) for who in people] == again[::-1]


TABLES = [
    (projection.name, table)
    for projection in all_projections().values()
    for table in projection.tables
    if table.of_users and not table.open_to_members
]


async def test_whatever_users_a_member_is_its_rows_are_theirs(new_database: NewDatabase) -> None:
    """Of every table with users: for random sets of them exactly the company's rows of these, and no others."""
    models = ReadModels(new_database())
    models.given(list(events()))
    await models.reads.open()
    rows: dict[str, list[tuple[object, ...]]] = {}
    for projection, table in TABLES:
        sql = f"SELECT * FROM {{{table.name}}}"
        rows[table.name] = list((await models.reads.ask(DUNE, projection, sql, ())).rows)
    tried: list[tuple[frozenset[str], str, list[tuple[object, ...]]]] = []

    @settings(max_examples=examples(10), deadline=None)
    @given(st.sets(st.sampled_from([*sorted(_users(DUNE)), "nobody", "u1", "*"]), min_size=1, max_size=20))
    def drawn(users: set[str]) -> None:
        tried.append((frozenset(users), "", []))

    drawn()
    for users, _, _ in tried:
        store = models.reads.of_member(Member(users))
        for projection, table in TABLES:
            place = [c.name for c in table.columns].index("user_id")
            found = (await store.ask(DUNE, projection, f"SELECT * FROM {{{table.name}}}", ())).rows
            wanted = [row for row in rows[table.name] if row[place] in users]
            assert sorted(map(repr, found)) == sorted(map(repr, wanted))
    await models.close()
