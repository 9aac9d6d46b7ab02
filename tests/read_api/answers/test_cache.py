"""Answers that are kept: right at their position, given at once, and made anew after a movement."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.errors import Unavailable
from domain.ports import Answer, Checkpoint
from projections.engine.query.formatting import age
from projections.engine.query.request import Question
from read_api.answers.cache import BEHIND, MOST_ANSWERS, SHARE, AnswerCache

NOON = datetime(2025, 3, 31, 12, 0, 5, tzinfo=UTC)
KPIS = Question("kpis", "acme", {"at": "2025-03-15"}, NOON)
OF_ONE = Question("trading_metrics", "acme", {"user_id": "u1"}, NOON)


def of(company: str) -> Question:
    """The same question of another company."""
    return replace(KPIS, company=company)


def later(**after: float) -> Question:
    """The same question, asked so much later."""
    return replace(KPIS, asked_at=NOON + timedelta(**after))


class Store:
    """Every projection stands at one position; answers tell it, and cost what `seconds` says."""

    def __init__(self) -> None:
        self.position, self.now, self.seconds = 1, 1000.0, 0.1
        self.made = self.looked = self.moves_first = 0
        self.moves_while_making = self.away = False
        self.asked_at = NOON

    async def ask(self, company: str, projection: str, sql: str, params: Sequence[object]) -> Answer:
        raise AssertionError("answers are made by `make`")

    async def checkpoints(self, projections: Sequence[str]) -> Mapping[str, Checkpoint]:
        self.looked += 1
        if self.away:
            raise Unavailable("away")
        return {name: Checkpoint(1, f"trading:0={self.position}", 1_700_000_000_000, True, 0) for name in projections}

    async def make(self, question: Question) -> dict[str, Any]:
        self.made += 1
        self.asked_at = question.asked_at
        self.now += self.seconds
        self.position += self.moves_first
        told = {"rows": [self.position], "company": question.company, "position": f"trading:0={self.position}"}
        self.position += self.moves_while_making
        await asyncio.sleep(0)
        return told | {"as_of": "2023-11-14T22:13:20Z", "complete": True, "lag_ms": 0}


@pytest.fixture
def store() -> Store:
    """A store."""
    return Store()


@pytest.fixture
def answers(store: Store) -> AnswerCache:
    """Answers of that store."""
    return AnswerCache(store, store.make, lambda: store.now)


async def settled() -> None:
    """What was begun is done."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_an_answer_is_made_once_a_position(store: Store, answers: AnswerCache) -> None:
    """However late it is asked again."""
    first = await answers.answer(KPIS)
    store.now += 3600
    assert await answers.answer(KPIS) == first
    assert store.made == 1


async def test_many_who_ask_at_once_are_one_question(store: Store, answers: AnswerCache) -> None:
    """At first, and when the answer that was kept is too old to be given."""
    for position in (1, 2):
        store.position = position
        told = await asyncio.gather(*(answers.answer(KPIS) for _ in range(20)))
        assert [each["rows"] for each in told] == [[position]] * 20
        assert store.made == position
        store.now += BEHIND + 1


async def test_what_fails_fails_for_all_and_is_asked_again(store: Store, answers: AnswerCache) -> None:
    """A failure is nobody's answer."""
    store.away = True
    told = await asyncio.gather(*(answers.answer(KPIS) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in told] == [Unavailable] * 3
    store.away = False
    assert (await answers.answer(KPIS))["rows"] == [1]


async def test_companies_and_parameters_have_answers_of_their_own(store: Store, answers: AnswerCache) -> None:
    """Nobody gets what another company was told."""
    asked = [KPIS, of("other"), replace(KPIS, params={"at": "2025-04-15"})]
    assert [(await answers.answer(each))["company"] for each in asked] == ["acme", "other", "acme"]
    assert store.made == 3


async def test_after_a_movement_the_old_answer_says_so_and_the_new_one_is_made_meanwhile(
    store: Store, answers: AnswerCache
) -> None:
    """Nobody waits: the old answer at the old position first, then the new one."""
    await answers.answer(KPIS)
    store.position, store.now = 2, store.now + 2 * SHARE * store.seconds
    old = await answers.answer(KPIS)
    assert (old["rows"], old["position"], old["complete"]) == ([1], "trading:0=1", False)
    assert old["lag_ms"] > 0
    await settled()
    new = await answers.answer(KPIS)
    assert (new["rows"], new["complete"], store.made) == ([2], True, 2)


async def test_an_answer_that_was_long_not_right_is_not_given(store: Store, answers: AnswerCache) -> None:
    """Whoever comes after a while waits for the new one."""
    await answers.answer(KPIS)
    store.position, store.now = 2, store.now + BEHIND + 1
    assert (await answers.answer(KPIS))["rows"] == [2]


async def test_what_costs_much_is_made_anew_seldom(store: Store, answers: AnswerCache) -> None:
    """At most a share of the time is spent on one question, however often things move and somebody asks."""
    store.seconds = 4.0
    await answers.answer(KPIS)
    for _ in range(SHARE * 4 - 1):
        store.position, store.now = store.position + 1, store.now + 1
        assert (await answers.answer(KPIS))["rows"] == [1]
        await settled()
    assert store.made == 1


async def test_answers_are_made_anew_one_at_a_time(store: Store, answers: AnswerCache) -> None:
    """Those who ask meanwhile need the store as well: whoever asks later has the next one made anew."""
    companies = ("acme", "other", "third")
    for company in companies:
        await answers.answer(of(company))
    store.position, store.now = 2, store.now + 2 * SHARE * store.seconds
    for made in (3, 4, 5, 6):
        assert store.made == made
        for company in companies:
            await answers.answer(of(company))
        await settled()


async def test_a_movement_while_it_was_made_leaves_it_unsure(store: Store, answers: AnswerCache) -> None:
    """Its parts may stand for different positions: it is given for a while, and never as the answer of a position."""
    store.moves_while_making = True
    await answers.answer(KPIS)
    assert not (await answers.answer(KPIS))["complete"]


async def test_the_answer_of_one_projection_says_itself_where_it_stands(store: Store, answers: AnswerCache) -> None:
    """One look at the checkpoint is enough; where the answer is newer than what was seen then, it stays unsure."""
    await answers.answer(OF_ONE)
    assert store.looked == 1
    assert (await answers.answer(OF_ONE))["complete"]
    store.moves_first = 1
    await answers.fresh(OF_ONE)
    assert not (await answers.answer(OF_ONE))["complete"]


async def test_what_is_asked_afresh_is_computed_and_kept(store: Store, answers: AnswerCache) -> None:
    """For those who need a newer position, and for live feeds."""
    await answers.answer(KPIS)
    assert (await answers.fresh(KPIS))["rows"] == [1]
    assert store.made == 2
    await answers.answer(KPIS)
    assert store.made == 2


async def test_cheap_queries_are_not_kept(store: Store, answers: AnswerCache) -> None:
    """Only those that say so."""
    for _ in range(2):
        await answers.answer(replace(KPIS, name="trades", params={}))
    assert store.made == 2


async def test_where_the_store_is_away_nothing_old_is_given(store: Store, answers: AnswerCache) -> None:
    """Whether it is right cannot be known then."""
    await answers.answer(KPIS)

    store.away = True
    with pytest.raises(Unavailable):
        await answers.answer(KPIS)


async def test_in_a_minute_all_are_told_the_same(store: Store, answers: AnswerCache) -> None:
    """What "now" means is the minute's beginning, so that the answer depends on nothing but position and minute."""
    await answers.answer(KPIS)
    assert (await answers.answer(later(seconds=54)))["complete"]
    assert (store.made, store.asked_at) == (1, NOON.replace(second=0))


async def test_when_the_minute_turns_the_answer_is_made_anew(store: Store, answers: AnswerCache) -> None:
    """Though nothing moved: whether it still stands depends on the time. Nobody waits for the new one."""
    await answers.answer(KPIS)
    store.now += 2 * SHARE * store.seconds
    old = await answers.answer(later(seconds=55))
    assert (old["complete"], old["lag_ms"]) == (False, age(old["as_of"], NOON + timedelta(seconds=55)))
    await settled()
    assert (await answers.answer(later(seconds=56)))["complete"]
    assert (store.made, store.asked_at) == (2, NOON.replace(minute=1, second=0))


@pytest.mark.parametrize("quarter", [0, 15, 30, 45])
async def test_no_answer_is_given_across_the_turn_of_a_day(store: Store, answers: AnswerCache, quarter: int) -> None:
    """One warmed before midnight is none after it, however short both lie apart: zones turn at quarters of an hour."""
    midnight = datetime(2025, 4, 1, 0, quarter, tzinfo=UTC)
    await answers.answer(replace(KPIS, asked_at=midnight - timedelta(seconds=1)))
    told = await answers.answer(replace(KPIS, asked_at=midnight))
    assert (told["complete"], store.made, store.asked_at) == (True, 2, midnight)


async def test_a_computation_under_way_is_shared_within_its_minute_alone(store: Store, answers: AnswerCache) -> None:
    """Whoever asks after the turn is not told what was begun before it."""
    midnight = datetime(2025, 4, 1, tzinfo=UTC)
    asked = [midnight - timedelta(seconds=1), midnight, midnight + timedelta(seconds=1)]
    await asyncio.gather(*(answers.answer(replace(KPIS, asked_at=at)) for at in asked))
    assert store.made == 2


async def test_only_so_many_are_kept(store: Store, answers: AnswerCache) -> None:
    """The one that was asked for least recently goes first, and not the one that was made first."""
    for number in range(MOST_ANSWERS):
        await answers.answer(of(f"company-{number}"))
    await answers.answer(of("company-0"))
    await answers.answer(of(f"company-{MOST_ANSWERS}"))
    assert store.made == MOST_ANSWERS + 1
    await answers.answer(of("company-0"))
    assert store.made == MOST_ANSWERS + 1
    await answers.answer(of("company-1"))
    assert store.made == MOST_ANSWERS + 2
