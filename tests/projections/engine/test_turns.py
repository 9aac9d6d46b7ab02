"""Turns: tenants take turns at what not all can have at once, and nobody's turn is lost however they leave."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import LimitExceeded
from projections.engine.turns import Share, Turns
from tests.support.examples import examples

ONE_EACH = Share(at_once=2, of_tenant=1, waiting=3, patience=60)


async def settled() -> None:
    """What can go on has gone on."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_tenant_that_asks_much_waits_for_itself_alone() -> None:
    """Another one has its turn at once, or after one of the first's, however many of those wait."""
    turns, order, gates = Turns("questions", ONE_EACH), list[str](), dict[str, asyncio.Event]()

    async def ask(company: str, name: str) -> None:
        async with turns.turn(company):
            order.append(name)
            gates[name] = asyncio.Event()
            await gates[name].wait()

    asking = [asyncio.ensure_future(ask("greedy", f"g{number}")) for number in range(3)]
    await settled()
    assert order == ["g0"]
    asking += [asyncio.ensure_future(ask(company, company)) for company in ("quiet", "third")]
    await settled()
    assert order == ["g0", "quiet"]
    for name in ("g0", "g1", "third", "quiet", "g2"):
        gates[name].set()
        await settled()
    await asyncio.gather(*asking)
    assert order == ["g0", "quiet", "g1", "third", "g2"]


async def test_too_many_of_one_tenant_are_refused_and_told_when_to_come_again() -> None:
    """Others are not."""
    turns = Turns("questions about the past", ONE_EACH)
    async with turns.turn("acme"), asyncio.TaskGroup() as group:
        waiting = [group.create_task(turns.turn("acme").__aenter__()) for _ in range(3)]
        await settled()
        with pytest.raises(LimitExceeded, match="3 questions about the past of acme wait already") as refused:
            await turns.turn("acme").__aenter__()
        assert (refused.value.code, refused.value.retry_after) == ("too_many_questions", 15.0)
        async with turns.turn("other"):
            pass
        for each in waiting:
            each.cancel()


async def test_a_turn_that_does_not_come_in_time_is_refused() -> None:
    """The error says so, and leaves the queue to others."""
    turns = Turns("questions", Share(at_once=1, of_tenant=1, waiting=3, patience=0.01))
    async with turns.turn("acme"):
        with pytest.raises(LimitExceeded, match=r"no turn came within 0\.01 s") as refused:
            await turns.turn("other").__aenter__()
    assert refused.value.code == "busy"
    async with turns.turn("other"):
        pass


@settings(max_examples=examples(30), deadline=None)
@given(st.integers(1, 3), st.integers(1, 2), st.integers())
def test_no_turn_is_lost(at_once: int, of_tenant: int, seed: int) -> None:
    """Whoever is cancelled at any moment, fails or is late: never too many at once, and at the end all are free."""

    async def run() -> None:
        turns, chance = Turns("questions", Share(at_once, of_tenant, waiting=4, patience=0.002)), random.Random(seed)
        running: Counter[str] = Counter()

        async def ask(company: str) -> None:
            async with turns.turn(company):
                running[company] += 1
                assert running.total() <= at_once
                assert running[company] <= of_tenant
                try:
                    await asyncio.sleep(chance.choice([0, 0, 0.001]))
                    if chance.random() < 0.2:
                        raise ValueError
                finally:
                    running[company] -= 1

        asking = []
        for _ in range(30):
            asking.append(asyncio.ensure_future(ask(chance.choice("abc"))))
            if chance.random() < 0.5:
                await asyncio.sleep(0)
            if chance.random() < 0.4:
                chance.choice(asking).cancel()
        found = await asyncio.gather(*asking, return_exceptions=True)
        assert not [error for error in found if isinstance(error, AssertionError)]
        async with asyncio.timeout(5):
            for company in "abc":
                with suppress(LimitExceeded):
                    async with turns.turn(company):
                        pass
        assert (turns._running, turns._waiting) == (Counter(), {})

    asyncio.run(run())
