"""Composed queries: their rows are computed from other queries, and stand for what all of these have seen."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest

from domain.access.rights import OPERATOR, Feature, Principal, Role, Tier
from domain.errors import AnalyticsError, Forbidden, Invalid
from domain.ports import Answer
from projections.engine.declare import registry
from projections.engine.query import ask, composed
from projections.engine.query.answer_row import Rows
from projections.engine.query.ask import answer, asking, find
from projections.engine.query.company_settings import SETTINGS
from projections.engine.query.composed import (
    ASKED_AT_ONCE,
    Composed,
    Part,
    Select,
    features_of,
    projections_of,
    topics_of,
)
from projections.engine.query.params import FROM, MAX_ROWS, Param
from projections.engine.query.plain import Statement
from projections.engine.query.request import Answerable, Question, Request, read_request
from read_api.answers.questions import SINCE, Questions, moves_with

ALL_USERS = Select("user_activity", Statement("SELECT array_agg(user_id) AS users FROM {user_quarter}", ()))


class Stored:
    """A read store that answers by projection, and remembers what it was asked."""

    def __init__(self, **answers: Answer) -> None:
        self.answers, self.asked = answers, list[tuple[str, str, str]]()
        self.waiting = self.most_waiting = 0

    async def ask(self, company: str, projection: str, sql: str, params: Sequence[object]) -> Answer:
        """What was laid down for the projection; the company has set no calendar."""
        if sql == SETTINGS:
            return stored_answer([], ["calendar"], "")
        self.asked.append((company, projection, sql))
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)
        await asyncio.sleep(0)
        self.waiting -= 1
        return self.answers[projection]


def stored_answer(rows: Sequence[tuple[object, ...]], columns: Sequence[str], position: str, **known: Any) -> Answer:
    """An answer of a projection."""
    fresh: dict[str, Any] = {"as_of": 2_000, "complete": True, "lag_ms": 0, "definition_version": 1, **known}
    return Answer(columns, rows, position, **fresh)


def parts(request: Request) -> Mapping[str, Part | Select]:
    """Sessions as they are listed, and all users as one array."""
    return {"sessions": Part("sessions", {"user_id": request.get("user", "u1")}), "users": ALL_USERS}


def combine(request: Request, found: Mapping[str, Rows]) -> Rows:
    """How many sessions there are for how many users."""
    return [{"sessions": len(found["sessions"]), "users": len(found["users"][0]["users"])}]


VISITS = Composed(
    "visits", "Sessions and users.", (FROM, Param("user", "whose")), parts, combine, dict[str, Any], version=3
)
ASKED = datetime(2025, 3, 31, tzinfo=UTC)
COLUMNS = ("user_id", "session_id", "started", "ended", "events")


def question(name: str, params: Mapping[str, str] = MappingProxyType({})) -> Question:
    """Of acme."""
    return Question(name, "acme", params, ASKED)


def stored(**known: Any) -> Stored:
    """Both parts come from one projection here; `known` changes what it says of itself."""
    return Stored(
        user_activity=stored_answer(
            [(["u1", "u2"], "", None, None, 1)], ("users", *COLUMNS[1:]), "user-behavior:0=5", **known
        )
    )


async def answer_of(query: Answerable, question: Question, store: Stored) -> dict[str, Any]:
    """What this query answers, registered or not."""
    return await query.answer(read_request(query, question), asking(store))


async def test_rows_are_combined_and_stand_for_what_all_parts_have_seen() -> None:
    """Of each partition the least; complete if all are; the oldest moment, the largest lag, a version of its own."""
    two = Composed(
        "two",
        "Two projections.",
        (),
        lambda _: {"users": ALL_USERS, "trades": Select("trading", Statement("SELECT 1", ()))},
        lambda _, found: [{"seen": sorted(found), "users": found["users"][0]["users"]}],
        dict[str, Any],
        version=7,
    )
    store = Stored(
        user_activity=stored_answer([(["u1"],)], ("users",), "user-behavior:0=5,1=7", as_of=1_000, lag_ms=3),
        trading=stored_answer([(1,)], ("n",), "trading-events:0=9", complete=False, lag_ms=8),
    )
    assert await answer_of(two, question("visits", {}), store) == {
        "query": "two",
        "definition_version": 7,
        "position": "trading-events:0=9;user-behavior:0=5,1=7",
        "as_of": "1970-01-01T00:00:01Z",
        "complete": False,
        "lag_ms": 8,
        "rows": [{"seen": ["trades", "users"], "users": ["u1"]}],
    }
    assert {company for company, _, _ in store.asked} == {"acme"}


async def test_of_two_parts_that_read_one_stream_the_one_behind_says_the_position() -> None:
    """A partition that one of them has not begun is not named at all."""
    both = Composed(
        "both",
        "Two projections of one stream.",
        (),
        lambda _: {"a": ALL_USERS, "b": Select("user_steps", Statement("SELECT 1", ()))},
        lambda _, __: [],
        dict[str, Any],
    )
    store = Stored(
        user_activity=stored_answer([(["u1"],)], ("users",), "user-behavior:0=5,1=7,2=3"),
        user_steps=stored_answer([(1,)], ("n",), "user-behavior:0=6,1=2"),
    )
    assert (await answer_of(both, question("visits", {}), store))["position"] == "user-behavior:0=5,1=2"


async def test_a_question_under_two_names_is_asked_once() -> None:
    """Both names have its rows."""
    twice = replace(
        VISITS,
        parts=lambda _: {
            "now": ALL_USERS,
            "before": replace(ALL_USERS),
            "other": replace(ALL_USERS, projection="user_steps"),
        },
        combine=lambda _, found: [{name: len(rows) for name, rows in found.items()}],
    )
    of_one = stored_answer([(["u1"],)], ("users",), "user-behavior:0=5")
    store = Stored(user_activity=of_one, user_steps=of_one)
    assert (await answer_of(twice, question("visits", {}), store))["rows"] == [{"now": 1, "before": 1, "other": 1}]
    assert len(store.asked) == 2


async def test_one_question_leaves_connections_to_others() -> None:
    """However many parts it has, the store answers a few of them at a time."""
    statements = [Select("user_activity", Statement(f"SELECT {number}", ())) for number in range(3 * ASKED_AT_ONCE)]
    many = replace(VISITS, parts=lambda _: dict(zip("abcdefghijklmnopqrstuvwxyz", statements, strict=False)))
    store = stored()
    await answer_of(replace(many, combine=lambda _, found: []), question("visits"), store)
    assert (len(store.asked), store.most_waiting) == (3 * ASKED_AT_ONCE, ASKED_AT_ONCE)


async def test_nothing_is_known_of_the_moment_where_a_part_does_not_know_it() -> None:
    """A projection that never confirmed anything makes the moment of the whole unknown."""
    store = Stored(user_activity=stored_answer([(["u1"],)], ("users",), "", as_of=0))
    one = replace(VISITS, parts=lambda _: {"users": ALL_USERS}, combine=lambda _, found: found["users"])
    assert (await answer_of(one, question("visits", {}), store))["as_of"] is None


async def test_a_slow_combination_runs_beside_the_event_loop() -> None:
    """Whoever asks something else meanwhile does not wait for it."""
    import threading

    slow = replace(
        VISITS,
        parts=lambda _: {"users": ALL_USERS},
        combine=lambda _, __: [{"thread": threading.current_thread().name}],
        slow=True,
    )
    (row,) = (await answer_of(slow, question("visits", {}), stored()))["rows"]
    assert row["thread"].startswith("combine")


async def test_parts_have_no_row_limit() -> None:
    """A listing gives all rows to a composed query, and a page to everybody else."""
    store = Stored(user_activity=stored_answer([], COLUMNS, ""))
    one = replace(VISITS, parts=lambda _: {"sessions": Part("sessions")}, combine=lambda _, found: found["sessions"])
    await answer_of(one, question("visits", {}), store)
    await answer(question("sessions", {}), store)
    limits = [int(sql.rpartition("LIMIT ")[2]) for _, _, sql in store.asked]
    assert limits[0] > MAX_ROWS > limits[1]


async def test_parameters_are_read_like_those_of_every_query() -> None:
    """Unknown ones are refused before anything is asked."""
    store = stored()
    with pytest.raises(Invalid, match="no parameter 'nonsense'"):
        await answer_of(VISITS, question("visits", {"nonsense": "1"}), store)
    assert store.asked == []


@pytest.fixture
def registered_visits(monkeypatch: pytest.MonkeyPatch) -> Composed[Any]:
    """A composed query that needs a feature, and one that asks it in turn."""
    gated = replace(VISITS, feature=Feature.FUNNELS)
    outer = replace(VISITS, name="outer", parts=lambda _: {"inner": Part("visits")})
    compare = replace(VISITS, name="compare", params=(Param(SINCE, "first day"),))
    found = {**registry.all_registered(), "visits": gated, "outer": outer, "compare": compare}
    for module in (ask, composed):
        monkeypatch.setattr(module, "all_registered", lambda: found)
    return gated


def person(tier: Tier) -> Principal:
    """An analyst of acme with this tier."""
    return Principal("ann", frozenset({"acme"}), frozenset({Role.ANALYST}), tier)


def questions() -> Questions:
    """Of which nothing but what somebody may ask is used."""
    nothing: Any = None
    return Questions(nothing, nothing, nothing, patience=1, now=lambda: ASKED)


def test_who_may_ask_must_be_open_to_what_the_parts_need(registered_visits: Composed[Any]) -> None:
    """A feature is needed however deep the query lies that needs it."""
    assert features_of(question("outer")) == {Feature.FUNNELS}
    for name in ("visits", "outer"):
        with pytest.raises(Forbidden, match="does not open 'funnels'") as refused:
            questions().allowed(person(Tier.FREE), question(name))
        assert refused.value.code == "forbidden_tier"
        assert questions().allowed(person(Tier.BASIC), question(name)) == question(name)
        with pytest.raises(Forbidden, match="may not see company other"):
            questions().allowed(person(Tier.BASIC), replace(question(name), company="other"))


def test_a_tier_that_sees_the_last_days_is_told_where_they_begin(registered_visits: Composed[Any]) -> None:
    """Whatever somebody says themselves; and whoever sees everything may say it."""
    asked = question("compare", {SINCE: "1999-01-01"})
    assert questions().allowed(person(Tier.FREE), asked).params == {SINCE: "2025-03-01"}
    assert questions().allowed(OPERATOR, asked).params == asked.params


def test_what_an_answer_is_made_of_is_known_before_it_is_asked(registered_visits: Composed[Any]) -> None:
    """For position tokens, and for whoever waits for something to move."""
    assert projections_of(question("outer")) == {"user_activity"}
    assert topics_of(projections_of(question("outer"))) == {"user-behavior"}
    assert moves_with(question("visits")) == "*"
    assert moves_with(question("sessions")) == "user_activity"


def test_a_composed_query_has_no_rows_of_its_own_to_explain(registered_visits: Composed[Any]) -> None:
    """The error says what to do instead."""
    with pytest.raises(AnalyticsError, match="made of other queries"):
        find("visits")
