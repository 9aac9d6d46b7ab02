"""Answers that are kept: right at their position, given at once, and made anew after a movement."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from domain.errors import Unavailable
from domain.ports import Answer, Checkpoint
from projections.engine.composed import Part
from read_api.kept import BEHIND, KEPT, SHARE, KeptAnswers

KPIS = Part("kpis", {"at": "2025-03-15"})
OF_ONE = Part("trading_metrics", {"user_id": "u1"})


class Store:
    """Every projection stands at one position; answers tell it, and cost what `seconds` says."""

    def __init__(self) -> None:
        self.position, self.now, self.seconds = 1, 1000.0, 0.1
        self.made = self.looked = self.moves_first = 0
        self.moves_while_making = self.away = False

    async def ask(self, company: str, projection: str, sql: str, params: Sequence[object]) -> Answer:
        raise AssertionError("answers are made by `make`")

    async def checkpoints(self, projections: Sequence[str]) -> Mapping[str, Checkpoint]:
        self.looked += 1
        if self.away:
            raise Unavailable("away")
        return {name: Checkpoint(1, f"trading:0={self.position}", 1_700_000_000_000, True, 0) for name in projections}

    async def make(self, part: Part, company: str) -> dict[str, Any]:
        self.made += 1
        self.now += self.seconds
        self.position += self.moves_first
        told = {"rows": [self.position], "company": company, "position": f"trading:0={self.position}"}
        self.position += self.moves_while_making
        await asyncio.sleep(0)
        return told | {"as_of": "2023-11-14T22:13:20Z", "complete": True, "lag_ms": 0}


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store in a minute that does not end."""
    monkeypatch.setattr("read_api.kept._minute", lambda: 7)
    return Store()


@pytest.fixture
def kept(store: Store) -> KeptAnswers:
    """Answers of that store."""
    return KeptAnswers(store, store.make, lambda: store.now)


async def settled() -> None:
    """What was begun is done."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_an_answer_is_made_once_a_position(store: Store, kept: KeptAnswers) -> None:
    """However late it is asked again."""
    first = await kept.answer(KPIS, "acme")
    store.now += 3600
    assert await kept.answer(KPIS, "acme") == first
    assert store.made == 1


async def test_many_who_ask_at_once_are_one_question(store: Store, kept: KeptAnswers) -> None:
    """At first, and when the answer that was kept is too old to be given."""
    for position in (1, 2):
        store.position = position
        told = await asyncio.gather(*(kept.answer(KPIS, "acme") for _ in range(20)))
        assert [each["rows"] for each in told] == [[position]] * 20
        assert store.made == position
        store.now += BEHIND + 1


async def test_what_fails_fails_for_all_and_is_asked_again(store: Store, kept: KeptAnswers) -> None:
    """A failure is nobody's answer."""
    store.away = True
    told = await asyncio.gather(*(kept.answer(KPIS, "acme") for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in told] == [Unavailable] * 3
    store.away = False
    assert (await kept.answer(KPIS, "acme"))["rows"] == [1]


async def test_companies_and_parameters_have_answers_of_their_own(store: Store, kept: KeptAnswers) -> None:
    """Nobody gets what another company was told."""
    asked = [(KPIS, "acme"), (KPIS, "other"), (Part("kpis", {"at": "2025-04-15"}), "acme")]
    assert [(await kept.answer(*each))["company"] for each in asked] == ["acme", "other", "acme"]
    assert store.made == 3


async def test_after_a_movement_the_old_answer_says_so_and_the_new_one_is_made_meanwhile(
    store: Store, kept: KeptAnswers
) -> None:
    """Nobody waits: the old answer at the old position first, then the new one."""
    await kept.answer(KPIS, "acme")
    store.position, store.now = 2, store.now + 2 * SHARE * store.seconds
    old = await kept.answer(KPIS, "acme")
    assert (old["rows"], old["position"], old["complete"]) == ([1], "trading:0=1", False)
    assert old["lag_ms"] > 0
    await settled()
    new = await kept.answer(KPIS, "acme")
    assert (new["rows"], new["complete"], store.made) == ([2], True, 2)


async def test_an_answer_that_was_long_not_right_is_not_given(store: Store, kept: KeptAnswers) -> None:
    """Whoever comes after a while waits for the new one."""
    await kept.answer(KPIS, "acme")
    store.position, store.now = 2, store.now + BEHIND + 1
    assert (await kept.answer(KPIS, "acme"))["rows"] == [2]


async def test_what_costs_much_is_made_anew_seldom(store: Store, kept: KeptAnswers) -> None:
    """At most a share of the time is spent on one question, however often things move and somebody asks."""
    store.seconds = 4.0
    await kept.answer(KPIS, "acme")
    for _ in range(SHARE * 4 - 1):
        store.position, store.now = store.position + 1, store.now + 1
        assert (await kept.answer(KPIS, "acme"))["rows"] == [1]
        await settled()
    assert store.made == 1


async def test_answers_are_made_anew_one_at_a_time(store: Store, kept: KeptAnswers) -> None:
    """Those who ask meanwhile need the store as well: whoever asks later has the next one made anew."""
    companies = ("acme", "other", "third")
    for company in companies:
        await kept.answer(KPIS, company)
    store.position, store.now = 2, store.now + 2 * SHARE * store.seconds
    for made in (3, 4, 5, 6):
        assert store.made == made
        for company in companies:
            await kept.answer(KPIS, company)
        await settled()


async def test_a_movement_while_it_was_made_leaves_it_unsure(store: Store, kept: KeptAnswers) -> None:
    """Its parts may stand for different positions: it is given for a while, and never as the answer of a position."""
    store.moves_while_making = True
    await kept.answer(KPIS, "acme")
    assert not (await kept.answer(KPIS, "acme"))["complete"]


async def test_the_answer_of_one_projection_says_itself_where_it_stands(store: Store, kept: KeptAnswers) -> None:
    """One look at the checkpoint is enough; where the answer is newer than what was seen then, it stays unsure."""
    await kept.answer(OF_ONE, "acme")
    assert store.looked == 1
    assert (await kept.answer(OF_ONE, "acme"))["complete"]
    store.moves_first = 1
    await kept.fresh(OF_ONE, "acme")
    assert not (await kept.answer(OF_ONE, "acme"))["complete"]


async def test_what_is_asked_afresh_is_computed_and_kept(store: Store, kept: KeptAnswers) -> None:
    """For those who need a newer position, and for live feeds."""
    await kept.answer(KPIS, "acme")
    assert (await kept.fresh(KPIS, "acme"))["rows"] == [1]
    assert store.made == 2
    await kept.answer(KPIS, "acme")
    assert store.made == 2


async def test_cheap_queries_are_not_kept(store: Store, kept: KeptAnswers) -> None:
    """Only those that say so."""
    for _ in range(2):
        await kept.answer(Part("trades"), "acme")
    assert store.made == 2


async def test_where_the_store_is_away_nothing_old_is_given(store: Store, kept: KeptAnswers) -> None:
    """Whether it is right cannot be known then."""
    await kept.answer(KPIS, "acme")

    store.away = True
    with pytest.raises(Unavailable):
        await kept.answer(KPIS, "acme")


async def test_only_so_many_are_kept(store: Store, kept: KeptAnswers) -> None:
    """The one that was made first goes first."""
    for number in range(KEPT + 1):
        await kept.answer(KPIS, f"company-{number}")
    await kept.answer(KPIS, f"company-{KEPT}")
    assert store.made == KEPT + 1
    await kept.answer(KPIS, "company-0")
    assert store.made == KEPT + 2
