"""Events and event bytes that several tests use, good and bad."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from analytics.business_events_pb2 import SurveyResponse
from common.envelope_pb2 import AnalyticsProcessingEnvelope

from adapters.postgres.tables.quarantine import PostgresQuarantine
from adapters.postgres.tables.seen import PostgresSeenEvents
from domain.events.catalogue import STREAMS
from domain.events.problems import Code
from domain.ports import EventLog
from eventlog.intake.intake import Ingest
from eventlog.publish.event import Event
from eventlog.publish.record import varint
from tests.support.closed_trades import NOON, closed_trade


@dataclass(frozen=True)
class Door:
    """An ingest service with what stands behind it."""

    ingest: Ingest
    log: EventLog
    quarantine: PostgresQuarantine
    seen: PostgresSeenEvents
    database_url: str


def trade(trade_id: str = "t1", user_id: str = "u1", company_id: str = "acme", event_id: str = "") -> Event:
    """A good trade; its event_id is made from the trade_id where none is given."""
    return closed_trade(
        company_id=company_id,
        user_id=user_id,
        trade_id=trade_id,
        quantity=10,
        entry_price=187.1,
        exit_price=189.4,
        event_id=event_id or f"event-of-{trade_id}",
    )


def trade_members(**payload: Any) -> dict[str, Any]:
    """A good trade as JSON members, with payload members added or replaced."""
    return {
        "message_type": "trading_result",
        "event_id": "e1",
        "company_id": "acme",
        "user_id": "u1",
        "timestamp": NOON,
        "payload": {
            "trade_id": "t1",
            "account_id": "a1",
            "symbol": "AAPL",
            "side": "long",
            "quantity": 10,
            "entry_price": 187.1,
            "exit_price": 189.4,
            "closed_at": NOON,
            **payload,
        },
    }


def line(**payload: Any) -> bytes:
    """A good trade as a line of NDJSON, with payload members added or replaced."""
    return json.dumps(trade_members(**payload)).encode()


SUBSCRIBED = {"event": "started", "customer_id": "c", "subscription_id": "s"}
SCORE = SurveyResponse(survey=SurveyResponse.CES, score=0, respondent_id="r")


def of_type(message_type: str, **payload: Any) -> bytes:
    """An event of another type, as a line of NDJSON."""
    return json.dumps(trade_members() | {"message_type": message_type, "payload": payload}).encode()


def framed(*envelopes: bytes) -> bytes:
    """Length-delimited protobuf."""
    return b"".join(varint(len(data)) + data for data in envelopes)


OURS = (  # an event that only the service itself may publish
    b'{"message_type": "audit_event", "company_id": "acme", "timestamp": 1,'
    b' "payload": {"subject": "a", "action": "b", "outcome": "ok"}}'
)


def bad_lines() -> list[tuple[bytes, Code]]:
    """One NDJSON line of each bad kind, with the code that it must get."""
    good = line()
    return [
        (good[:100], Code.BAD_JSON),
        (good.replace(b'"quantity": 10', b'"quantity" 10'), Code.BAD_JSON),
        (bytes([good[0] ^ 0x10]) + good[1:], Code.BAD_JSON),
        (good.replace(b'"AAPL"', b'"AA\xffL"'), Code.BAD_TEXT),
        (line(symbol="A\0B"), Code.BAD_TEXT),
        (line(symbol="\ud800"), Code.BAD_TEXT),
        (line(symbol="x" * 5_000), Code.BAD_TEXT),
        (line(trade_id=7), Code.WRONG_TYPE),
        (line(quantity="ten"), Code.WRONG_TYPE),
        (line(quantity=True), Code.WRONG_TYPE),
        (line(closed_at=1.5), Code.WRONG_TYPE),
        (json.dumps(trade_members() | {"payload": 5}).encode(), Code.WRONG_TYPE),
        (b"[1, 2]", Code.WRONG_TYPE),
        (line(trade_id=None), Code.MISSING_FIELD),
        (line(exit_price=None), Code.MISSING_FIELD),
        (json.dumps(trade_members() | {"company_id": None}).encode(), Code.MISSING_FIELD),
        (json.dumps(trade_members() | {"user_id": ""}).encode(), Code.MISSING_FIELD),
        (json.dumps(trade_members() | {"payload": None}).encode(), Code.MISSING_FIELD),
        (json.dumps(trade_members() | {"payload": []}).encode(), Code.EMPTY_BATCH),
        (line(quantity=float("nan")), Code.NOT_FINITE),
        (line(exit_price="Infinity"), Code.NOT_FINITE),
        (line(quantity=1.1e15), Code.OUT_OF_RANGE),
        (line(quantity=-1), Code.OUT_OF_RANGE),
        (line(closed_at=2**63), Code.OUT_OF_RANGE),
        (line(closed_at=253_402_300_799_000), Code.BAD_TIME),
        (line(opened_at=-5), Code.BAD_TIME),
        *_beyond_bounds(),
        (line(side="sideways"), Code.BAD_CHOICE),
        (json.dumps(trade_members() | {"message_type": "nothing_known"}).encode(), Code.UNKNOWN_TYPE),
        (json.dumps(trade_members() | {"company_id": "a b"}).encode(), Code.BAD_COMPANY),
        (good.replace(b'"side"', b'"symbol": "MSFT", "side"'), Code.DUPLICATE_KEY),
        (line(tags=[[[]] * 3], deep=_nested(40)), Code.TOO_DEEP),
        (b'{"a":' * 50_000, Code.TOO_DEEP),
        (line(exit_reason="x" * 10_000_000), Code.TOO_LARGE),
        (OURS, Code.RESERVED_TYPE),
    ]


def _beyond_bounds() -> list[tuple[bytes, Code]]:
    return [
        (line(opened_at=NOON + 1), Code.CONTRADICTION),
        (line(max_adverse_excursion=1), Code.OUT_OF_RANGE),
        (of_type("survey_response", survey="nps", score=8.5, respondent_id="r"), Code.OUT_OF_RANGE),
        (of_type("survey_response", survey="csat", score=7, respondent_id="r"), Code.OUT_OF_RANGE),
        (
            of_type("market_bar", symbol="A", interval="1d", start=NOON, open=5, high=1, low=5, close=5),
            Code.CONTRADICTION,
        ),
        (of_type("subscription", **SUBSCRIBED, interval="year", interval_count=7975), Code.OUT_OF_RANGE),
        (of_type("subscription", **SUBSCRIBED, discount_pct=101), Code.OUT_OF_RANGE),
    ]


def _nested(levels: int) -> Any:
    return [_nested(levels - 1)] if levels else 1


def bad_envelopes() -> list[tuple[bytes, Code]]:
    """One serialised envelope of each bad kind, with the code that it must get."""
    good = trade("bad").envelope
    return [
        (good.SerializeToString()[:-3], Code.UNDECODABLE),
        (b"\xff" * 40, Code.UNDECODABLE),
        (b"", Code.MISSING_FIELD),
        (_changed(good, payload=good.payload[:-3]), Code.UNDECODABLE),
        (_changed(good, payload=b""), Code.MISSING_FIELD),
        (good.SerializeToString().replace(b"acme", b"ac\xffe"), Code.UNDECODABLE),
        (_changed(good, company_id=""), Code.MISSING_FIELD),
        (_changed(good, message_type="nothing_known"), Code.UNKNOWN_TYPE),
        (_changed(good, timestamp=253_402_300_799_000), Code.BAD_TIME),
        (_changed(good, payload=good.payload.replace(b"\x67\x40", b"\xf8\x7f")), Code.NOT_FINITE),
        (_changed(good, correlation_id="c" * 300), Code.BAD_TEXT),
        (_changed(good, message_type="survey_response", payload=SCORE.SerializeToString()), Code.OUT_OF_RANGE),
        (_changed(good, unknown_members="x" * 10_000_000), Code.TOO_LARGE),
    ]


def _changed(envelope: AnalyticsProcessingEnvelope, **fields: Any) -> bytes:
    copy = AnalyticsProcessingEnvelope()
    copy.CopyFrom(envelope)
    for name, value in fields.items():
        setattr(copy, name, value)
    return copy.SerializeToString()


async def chunks_of(data: bytes, size: int = 65_536) -> AsyncIterator[bytes]:
    """The bytes in chunks, as a network or a file gives them."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def logged(log: EventLog, streams: Sequence[str] = STREAMS) -> list[AnalyticsProcessingEnvelope]:
    """Everything in the log, partition by partition in order."""
    found: list[AnalyticsProcessingEnvelope] = []
    for stream in streams:
        heads = await log.heads(stream)
        reader = log.reader(stream)
        at = dict.fromkeys(heads, 0)
        while any(at[p] < head for p, head in heads.items()):
            for chunk in await reader.read(at, max_records=10_000, wait=1):
                found += map(AnalyticsProcessingEnvelope.FromString, chunk.values)
                at[chunk.partition] = chunk.next_offset
        await reader.close()
    return found
