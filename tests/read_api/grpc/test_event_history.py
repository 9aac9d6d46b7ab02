"""Auditors read the log: filtered, from anywhere to anywhere, and never another tenant's part of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import grpc
import pytest
from common.envelope_pb2 import PERSONAL, AnalyticsProcessingEnvelope, AuthToken
from services import operations_pb2 as operations

from adapters.postgres.tables.event_index import PostgresEventIndex
from domain.events.catalogue import log_key
from domain.ports import EventLog, Placed, Record
from eventlog.search.search import EventSearch
from read_api.grpc import event_history
from tests.read_api.grpc.serving import refused, service, serving, signed_in, trailing
from tests.support.event_logs import OpenLog, with_topics

NOON = 1_760_000_000_000


def envelope(number: int, company: str = "acme", user: str = "u1", **more: Any) -> AnalyticsProcessingEnvelope:
    """A small user event; `number` makes identity and time."""
    made = AnalyticsProcessingEnvelope(
        message_type="user_event",
        event_id=f"e-{number}",
        company_id=company,
        user_id=user,
        payload=b"\n\tpage_view",
        timestamp=NOON + number,
        correlation_id=f"c-{number % 2}",
    )
    made.MergeFrom(AnalyticsProcessingEnvelope(**more))
    return made


async def given(
    log: EventLog, events: Sequence[AnalyticsProcessingEnvelope], topic: str = "user-behavior"
) -> list[Placed]:
    """The events are in the log."""
    return await log.append(
        [Record(topic, log_key(e.company_id, e.user_id), e.SerializeToString(), e.timestamp) for e in events]
    )


@pytest.fixture
async def log(open_embedded_log: OpenLog) -> AsyncIterator[EventLog]:
    """A log with the platform's topics, all of them empty."""
    async with with_topics(await open_embedded_log(), 2) as opened:
        yield opened


@pytest.fixture
async def channel(log: EventLog, database_url: str) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to a server that reads the log."""
    index = PostgresEventIndex(database_url)
    history = event_history.EventHistory(EventSearch(log, index))
    async with serving({"StreamEvents": history.stream_events, "GetEvent": history.get_event}) as opened:
        yield opened
    await index.close()


async def ids(
    channel: grpc.aio.Channel, who: str = "auditor-of-acme", *, company_id: str = "acme", **asked: Any
) -> list[str]:
    """Identities of the events that a bounded stream gives."""
    return [event.envelope.event_id for a in await answers(channel, who, company_id, **asked) for event in a.events]


async def answers(
    channel: grpc.aio.Channel, who: str, company_id: str, **asked: Any
) -> list[operations.StreamEventsResponse]:
    """All messages of a bounded stream."""
    request = operations.StreamEventsRequest(company_id=company_id, **asked)
    return [a async for a in service(channel).StreamEvents(request, metadata=signed_in(who), timeout=60)]


async def test_a_tenant_is_a_wall(log: EventLog, channel: grpc.aio.Channel) -> None:
    """An auditor of one company sees its events only and may not ask for more; one of all companies may."""
    await given(log, [envelope(1), envelope(2, company="other"), envelope(3, company="acme2")])
    assert await ids(channel) == ["e-1"]
    assert sorted(await ids(channel, "auditor-of-all", company_id="*")) == ["e-1", "e-2", "e-3"]
    for company in ("other", "*", ""):
        request = operations.StreamEventsRequest(company_id=company)
        error = await refused(service(channel).StreamEvents(request, metadata=signed_in("auditor-of-acme")))
        assert error.code() == grpc.StatusCode.PERMISSION_DENIED, company


async def test_another_tenants_bytes_in_a_payload_open_no_door(log: EventLog, channel: grpc.aio.Channel) -> None:
    """The company is compared as a field: its name somewhere in another tenant's event counts for nothing."""
    await given(log, [envelope(1, company="other", user="acme", payload=b"\n\x04acme")])
    assert await ids(channel) == []


FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({"user_id": "u2"}, ["e-3"]),
    ({"correlation_id": "c-1"}, ["e-1", "e-3"]),
    ({"from_time": NOON + 2}, ["e-2", "e-3"]),
    ({"to_time": NOON + 2}, ["e-1"]),
    ({"from_time": NOON + 2, "to_time": NOON + 3}, ["e-2"]),
    ({"message_types": ["user_event"]}, ["e-1", "e-2", "e-3"]),
    ({"message_types": ["user_event_batch"]}, ["e-2"]),
    ({"message_types": ["trading_result"]}, []),
    ({"streams": ["trading-events"]}, []),
    ({"streams": ["user-behavior"], "user_id": "u1", "correlation_id": "c-1"}, ["e-1"]),
]


async def test_filters_narrow_what_is_streamed(log: EventLog, channel: grpc.aio.Channel) -> None:
    """Each filter by itself, and together; a type brings its batch form."""
    await given(log, [envelope(1), envelope(2, message_type="user_event_batch"), envelope(3, user="u2")])
    assert [(asked, sorted(await ids(channel, **asked))) for asked, _ in FILTERS] == FILTERS


async def test_the_position_of_an_answer_goes_on_without_gap_or_repetition(
    log: EventLog, channel: grpc.aio.Channel
) -> None:
    """Streams of one event each, chained by their positions, give every event once."""
    await given(log, [envelope(n, user=f"u{n}") for n in range(10)])
    found, position = [], ""
    for _ in range(10):
        last = (await answers(channel, "auditor-of-acme", "acme", limit=1, from_position=position))[-1]
        found += [event.envelope.event_id for event in last.events]
        position = last.position
    assert sorted(found) == [f"e-{n}" for n in range(10)]
    (end,) = await answers(channel, "auditor-of-acme", "acme", from_position=position)
    assert (list(end.events), end.caught_up) == ([], True)


async def test_a_stream_stops_before_its_to_position(log: EventLog, channel: grpc.aio.Channel) -> None:
    """The past is the same whenever it is asked for."""
    await given(log, [envelope(1), envelope(2)])
    then = (await answers(channel, "auditor-of-acme", "acme"))[-1].position
    await given(log, [envelope(3)])
    assert sorted(await ids(channel, to_position=then)) == ["e-1", "e-2"]
    assert sorted(await ids(channel, from_position=then)) == ["e-3"]


async def test_many_events_come_in_several_messages(
    log: EventLog, channel: grpc.aio.Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each message is bounded, nothing is lost between them, places are those of the log."""
    monkeypatch.setattr(event_history, "ANSWER_EVENTS", 100)
    placed = await given(log, [envelope(n) for n in range(2_500)])
    got = await answers(channel, "auditor-of-acme", "acme")
    events = [event for answer in got for event in answer.events]
    assert max(len(answer.events) for answer in got) == 100
    assert [e.envelope.event_id for e in events] == [f"e-{n}" for n in range(2_500)]
    assert [(e.place.partition, e.place.offset) for e in events] == [(p.partition, p.offset) for p in placed]


async def test_large_events_stay_within_the_message_limit(log: EventLog, channel: grpc.aio.Channel) -> None:
    """Ten events of nearly 1 MB each are more than one message may hold."""
    await given(log, [envelope(n, payload=bytes(1_000_000)) for n in range(10)])
    assert await ids(channel) == [f"e-{n}" for n in range(10)]


async def test_a_stream_that_follows_gives_what_comes_later(log: EventLog, channel: grpc.aio.Channel) -> None:
    """It says that it has caught up, then gives new events of every topic as they are appended."""
    await given(log, [envelope(1)])
    request = operations.StreamEventsRequest(company_id="acme", follow=True)
    call = service(channel).StreamEvents(request, metadata=signed_in("auditor-of-acme"), timeout=60)
    found: list[str] = []
    async for answer in call:
        found += [event.envelope.event_id for event in answer.events]
        if answer.caught_up and found == ["e-1"]:
            await given(log, [envelope(2, company="other"), envelope(3)])
            await given(log, [envelope(4, message_type="trading_result")], "trading-events")
        if len(found) == 3:
            break
    call.cancel()
    assert (found[0], sorted(found)) == ("e-1", ["e-1", "e-3", "e-4"])


async def test_a_stream_that_was_given_up_leaves_nothing_running(log: EventLog, channel: grpc.aio.Channel) -> None:
    """No read of the log goes on when the caller is gone."""
    request = operations.StreamEventsRequest(company_id="acme", follow=True)
    call = service(channel).StreamEvents(request, metadata=signed_in("auditor-of-acme"))
    answers = aiter(call)
    assert (await anext(answers)).caught_up
    assert await becomes(lambda: reads_under_way() != [])  # between two reads there is none for a moment
    call.cancel()
    assert await becomes(lambda: reads_under_way() == [])


async def becomes(true: Callable[[], bool]) -> bool:
    """Whether it comes true within half a minute."""
    for _ in range(600):
        if true():
            return True
        await asyncio.sleep(0.05)
    return False


def reads_under_way() -> list[str]:
    """Tasks of this process that read the log."""
    names = (getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks())
    return [name for name in names if name == "LogWalk._read"]


NONSENSE: list[tuple[dict[str, Any], str]] = [
    ({"streams": ["nonsense"]}, "unknown_stream"),
    ({"message_types": ["nonsense"]}, "unknown_type"),
    ({"from_time": 2, "to_time": 2}, "bad_time"),
    ({"from_position": "nonsense"}, "bad_position"),
    ({"follow": True, "to_position": "user-behavior:0=1"}, "bad_range"),
]


async def test_what_cannot_be_meant_is_refused(channel: grpc.aio.Channel) -> None:
    """INVALID_ARGUMENT with a code of its own."""
    for asked, code in NONSENSE:
        request = operations.StreamEventsRequest(company_id="acme", **asked)
        error = await refused(service(channel).StreamEvents(request, metadata=signed_in("auditor-of-acme"), timeout=5))
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, asked
        assert trailing(error)["x-error-code"] == code


async def test_a_viewer_reads_no_history_and_an_auditor_no_quarantine(channel: grpc.aio.Channel) -> None:
    """Each topic needs its right; those that were not asked for by name are left out instead."""
    for who, streams in (("viewer", ()), ("engineer", ()), ("auditor-of-acme", ("quarantine",))):
        request = operations.StreamEventsRequest(company_id="acme", streams=streams)
        error = await refused(service(channel).StreamEvents(request, metadata=signed_in(who), timeout=5))
        assert error.code() == grpc.StatusCode.PERMISSION_DENIED, who


async def test_an_engineer_sees_no_personal_payload(log: EventLog, channel: grpc.aio.Channel) -> None:
    """Quarantine is open to engineers, of all companies, without what is about a person."""
    await given(log, [envelope(1, data_class=PERSONAL), envelope(2)], "quarantine")
    (answer,) = await answers(channel, "engineer", "other", streams=["quarantine"])
    assert list(answer.events) == []
    got = await answers(channel, "engineer", "acme", streams=["quarantine"])
    seen = {e.envelope.event_id: (e.payload_withheld, e.envelope.payload) for a in got for e in a.events}
    assert seen == {"e-1": (True, b""), "e-2": (False, b"\n\tpage_view")}


async def get_event(channel: grpc.aio.Channel, **asked: Any) -> operations.LoggedEvent:
    """One event, by the auditor of acme unless said otherwise."""
    asked.setdefault("company_id", "acme")
    request = operations.GetEventRequest(**asked)
    answer = await service(channel).GetEvent(request, metadata=signed_in("auditor-of-acme"), timeout=60)
    return answer.event


async def test_one_event_is_found_by_place_and_by_identity(log: EventLog, channel: grpc.aio.Channel) -> None:
    """The same event either way, without the token of its publisher."""
    placed = await given(log, [envelope(n, auth_token=AuthToken(token="secret")) for n in range(3)])
    place = operations.EventPlace(topic="user-behavior", partition=placed[1].partition, offset=placed[1].offset)
    by_place = await get_event(channel, place=place)
    assert by_place.envelope == envelope(1)
    assert by_place.place == place
    assert await get_event(channel, event_id="e-1") == by_place
    assert await get_event(channel, event_id="e-1", stream="user-behavior") == by_place


async def test_an_event_that_the_tenant_has_not_is_not_found(log: EventLog, channel: grpc.aio.Channel) -> None:
    """Nowhere, beyond the head, in another topic, or of another tenant: the answer is the same."""
    (placed,) = await given(log, [envelope(1, company="other")])
    place = operations.EventPlace(topic="user-behavior", partition=placed.partition, offset=placed.offset)
    beyond = operations.EventPlace(topic="user-behavior", partition=placed.partition, offset=placed.offset + 1)
    nowhere = operations.EventPlace(topic="user-behavior", partition=99, offset=0)
    for asked in ({"place": place}, {"place": beyond}, {"place": nowhere}, {"event_id": "e-1"}, {"event_id": "e-9"}):
        request = operations.GetEventRequest(company_id="acme", **asked)
        error = await refused(service(channel).GetEvent(request, metadata=signed_in("auditor-of-acme"), timeout=60))
        assert error.code() == grpc.StatusCode.NOT_FOUND, asked


async def test_an_event_must_be_named(channel: grpc.aio.Channel) -> None:
    """Neither place nor identity, or an empty identity: INVALID_ARGUMENT."""
    for request in (
        operations.GetEventRequest(company_id="acme"),
        operations.GetEventRequest(company_id="acme", event_id=""),
    ):
        error = await refused(service(channel).GetEvent(request, metadata=signed_in("auditor-of-acme")))
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
