"""The service behind all doors."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import psycopg
import pytest

from app.publisher import ingest as opened_ingest
from app.settings import Settings
from domain.errors import NotFound, Unavailable
from domain.events.identity import content, earlier_identity, identity
from domain.events.problems import Code
from domain.ports import Placed, Record
from eventlog.intake.framing import Item, ndjson
from eventlog.intake.intake import BATCH_EVENTS, SLICE, Ingest, Outcome
from eventlog.intake.json_mapping import from_json
from eventlog.intake.parsing import from_protobuf
from eventlog.intake.quarantine import Filter, Seen
from eventlog.publish.durable_lane import Limits
from eventlog.publish.publisher import Publisher, WriteResult
from tests.eventlog.publish.samples import Door, bad_envelopes, bad_lines, chunks_of, logged, trade, trade_members
from tests.eventlog.publish.test_publisher import QUICK, TroubledLog
from tests.support.memory import held_by


def lines(*event_ids: str) -> bytes:
    """NDJSON with good trades of these event ids."""
    return b"".join(json.dumps(trade_members(trade_id=i) | {"event_id": i}).encode() + b"\n" for i in event_ids)


def content_of(line: bytes) -> int:
    """What stands for what the event of a line says."""
    envelope = from_json(line).envelope
    return content(envelope.message_type, envelope.user_id, envelope.timestamp, envelope.payload)


async def take(ingest: Ingest, data: bytes) -> Outcome:
    """Take NDJSON at a door."""
    return await ingest.take(ndjson(chunks_of(data)), from_json, door="test")


async def test_good_events_are_in_the_log_and_covered_by_the_position(door: Door) -> None:
    """The position is the head after all accepted events; they carry no stamp."""
    outcome = await take(door.ingest, lines("e1", "e2", "e3"))
    assert (outcome.accepted, outcome.duplicates, outcome.quarantined) == (3, 0, 0)
    heads = await door.log.heads("trading-events")
    assert str(outcome.position) == "trading-events:" + ",".join(f"{p}={h}" for p, h in heads.items() if h)
    assert [(e.event_id, e.producer_id) for e in await logged(door.log)] == [("e1", ""), ("e2", ""), ("e3", "")]


async def test_duplicates_are_recognised_wherever_the_first_one_is(door: Door) -> None:
    """In the same call, in an earlier call, and in what projectors remember."""
    first = await take(door.ingest, lines("e1", "e1", "e2"))
    again = await take(door.ingest, lines("e2", "e1"))
    assert (first.accepted, first.duplicates) == (2, 1)
    assert (again.accepted, again.duplicates) == (0, 2)
    assert again.position == first.position
    with psycopg.connect(door.database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO seen_events VALUES (encode(%s, 'hex')::uuid, %s, 0, 0, 'trading-events')",
            (identity("acme", "", "e3"), content_of(lines("e3"))),
        )
        connection.execute(
            "INSERT INTO earlier_seen_events VALUES (encode(%s, 'hex')::uuid, 'trading-events', 0, 0)",
            (earlier_identity("trading-events", b"acme:u1", "e5"),),
        )
    assert (await take(door.ingest, lines("e3", "e4", "e5"))).duplicates == 2
    assert sorted(e.event_id for e in await logged(door.log)) == ["e1", "e2", "e4"]


async def test_bad_lines_of_every_kind_wait_in_quarantine_and_harm_no_neighbour(door: Door) -> None:
    """Each has its code, reason, line and bytes; the good events around them are in the log."""
    bad = bad_lines()
    data = b"".join(lines(f"before-{n}") + text + b"\n" for n, (text, _) in enumerate(bad)) + lines("last")
    outcome = await take(door.ingest, data)
    assert (outcome.accepted, outcome.quarantined) == (len(bad) + 1, len(bad))
    assert [(r.line, r.code) for r in outcome.reasons] == [(2 * n + 2, code) for n, (_, code) in enumerate(bad)]
    entries = await door.quarantine.entries(Filter(limit=1000))
    assert [(e.line, e.code) for e in reversed(entries)] == [(r.line, r.code) for r in outcome.reasons]
    for entry, (text, _) in zip(reversed(entries), bad, strict=True):
        shown, raw = await door.quarantine.entry(entry.id)
        assert shown == entry
        assert raw == text[: 1024 * 1024]
        assert (entry.reason, entry.door, entry.status, entry.position) == (shown.reason, "test", "waiting", None)


async def test_bad_envelopes_of_every_kind_wait_in_quarantine(door: Door) -> None:
    """Protobuf that is damaged or breaks a rule is set aside with its index."""
    bad = bad_envelopes()
    items = [Item(n, data) for n, (data, _) in enumerate(bad)] + [Item(len(bad), trade().record.value)]

    async def stream() -> object:
        yield items

    outcome = await door.ingest.take(stream(), from_protobuf, door="test")  # type: ignore[arg-type]  # a generator
    assert outcome.accepted == 1
    assert [(r.line, r.code) for r in outcome.reasons] == [(n, code) for n, (_, code) in enumerate(bad)]


async def test_quarantine_is_found_by_what_is_known_of_an_event(door: Door) -> None:
    """Filters, paging, and a clear answer for what is not there."""
    await take(door.ingest, b"".join(json.dumps(trade_members(trade_id=None)).encode() + b"\n" for _ in range(5)))
    await take(door.ingest, b"{nothing}\n")
    mine = await door.quarantine.entries(Filter(company_id="acme", code=Code.MISSING_FIELD, limit=3))
    rest = await door.quarantine.entries(Filter(company_id="acme", stream="trading-events", before=mine[-1].id))
    assert [entry.line for entry in mine + rest] == [5, 4, 3, 2, 1]
    assert mine[0].as_json()["reason"] == "trade_id is required"
    with pytest.raises(NotFound):
        await door.quarantine.entry(10**9)


async def test_events_of_companies_that_the_caller_may_not_publish_for_are_set_aside(door: Door) -> None:
    """They are refused by themselves, with the reason; the caller's own go in."""
    data = lines("mine") + json.dumps(trade_members() | {"company_id": "other", "event_id": "theirs"}).encode()
    outcome = await door.ingest.take(
        ndjson(chunks_of(data)), from_json, door="test", allows=lambda company: company == "acme"
    )
    assert (outcome.accepted, [(r.line, r.code) for r in outcome.reasons]) == (1, [(2, Code.FORBIDDEN_COMPANY)])
    assert [e.company_id for e in await logged(door.log)] == ["acme"]


async def test_stamps_are_kept_only_where_that_is_asked(door: Door) -> None:
    """Elsewhere the producer's name stays, of which its ids are, and its sequence means nothing."""
    value = trade().record.value + b"\x72\x03abc\x78\x07"

    async def stream() -> object:
        yield [Item(0, value)]

    for keep in (False, True):
        await door.ingest.take(stream(), from_protobuf, door="test", keep_stamps=keep)  # type: ignore[arg-type]  # a generator
    assert [(e.producer_id, e.producer_seq) for e in await logged(door.log)] == [("abc", 0), ("abc", 7)]


async def test_many_events_keep_their_order_through_several_batches(door: Door) -> None:
    """12,000 events of one user lie in the log as they came."""
    ids = [f"e{n}" for n in range(12_000)]
    outcome = await take(door.ingest, lines(*ids))
    assert outcome.accepted == 12_000
    assert [e.event_id for e in await logged(door.log, ["trading-events"])] == ids


async def test_calls_at_the_same_time_share_a_batch(door: Door) -> None:
    """Alone, a call gathers a whole one; of four, each writes its part as soon as it has that."""
    written: list[int] = []

    class Noting(Publisher):
        async def append(self, records: Sequence[Record]) -> WriteResult:
            written.append(len(records))
            return await super().append(records)

    publisher = Noting(door.log, stamp=False)
    ingest = Ingest(publisher, door.quarantine, door.seen)
    many = 2 * BATCH_EVENTS
    await take(ingest, lines(*(f"alone-{n}" for n in range(many))))
    assert max(written) >= BATCH_EVENTS
    written.clear()
    await asyncio.gather(*(take(ingest, lines(*(f"{call}-{n}" for n in range(many)))) for call in range(4)))
    await publisher.close()
    assert sum(written) == 4 * many
    assert max(written) < BATCH_EVENTS / 4 + SLICE


async def test_a_door_remembers_few_identities(database_url: str, nats_url: str) -> None:
    """However many events pass: an API process has 120 MB in all."""
    identities = [identity("acme", "bot", f"e{n}") for n in range(60_000)]
    async with opened_ingest(Settings(database_url=database_url, nats_url=nats_url)) as door:
        taken = held_by(
            lambda: door.remember({i: Seen(Placed("trading-events", 0, n), n << 40) for n, i in enumerate(identities)})
        )
    assert taken < 6_000_000


async def test_a_log_that_stays_away_fails_the_call_and_a_repetition_writes_once(door: Door) -> None:
    """Nobody is told that an event is in before it is; the repeated call completes."""
    log = TroubledLog(door.database_url)
    publisher = Publisher(log, limits=QUICK, stamp=False)
    ingest = Ingest(publisher, door.quarantine, door.seen)
    log.before = True
    with pytest.raises(Unavailable):
        await take(ingest, lines("e1", "e2"))
    log.before = False
    await asyncio.sleep(0.1)
    outcome = await take(ingest, lines("e1", "e2"))
    await publisher.close()
    assert outcome.accepted + outcome.duplicates == 2
    identities = {(e.event_id, e.user_id) for e in await logged(door.log)}
    assert identities == {("e1", "u1"), ("e2", "u1")}
    await log.close()


async def test_a_database_without_answers_does_not_hide_bad_events(door: Door) -> None:
    """While the quarantine is away, a call with a bad event fails instead of losing it."""
    from adapters.postgres.tables.quarantine import PostgresQuarantine

    away = PostgresQuarantine("postgresql://nobody@127.0.0.1:9/none")
    publisher = Publisher(door.log, limits=Limits(deadline=2.0), stamp=False)
    ingest = Ingest(publisher, away, door.seen)
    with pytest.raises(Unavailable):
        await take(ingest, b"{nothing}\n")
    await publisher.close()
    await away.close()
