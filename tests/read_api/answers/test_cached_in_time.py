"""For how long a kept answer is the answer: its minute, or up to the moment at which time matters to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.read_api.answers.test_cache import KPIS, NOON, STALE, Store, later, of, process, rows_of, settled, shelf


async def test_in_a_minute_all_get_the_same() -> None:
    """What "now" means is the minute's beginning, so that the answer depends on nothing but state and minute."""
    store = Store()
    answers = process(store)
    await answers.answer(KPIS)
    await answers.answer(later(seconds=54))
    assert (store.made, store.asked_at) == (1, NOON.replace(second=0))
    await answers.answer(later(seconds=55))
    assert (store.made, store.asked_at) == (2, NOON.replace(minute=1, second=0))


@pytest.mark.parametrize("quarter", [0, 15, 30, 45])
async def test_no_answer_is_given_across_the_turn_of_a_day(quarter: int) -> None:
    """One warmed before midnight is none after it, however short both lie apart: zones turn at quarters of an hour."""
    store = Store()
    answers = process(store)
    midnight = datetime(2025, 4, 1, 0, quarter, tzinfo=UTC)
    await answers.answer(replace(KPIS, asked_at=midnight - timedelta(seconds=1)))
    told = await answers.answer(replace(KPIS, asked_at=midnight), STALE)
    assert (told["complete"], store.made, store.asked_at) == (True, 2, midnight)


async def test_an_answer_lasts_until_time_matters_to_it() -> None:
    """In this process and on the shelf; before the moment that it was made for it is none."""
    store = Store()
    _, guarded = shelf(store)
    store.lasts = timedelta(days=3)
    processes = [process(store, guarded), process(store, guarded)]
    await processes[1].answer(of("other"))  # what it costs is known by then
    for each in processes:
        for days in (0, 1, 2):
            await each.answer(later(days=days))
    await settled()
    assert store.made == 2
    await processes[0].answer(later(days=3))
    await processes[0].answer(later(minutes=-1))
    assert store.made == 4


async def test_an_older_answer_to_which_no_day_matters_is_given_on_the_next_day() -> None:
    """Where an older one will do: of a month that is over a day that begins makes no other question."""
    store = Store()
    answers = process(store)
    store.lasts = timedelta(days=3)
    await answers.answer(KPIS)
    store.move("acme")
    told = await answers.answer(later(days=1), STALE)
    assert (rows_of(told), told["complete"]) == (0, False)
    await settled()
