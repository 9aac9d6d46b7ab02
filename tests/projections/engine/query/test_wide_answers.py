"""Wide answers: worked on beside the loop, and given back there too."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from projections.engine.query.wide_answers import FEW, beside
from read_api.http.encoding import encoded, with_raw


def worked(rows: Sequence[int]) -> tuple[int, str]:
    """Their sum, and the thread that reckoned it."""
    return sum(rows), threading.current_thread().name


@pytest.mark.parametrize("keep", [False, True])
async def test_many_rows_leave_the_loop_and_are_given_back_unless_kept(keep: bool) -> None:
    """Whoever holds the last reference frees them: were that the loop, everybody would wait for it."""
    rows = list(range(50 * FEW))
    total, thread = await beside(rows, "acme", worked, keep=keep)
    assert total == sum(range(50 * FEW))
    assert thread != threading.current_thread().name
    assert rows == (list(range(50 * FEW)) if keep else [])


async def test_few_rows_stay_where_they_are() -> None:
    """The way to a thread and back takes longer."""
    rows = list(range(FEW))
    assert await beside(rows, "acme", worked) == (sum(rows), threading.current_thread().name)
    assert len(rows) == FEW


async def test_rows_are_given_back_where_the_work_fails() -> None:
    """An error is no reason to hold them."""
    rows = list(range(FEW + 1))

    def fail(_: Sequence[int]) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await beside(rows, "acme", fail)
    assert not rows


async def test_a_turn_lasts_as_long_as_its_work_though_nobody_waits_for_it() -> None:
    """A thread cannot be ended: were the turn given on at once, whoever asks and leaves would keep it from all."""
    loop, begun, going_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def slow(_: Sequence[int]) -> None:
        loop.call_soon_threadsafe(begun.set)
        going_on.wait(30)

    left = asyncio.create_task(beside(list(range(FEW + 1)), "acme", slow))
    await begun.wait()
    left.cancel()
    other = asyncio.create_task(beside(list(range(FEW + 1)), "other", worked))
    await asyncio.sleep(0.05)
    assert not other.done()
    going_on.set()
    assert (await other)[0] == sum(range(FEW + 1))
    with pytest.raises(asyncio.CancelledError):
        await left


@pytest.mark.parametrize("name", ["rows", "events"])
async def test_an_answer_is_the_same_json_however_long_it_is(name: str) -> None:
    """In pieces, at once, or with rows that are JSON already."""
    row = {"symbol": "AAPL", "pnl": "1.5", "reasons": {"mean": "no_trades"}}
    long = {"position": "x", name: [row] * (FEW + 150)}
    short = {"position": "x", name: [row]}
    assert await encoded("acme", short) == b'{"position":"x","%b":[%b]}' % (name.encode(), JSON)
    whole = b'{"position":"x","%b":[%b]}' % (name.encode(), b",".join([JSON] * (FEW + 150)))
    assert await encoded("acme", with_raw(long)) == await encoded("acme", long) == whole
    assert await encoded("acme", with_raw(short)) == await encoded("acme", short)


JSON = b'{"symbol":"AAPL","pnl":"1.5","reasons":{"mean":"no_trades"}}'
