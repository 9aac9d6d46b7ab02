"""Answers that are kept: the same while nothing of the company moved, computed once, and never anybody else's."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.access.rights import Member
from domain.errors import Unavailable
from domain.ports import Answer, Checkpoint
from projections.engine.query.asked_at import LastingAnswer
from projections.engine.query.formatting import age
from projections.engine.query.request import Question
from read_api.answers import cache
from read_api.answers.cache import LOOK, SHARE, WORTH, AnswerCache, Freshness, minute_of
from read_api.answers.cache_tiers import FAILURES, GuardedTier, Tiers

NOON = datetime(2025, 3, 31, 12, 0, 5, tzinfo=UTC)
KPIS = Question("kpis", "acme", {"at": "2025-03-15"}, NOON)
STALE = Freshness(max_staleness=10.0)


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
        self.made = self.looked = 0
        self.moves_while_making = ""
        self.away = False
        self.asked_at = NOON
        self.lasts = timedelta(microseconds=1)
        self.rows_of: defaultdict[str, int] = defaultdict(int)
        self.moved = asyncio.Event()

    def move(self, company: str) -> None:
        """Something of a company is folded."""
        self.position += 1
        self.rows_of[company] = self.position
        self.moved.set()

    def next_move(self) -> asyncio.Event:
        if self.moved.is_set():
            self.moved = asyncio.Event()
        return self.moved

    async def ask(self, company: str, projection: str, sql: str, params: Sequence[object]) -> Answer:
        raise AssertionError("answers are made by `make`")

    async def checkpoints(self, projections: Sequence[str], company: str = "") -> Mapping[str, Checkpoint]:
        self.looked += 1
        if self.away:
            raise Unavailable("away")
        at, own = f"trading-events:0={self.position}", f"trading-events:0={self.rows_of[company]}"
        return {name: Checkpoint(1, at, 1_700_000_000_000, True, 0, own) for name in projections}

    async def make(self, question: Question) -> LastingAnswer:
        self.made += 1
        self.asked_at = question.asked_at
        self.now += self.seconds
        rows = [{"company": question.company, "rows_of": self.rows_of[question.company]}]
        told: dict[str, Any] = {"rows": rows, "position": f"trading-events:0={self.position}"}
        if self.moves_while_making:
            self.move(self.moves_while_making)
        await asyncio.sleep(0)
        told |= {"as_of": "2023-11-14T22:13:20Z", "complete": True, "lag_ms": 0}
        return LastingAnswer(told, question.asked_at, question.asked_at + self.lasts)


class Shelf:
    """A tier that can do anything wrong."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.calls = 0
        self.error: Exception | None = None

    async def get(self, name: str) -> bytes | None:
        self.calls += 1
        if self.error:
            raise self.error
        return self.values.get(name)

    async def put(self, name: str, value: bytes) -> None:
        if self.error:
            raise self.error
        self.values[name] = value


@pytest.fixture
def store() -> Store:
    """A store."""
    return Store()


@pytest.fixture
def answers(store: Store) -> AnswerCache:
    """Answers of that store."""
    return process(store)


def process(store: Store, *tiers: GuardedTier) -> AnswerCache:
    """Answers of that store in another process, which shares these tiers."""
    return AnswerCache(store, store.make, moved=store.next_move, tiers=Tiers(*tiers), clock=lambda: store.now)


def shelf(store: Store) -> tuple[Shelf, GuardedTier]:
    """A tier, as it is and guarded."""
    tier = Shelf()
    return tier, GuardedTier("shared", tier, WORTH, 1.0, clock=lambda: store.now)


async def settled() -> None:
    """What was begun is done."""
    for _ in range(8):
        await asyncio.sleep(0)


def rows_of(answer: Mapping[str, Any]) -> int:
    """Where the rows were that it was made of."""
    return int(answer["rows"][0]["rows_of"])


async def test_an_answer_is_made_once_while_nothing_of_the_company_moves(store: Store, answers: AnswerCache) -> None:
    """However much of others does; it says the position at which it still is the same."""
    first = await answers.answer(KPIS)
    for number in range(5):
        store.move(f"other-{number}")
        told = await answers.answer(KPIS)
        assert told == first | {"position": f"trading-events:0={store.position}"}
    assert store.made == 1
    store.move("acme")
    assert rows_of(await answers.answer(KPIS)) == store.position
    assert store.made == 2


async def test_a_look_at_positions_counts_until_something_moves(store: Store, answers: AnswerCache) -> None:
    """Or for so long, where the bus says nothing."""
    await answers.answer(KPIS)
    looked = store.looked
    for _ in range(10):
        await answers.answer(KPIS)
    assert store.looked == looked
    store.now += 2 * cache.LOOK
    await answers.answer(KPIS)
    assert store.looked == looked + 1


async def test_many_who_ask_at_once_are_one_question(store: Store, answers: AnswerCache) -> None:
    """At first, and after a movement."""
    for made in (1, 2):
        told = await asyncio.gather(*(answers.answer(KPIS) for _ in range(20)))
        assert [rows_of(each) for each in told] == [store.rows_of["acme"]] * 20
        assert store.made == made
        store.move("acme")


async def test_what_fails_fails_for_all_and_is_asked_again(store: Store, answers: AnswerCache) -> None:
    """A failure is nobody's answer."""
    store.away = True
    told = await asyncio.gather(*(answers.answer(KPIS) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in told] == [Unavailable] * 3
    store.away = False
    assert rows_of(await answers.answer(KPIS)) == 0


async def test_whoever_sees_something_else_has_an_answer_of_their_own(store: Store, answers: AnswerCache) -> None:
    """By company, parameters, and member."""
    member = replace(KPIS, member=Member(frozenset({"u1"})))
    asked = [KPIS, of("other"), replace(KPIS, params={"at": "2025-04-15"}), member]
    for _ in range(2):
        told = [(await answers.answer(each))["rows"][0]["company"] for each in asked]
        assert told == ["acme", "other", "acme", "acme"]
    assert store.made == 4


async def test_the_default_is_exact(store: Store, answers: AnswerCache) -> None:
    """Whoever says nothing waits for the answer of now."""
    await answers.answer(KPIS)
    store.move("acme")
    told = await answers.answer(KPIS)
    assert (rows_of(told), told["complete"]) == (2, True)


async def test_whoever_takes_an_older_one_gets_it_at_once(store: Store, answers: AnswerCache) -> None:
    """It says so; the new one is made meanwhile."""
    await answers.answer(KPIS)
    store.move("acme")
    store.now += 2 * SHARE * store.seconds
    old = await answers.answer(KPIS, STALE)
    assert (rows_of(old), old["position"], old["complete"]) == (0, "trading-events:0=1", False)
    assert old["lag_ms"] == age(old["as_of"], NOON)
    await settled()
    new = await answers.answer(KPIS, STALE)
    assert (rows_of(new), new["complete"], store.made) == (2, True, 2)


async def test_an_answer_that_was_long_not_right_is_not_given(store: Store, answers: AnswerCache) -> None:
    """Whoever comes after a while waits for the new one."""
    await answers.answer(KPIS)
    store.move("acme")
    store.now += STALE.max_staleness + 1
    assert rows_of(await answers.answer(KPIS, STALE)) == 2


async def test_what_costs_much_is_made_anew_seldom(store: Store, answers: AnswerCache) -> None:
    """At most a share of the time is spent on one question, however often things move and somebody asks."""
    store.seconds = 4.0
    await answers.answer(KPIS)
    for _ in range(SHARE * 4 - 1):
        store.move("acme")
        store.now += 1
        assert rows_of(await answers.answer(KPIS, Freshness(max_staleness=100.0))) == 0
        await settled()
    assert store.made == 1


async def test_force_refresh_computes_and_refills(store: Store, answers: AnswerCache) -> None:
    """Whatever is kept; whoever asks afterwards gets what it made."""
    await answers.answer(KPIS)
    store.rows_of["acme"] = 7  # as if somebody had changed rows behind everybody's back
    store.now += 1
    assert rows_of(await answers.answer(KPIS, Freshness(force_refresh=True))) == 7
    assert rows_of(await answers.answer(KPIS)) == 7
    assert store.made == 2


async def test_what_moved_while_it_was_made_is_the_answer_of_no_state(store: Store, answers: AnswerCache) -> None:
    """Its parts may stand for different ones: it is given to who takes an older one. Others' movements do no harm."""
    store.moves_while_making = "acme"
    await answers.answer(KPIS)
    assert not (await answers.answer(KPIS, STALE))["complete"]
    store.moves_while_making = "other"
    await answers.answer(KPIS)
    made = store.made
    await answers.answer(KPIS)
    assert store.made == made


async def test_what_is_asked_afresh_is_computed_and_kept(store: Store, answers: AnswerCache) -> None:
    """For those who need a newer position, and for live feeds."""
    await answers.answer(KPIS)
    await answers.fresh(KPIS)
    assert store.made == 2
    await answers.answer(KPIS)
    assert store.made == 2


async def test_cheap_queries_are_not_kept_and_those_that_cost_are(store: Store, answers: AnswerCache) -> None:
    """By what they cost lately."""
    cheap = replace(KPIS, name="trades", params={})
    store.seconds = WORTH / 10
    for _ in range(3):
        await answers.answer(cheap)
    assert store.made == 3
    store.seconds = WORTH * 2
    for _ in range(4):
        await answers.answer(cheap)
    assert store.made == 5


async def test_where_the_store_is_away_nothing_old_is_given(store: Store, answers: AnswerCache) -> None:
    """Whether it is right cannot be known then."""
    await answers.answer(KPIS)
    store.away = True
    store.now += 1
    with pytest.raises(Unavailable):
        await answers.answer(KPIS, STALE)


async def test_memory_is_bounded_by_bytes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was asked for least recently goes first, and not the one that was made first."""
    monkeypatch.setattr(cache, "MEMORY", 16_000)
    answers = process(store)
    for number in range(20):
        await answers.answer(of(f"company-{number}"))
        await answers.answer(of("company-0"))
    assert store.made == 20
    assert answers.figures()["bytes"] <= 16_000
    await answers.answer(of("company-0"))
    assert store.made == 20
    await answers.answer(of("company-1"))
    assert store.made == 21


async def test_another_process_finds_it_on_the_shelf(store: Store) -> None:
    """Exact there, too: at the state that it was made of, at the position of now."""
    _, guarded = shelf(store)
    first = await process(store, guarded).answer(KPIS)
    await settled()
    store.move("other")
    second = process(store, guarded)
    await second.answer(of("other"))  # what it costs is known by then
    told = await second.answer(KPIS)
    assert (told["rows"][0]["rows_of"], told["position"]) == (rows_of(first), "trading-events:0=2")
    assert (store.made, second.figures()["shared_hits"]) == (2, 1)
    store.move("acme")
    await second.answer(KPIS)
    assert store.made == 3


@pytest.mark.parametrize("harm", [lambda v: v[:-1], lambda v: v[:-1] + b"x", lambda v: b"", lambda v: v[:40]])
async def test_what_is_torn_or_of_another_key_is_computed(store: Store, harm: Any) -> None:
    """Whatever lies on the shelf under a name."""
    tier, guarded = shelf(store)
    first = process(store, guarded)
    await first.answer(KPIS)
    await first.answer(of("other"))
    await settled()
    foreign = dict(zip(tier.values, reversed(tier.values.values()), strict=True))
    for values in (foreign, {name: harm(value) for name, value in tier.values.items()}):
        tier.values = values
        second = process(store, guarded)
        for company in ("warming up", "acme", "other"):
            assert (await second.answer(of(company)))["rows"][0]["company"] == company
        await settled()


async def test_a_shelf_that_fails_is_left_alone_for_a_while(store: Store) -> None:
    """Answers are computed meanwhile; then it is asked again."""
    tier, guarded = shelf(store)
    tier.error = Unavailable("away")
    answers = process(store, guarded)
    for number in range(10):
        await answers.answer(of(f"company-{number}"))
        store.now -= store.seconds
    assert (store.made, guarded.answers, guarded.counts["failures"]) == (10, False, FAILURES)
    tier.error, store.now = None, store.now + 100
    calls = tier.calls
    await answers.answer(of("another"))
    assert (tier.calls, guarded.answers) == (calls + 1, True)


async def test_what_warming_made_is_told_apart(store: Store, answers: AnswerCache) -> None:
    """What it cost, and what it saved those who asked."""
    assert await answers.warm(KPIS) == pytest.approx(store.seconds)
    assert await answers.warm(KPIS) == 0.0
    await answers.answer(of("other"))
    for _ in range(3):
        await answers.answer(KPIS)
    figures = answers.figures()
    assert (figures["warmed"], figures["warmed_hits"], figures["process_hits"]) == (1, 3, 3)
    assert figures["saved_by_warming_seconds"] == pytest.approx(3 * store.seconds)
    assert answers.hit_rates() == pytest.approx({"process": 3 / 4, "warmed": 3 / 4})


async def test_at_hand_is_what_is_known_to_be_right_without_asking(store: Store, answers: AnswerCache) -> None:
    """For as long as a look counts, in its minute, until something moves; it is the same object for all who ask."""
    minute = replace(KPIS, asked_at=minute_of(NOON))
    assert answers.at_hand(minute, KPIS.key) is None
    made = await answers.answer(KPIS)
    found = answers.at_hand(minute, KPIS.key)
    assert found is not None
    assert found.answer == made
    again = answers.at_hand(minute, KPIS.key)
    assert again is not None
    assert again.answer is found.answer
    assert found.holds
    assert answers.at_hand(replace(minute, asked_at=NOON + timedelta(minutes=1)), KPIS.key) is None
    assert answers.at_hand(of("other"), of("other").key) is None

    store.move("other")
    assert not found.holds
    assert answers.at_hand(minute, KPIS.key) is None, "it has to be looked whose movement it was"
    assert (await answers.answer(KPIS))["position"] == f"trading-events:0={store.position}"
    anew = answers.at_hand(minute, KPIS.key)
    assert anew is not None
    assert anew.holds

    store.now += LOOK
    assert not anew.holds
    assert answers.at_hand(minute, KPIS.key) is None
    store.move("acme")
    assert rows_of(await answers.answer(KPIS)) == store.position
    kept = answers.at_hand(minute, KPIS.key)
    assert kept is not None
    assert rows_of(kept.answer) == store.position
