"""Views of the live lane as one process reads them, over a real bus, without the lane's process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from domain.errors import LimitExceeded, Unavailable
from domain.ports import LiveBus
from projections.engine.live.question import FOLLOW_SUBJECT, STATUS_SUBJECT, FollowRequest, ViewQuestion, subject_of
from read_api.live import metrics
from read_api.live.metrics import MOST_VIEWS, LiveMetrics

QUESTION = ViewQuestion("acme", "trading")


async def in_dollars(_company: str) -> str:
    """The currency of every company here."""
    return "USD"


@pytest.fixture
async def live(live_bus: LiveBus) -> AsyncIterator[LiveMetrics]:
    """A reader of live metrics."""
    reader = LiveMetrics(live_bus, in_dollars)
    reader.start()
    yield reader
    await reader.stop()


def message(start: str, revision: int, *, epoch: str = "one", trades: int = 0, kind: str = "early") -> bytes:
    """What the lane says of a window, as far as a reader looks at it."""
    said = {"window": "trading", "company": "acme", "width": "1m", "zone": "UTC", "start": start, "revision": revision}
    return msgspec.json.encode({**said, "epoch": epoch, "kind": kind, "rows": [{"total_trades": trades}]})


async def answering(bus: LiveBus, *messages: bytes) -> list[FollowRequest]:
    """A lane that answers each request to follow with these; the requests as they come."""
    requests: list[FollowRequest] = []

    async def answer(_subject: str, data: bytes) -> None:
        requests.append(msgspec.json.decode(data, type=FollowRequest))
        for each in messages:
            await bus.publish(subject_of(requests[-1].question), each)

    await bus.subscribe(FOLLOW_SUBJECT, answer)
    await bus.flush()
    return requests


async def test_the_newest_revision_of_each_window_is_shown(live: LiveMetrics, other_bus: LiveBus) -> None:
    """Whatever comes twice or late changes nothing; another epoch begins to count anew."""
    await answering(
        other_bus,
        message("01:00", 3, trades=3),
        message("01:00", 2, trades=2),
        message("01:01", 1, trades=1),
        message("01:01", 1, epoch="two", trades=9),
    )
    windows: list[Any] = []
    while [w["rows"][0]["total_trades"] for w in windows] != [3, 9]:
        await asyncio.sleep(0.01)
        windows = (await live.document(QUESTION))["windows"]
    assert [w["start"] for w in windows] == ["01:00", "01:01"]


@pytest.mark.parametrize(
    ("kinds", "shown"),
    [
        (["durable", "durable", "early"], 2),
        (["durable", "durable", "durable"], 2),
        (["durable", "final", "early", "early"], 4),
        (["durable", "durable", "early", "durable", "early"], 4),
        (["early"], 1),
    ],
)
async def test_a_window_is_shown_until_it_is_durable_and_the_next_one_is(
    live: LiveMetrics, other_bus: LiveBus, kinds: list[str], shown: int
) -> None:
    """However far the watermark is behind: nobody is left with what was said of a window early."""
    starts = [f"01:{minute:02}" for minute in range(len(kinds))]
    await answering(other_bus, *(message(start, 1, kind=kind) for start, kind in zip(starts, kinds, strict=True)))
    windows: list[Any] = []
    async with asyncio.timeout(20):
        while [w["start"] for w in windows] != starts[-shown:]:
            await asyncio.sleep(0.01)
            windows = (await live.document(QUESTION))["windows"]


async def test_who_follows_says_so_once_for_many_readers(live: LiveMetrics, other_bus: LiveBus) -> None:
    """A hundred readers of one view are one request; the first one asks for what was said before."""
    requests = await answering(other_bus, message("01:00", 1))
    await asyncio.gather(*(live.document(QUESTION) for _ in range(100)))
    assert len(requests) == 1
    assert requests[0].snapshot


async def test_a_lane_that_begins_anew_takes_nothing_back(live: LiveMetrics, other_bus: LiveBus) -> None:
    """What was final is final once, and what is durable stays so, until the projection's value is said again."""
    await answering(
        other_bus,
        message("01:00", 9, kind="durable", trades=4),
        message("01:01", 9, kind="final", trades=4),
        message("01:00", 1, epoch="two", kind="early", trades=1),
        message("01:01", 1, epoch="two", kind="early", trades=1),
        message("01:01", 2, epoch="two", kind="final", trades=2),
        message("01:02", 1, epoch="two", trades=3),
    )
    windows: list[Any] = []
    async with asyncio.timeout(20):
        while len(windows) < 3:
            await asyncio.sleep(0.01)
            windows = (await live.document(QUESTION))["windows"]
    told = [(w["kind"], w["rows"][0]["total_trades"]) for w in windows]
    assert told == [("durable", 4), ("revised", 2), ("early", 3)]


async def test_who_goes_on_following_says_of_which_windows_there_is_a_word(
    live: LiveMetrics, other_bus: LiveBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lane that begins anew knows by it what it has to say once more."""
    monkeypatch.setattr(metrics, "RENEW", 0.05)
    requests = await answering(other_bus, message("01:01", 1), message("01:00", 1))
    async with asyncio.timeout(20):
        while not requests or not requests[-1].since:
            await live.document(QUESTION)
            await asyncio.sleep(0.01)
    assert (requests[0].since, requests[-1].since) == ("", "01:00")


async def test_without_the_lane_an_answer_is_refused_in_time(
    live: LiveMetrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And with it again, answered."""
    monkeypatch.setattr(metrics, "PATIENCE", 0.1)
    with pytest.raises(Unavailable) as refused:
        await live.document(QUESTION)
    assert refused.value.code == "live_unavailable"


async def test_a_lane_that_falls_silent_is_not_passed_off_as_live(
    live: LiveMetrics, other_bus: LiveBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old windows are refused until the lane is heard again."""
    await answering(other_bus, message("01:00", 1))
    await live.document(QUESTION)
    monkeypatch.setattr(metrics, "SILENCE", 0.0)
    monkeypatch.setattr(metrics, "PATIENCE", 0.1)
    with pytest.raises(Unavailable):
        await live.document(QUESTION)
    monkeypatch.setattr(metrics, "SILENCE", 30.0)
    await other_bus.publish(STATUS_SUBJECT, msgspec.json.encode({"facts": 7}))
    assert (await live.document(QUESTION))["windows"]
    while live.figures != {"facts": 7}:
        await asyncio.gather(live.document(QUESTION), asyncio.sleep(0.01))


async def test_a_company_has_so_many_views_and_others_are_not_harmed(
    live: LiveMetrics, other_bus: LiveBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each combination of filters is a view."""
    monkeypatch.setattr(metrics, "PATIENCE", 0.0)
    await answering(other_bus)
    for number in range(MOST_VIEWS):
        with pytest.raises(Unavailable):
            await live.document(ViewQuestion("hostile", "trading", filters=(("symbol", str(number)),)))
    with pytest.raises(LimitExceeded):
        await live.document(ViewQuestion("hostile", "trading"))
    with pytest.raises(Unavailable):
        await live.document(QUESTION)
