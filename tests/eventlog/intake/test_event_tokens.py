"""Tokens on events: judged at the doors by the clock, in the log by the event's own time; kept in the log alone."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import jwt
import pytest
from common.envelope_pb2 import AnalyticsProcessingEnvelope, AuthToken

from adapters.auth.tokens import TokenVerifier
from domain.errors import Unavailable
from domain.events.problems import Code
from domain.ports import Chunk, Record
from eventlog.intake.event_tokens import EventTokens, without_signatures
from eventlog.intake.framing import Item
from eventlog.intake.intake import Ingest, Outcome
from eventlog.intake.parsing import from_protobuf
from eventlog.intake.quarantine import Filter
from eventlog.intake.repair import Change, repaired
from eventlog.publish.record import message_of
from projections.engine.fold.admission import Admission, Records
from projections.engine.store.port import Admitted
from tests.adapters.auth.hostile import People, hostile
from tests.eventlog.publish.samples import Door, logged, trade
from tests.support.closed_trades import NOON

PEOPLE = People()
KEYS = {"e": jwt.PyJWK({**PEOPLE.jwks()["keys"][0]})}
VERIFIER = TokenVerifier(KEYS, "analytics", "analytics")
TOPIC = "trading-events"


def token(**claims: object) -> str:
    """A service's token for acme."""
    return PEOPLE.token(PEOPLE.claims(roles=["service"], **claims))


def event(number: int, text: str | None) -> AnalyticsProcessingEnvelope:
    """A trade with this token; None for one without."""
    envelope = trade(f"t{number}").envelope
    if text is not None:
        envelope.auth_token.CopyFrom(AuthToken(token=text))
    return envelope


async def take(door: Door, tokens: EventTokens | None, *events: AnalyticsProcessingEnvelope) -> Outcome:
    """Take events at a door that judges tokens so."""
    ingest = Ingest(door.ingest.publisher, door.quarantine, door.seen, tokens=tokens)

    async def items() -> AsyncIterator[list[Item]]:
        yield [Item(i, e.SerializeToString()) for i, e in enumerate(events)]

    return await ingest.take(items(), from_protobuf, door="test")


def checked(*, required: bool = False) -> EventTokens:
    """Judged by a real verifier."""
    return EventTokens(VERIFIER.whose, required=required)


BAD = {
    "of another company": token(company_id="beta"),
    "of a viewer": PEOPLE.token(PEOPLE.claims(roles=["viewer"])),
    "ended a second ago": token(exp=int(time.time()) - 1),
    "forged": PEOPLE.token(PEOPLE.claims(), PEOPLE.attacker.sign),
    "no token": "secret",
}


async def test_a_good_token_lets_the_event_in_and_lies_in_the_log(door: Door) -> None:
    """Where admission judges it again."""
    good = token()
    assert (await take(door, checked(), event(1, good), event(2, None))).accepted == 2
    assert {e.auth_token.token for e in await logged(door.log, [TOPIC])} == {good, ""}


@pytest.mark.parametrize("name", BAD)
async def test_an_event_with_a_bad_token_waits_in_quarantine_without_it(door: Door, name: str) -> None:
    """The good ones around it go in; neither the reason nor the bytes kept can be used as a token."""
    outcome = await take(door, checked(), event(1, token()), event(2, BAD[name]), event(3, None))
    assert (outcome.accepted, outcome.quarantined, outcome.reasons[0].code) == (2, 1, Code.BAD_TOKEN)
    [entry] = await door.quarantine.entries(Filter(code=Code.BAD_TOKEN))
    _, raw = await door.quarantine.entry(entry.id)
    assert BAD[name] == "secret" or BAD[name].encode() not in raw
    assert BAD[name] not in entry.reason
    replayed = AnalyticsProcessingEnvelope.FromString(repaired(entry, raw, Change()).value)
    assert (replayed.event_id, replayed.HasField("auth_token")) == (entry.event_id, False)


async def test_no_hostile_token_lets_an_event_in(door: Door) -> None:
    """The same table as at the doors for callers; an empty token is none."""
    events = [event(i, text) for i, text in enumerate(hostile(PEOPLE).values()) if _is_text(text)]
    outcome = await take(door, checked(required=True), *events)
    assert outcome.accepted == 0
    assert outcome.quarantined == len(events) > 60


def _is_text(text: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in text)


async def test_the_setting_decides_what_is_asked_for(door: Door) -> None:
    """Ignored, a bad one does no harm; required, none is as bad."""
    assert (await take(door, None, event(1, BAD["forged"]))).accepted == 1
    outcome = await take(door, checked(required=True), event(2, None))
    assert (outcome.quarantined, outcome.reasons[0].code) == (1, Code.MISSING_FIELD)


async def test_keys_that_cannot_be_had_keep_events_outside(door: Door) -> None:
    """The caller repeats the call: nothing is decided by guess."""

    def whose(text: str) -> object:
        raise Unavailable("no keys")

    with pytest.raises(Unavailable):
        await take(door, EventTokens(whose, required=False), event(1, token()))  # type: ignore[arg-type]  # it never returns


def test_the_live_bus_gets_no_token() -> None:
    """Whoever listens could use it again."""
    given = event(1, token())
    sent = message_of(Record(TOPIC, b"acme:u1", given.SerializeToString(), NOON))
    given.ClearField("auth_token")
    assert AnalyticsProcessingEnvelope.FromString(sent) == given


def test_blanking_keeps_every_length() -> None:
    """So that protobuf stays readable, and JSON, too."""
    raw = event(1, token()).SerializeToString()
    blank = without_signatures(raw)
    assert len(blank) == len(raw)
    with pytest.raises(Exception, match="not valid"):
        VERIFIER(AnalyticsProcessingEnvelope.FromString(blank).auth_token.token)


def decide(*events: AnalyticsProcessingEnvelope) -> Admitted:
    """What admission decides on events that a foreign producer wrote to the log itself."""
    values = [e.SerializeToString() for e in events]
    chunk = Chunk(0, range(len(values)), values, len(values), NOON, len(values))
    return Admission(TOPIC, lambda _ids: {}, {}, checked()).decide(Records.of([chunk]))[1]


def test_admission_sets_aside_what_came_past_the_doors_with_a_bad_token() -> None:
    """With its reason, and the others count."""
    wrong = [
        event(2, BAD["of another company"]),
        event(3, BAD["forged"]),
        event(4, "secret"),
        event(5, BAD["of a viewer"]),
    ]
    admitted = decide(event(0, token()), event(1, None), *wrong)
    assert admitted.admitted == 2
    assert [(b.offset, b.code) for b in admitted.quarantined] == [(i, Code.BAD_TOKEN) for i in range(2, 6)]
    assert all(PEOPLE.token().encode() not in b.raw for b in admitted.quarantined)


def test_admission_compares_the_end_of_a_token_with_the_events_own_time() -> None:
    """Whenever it decides, it decides alike: the token of old events has ended by the time of a replay."""
    before = event(0, token(exp=NOON // 1000 + 1))
    after = event(1, token(exp=NOON // 1000))
    assert [b.offset for b in decide(before, after).quarantined] == [1]


def test_an_event_that_is_bad_anyway_is_told_so_once() -> None:
    """The first reason counts."""
    bad = event(0, "secret")
    bad.company_id = "no company"
    assert [b.code for b in decide(bad).quarantined] == [Code.BAD_COMPANY]
