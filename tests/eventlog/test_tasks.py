"""Background work is heard of when it fails, and ends with whoever began it."""

from __future__ import annotations

import asyncio
import logging

import pytest

from eventlog import tasks


async def _fails() -> None:
    raise RuntimeError("broken")


async def test_a_failure_is_logged_and_told(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever waits for the part gets the error itself."""
    told: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
    with caplog.at_level(logging.ERROR):
        tasks.start(_fails(), "the part", told.set_result)
        error = await asyncio.wait_for(told, 1)
    assert str(error) == "broken"
    assert "the part failed" in caplog.text


async def test_kept_work_begins_anew_until_it_returns(caplog: pytest.LogCaptureFixture) -> None:
    """Each failure is logged."""
    begun = 0

    async def work() -> None:
        nonlocal begun
        begun += 1
        if begun < 3:
            raise RuntimeError("not yet")

    await tasks.keep(work, "the part", pause=0)
    assert begun == 3
    assert caplog.text.count("the part failed") == 2


async def test_the_first_to_end_ends_the_others() -> None:
    """Nothing of them runs on."""
    ended = asyncio.Event()

    async def long() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    assert await tasks.first(long(), asyncio.sleep(0)) == 1
    assert ended.is_set()


async def test_the_first_to_fail_is_told() -> None:
    """Its error is raised."""
    with pytest.raises(RuntimeError, match="broken"):
        await tasks.first(asyncio.sleep(60), _fails())
