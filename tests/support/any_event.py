"""Hypothesis strategies for events of every type in the catalogue, good and damaged, made from the descriptors."""

from __future__ import annotations

from typing import Any, cast

from analytics.control_events_pb2 import ConfigEvent
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st

from domain.events.catalogue import CATALOGUE, EventType
from tests.support.any_configuration import TOLD

START = 1_760_000_000_000  # 2025-10-09
SPAN = 3 * 86_400_000
WORDS = st.sampled_from(
    ["a", "b", "page_view", "session_started", "feature_used", "click", "AAPL", "ü\"',\n", "x" * 40]
)
COMPANIES, USERS = st.sampled_from(["acme", "globex"]), st.sampled_from(["u1", "u2", "u3"])
AMOUNTS = st.floats(-1e6, 1e6).map(lambda x: round(x, 6))
TIMES = st.integers(START, START + SPAN)


def _value(event: EventType, field: FieldDescriptor) -> st.SearchStrategy[Any]:
    choices = dict(event.choices).get(field.name)
    if choices:
        return st.sampled_from(choices)
    if field.name in event.times:
        return TIMES
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        bounded = field.name in (*event.positive, *event.not_negative)
        return st.floats(0.000001, 1e6).map(lambda x: round(x, 6)) if bounded else AMOUNTS
    if field.type == FieldDescriptor.TYPE_ENUM:
        assert field.enum_type is not None
        return st.sampled_from([v.number for v in field.enum_type.values if v.number])
    if field.type == FieldDescriptor.TYPE_STRING:
        return WORDS
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=20)
    return st.booleans() if field.type == FieldDescriptor.TYPE_BOOL else st.integers(0, 1000)


@st.composite
def facts(draw: st.DrawFn, event: EventType) -> Message:
    """A good fact of this type; optional fields are there or not."""
    fact = event.message()
    for field in cast(list[FieldDescriptor], event.message.DESCRIPTOR.fields):
        if field.is_repeated:
            _fill(fact, field, draw(st.lists(WORDS, max_size=2)))
        elif field.name in event.required or draw(st.booleans()):
            setattr(fact, field.name, draw(_value(event, field)))
    if isinstance(fact, ConfigEvent) and draw(st.integers(0, 9)):
        fact.topic, fact.body = draw(st.sampled_from(TOLD))
        fact.aggregate_version = draw(st.integers(1, 9))
    return fact


def _fill(fact: Message, field: FieldDescriptor, words: list[str]) -> None:
    members = getattr(fact, field.name)
    if field.message_type is not None:
        members.update(zip(words, reversed(words), strict=True))
    else:
        members.extend(words)


@st.composite
def envelopes(draw: st.DrawFn, event: EventType) -> AnalyticsProcessingEnvelope:
    """A good event of this type, in its single or batch form, foreign (no producer stamps)."""
    batch = event.batch is not None and draw(st.integers(0, 3)) == 0
    envelope = AnalyticsProcessingEnvelope(
        message_type=event.batch_name if batch else event.name,
        company_id=draw(COMPANIES),
        user_id=draw(USERS),
        timestamp=draw(TIMES),
        event_id=f"e{draw(st.integers(0, 10**9))}",
    )
    if batch and event.batch is not None:
        several = event.batch()
        cast(Any, several).items.extend(draw(st.lists(facts(event), min_size=1, max_size=4)))
        envelope.payload = several.SerializeToString()
    else:
        envelope.payload = draw(facts(event)).SerializeToString()
    return envelope


def good_events(stream: str) -> st.SearchStrategy[AnalyticsProcessingEnvelope]:
    """Good events of the stream's types."""
    return st.sampled_from([t for t in CATALOGUE if t.stream == stream]).flatmap(envelopes)


WRONG_FIELDS: dict[int, tuple[str, list[object]]] = {
    0: ("company_id", ["", "a b", "*", "x" * 65, "ok"]),
    1: ("timestamp", [0, -5, 1, 4_102_444_800_000, 253_402_300_799_000]),
    2: ("user_id", ["", "n\0l", "y" * 300]),
    3: ("message_type", ["", "nothing", "user_event", "trading_result", "payment_batch"]),
    4: ("payload", [b"", b"\xff", b"\x0a\x02\xff\xfe"]),
    9: ("schema_version", [0, 1, 2, 2**32 - 1]),
}


@st.composite
def damaged(draw: st.DrawFn, stream: str) -> bytes:
    """Bytes of an event in which something is, perhaps, wrong."""
    envelope = draw(good_events(stream))
    kind = draw(st.integers(0, 9))
    if kind in WRONG_FIELDS:
        name, values = WRONG_FIELDS[kind]
        setattr(envelope, name, draw(st.sampled_from(values)))
    elif kind == 5:
        return _wrong_number(draw, envelope)
    elif kind == 8:
        return _wrong_text(draw, envelope)
    raw = envelope.SerializeToString()
    if kind == 6:
        raw = raw[: draw(st.integers(0, len(raw)))]
    elif kind == 7 and raw:
        at = draw(st.integers(0, len(raw) - 1))
        raw = raw[:at] + bytes([raw[at] ^ (1 << draw(st.integers(0, 7)))]) + raw[at + 1 :]
    return raw


def _wrong_number(draw: st.DrawFn, envelope: AnalyticsProcessingEnvelope) -> bytes:
    event = next((t for t in CATALOGUE if t.name == envelope.message_type), None)
    if event is not None:
        fact = event.message.FromString(envelope.payload)
        for field in cast(list[FieldDescriptor], event.message.DESCRIPTOR.fields):
            if field.type == FieldDescriptor.TYPE_DOUBLE and draw(st.booleans()):
                bad = st.sampled_from([float("nan"), float("inf"), -1.0, 0.0, 9.3e12, 9.2e12, 1e308])
                setattr(fact, field.name, draw(bad))
        envelope.payload = fact.SerializeToString()
    return envelope.SerializeToString()


def _wrong_text(draw: st.DrawFn, envelope: AnalyticsProcessingEnvelope) -> bytes:
    event = next((t for t in CATALOGUE if t.name == envelope.message_type), None)
    if event is not None:
        fact = event.message.FromString(envelope.payload)
        for field in cast(list[FieldDescriptor], event.message.DESCRIPTOR.fields):
            bad = draw(st.sampled_from(["", "n\0l", "z" * 5000, "z" * 4096]))
            if field.is_repeated:
                _fill(fact, field, ["a", bad])
            elif field.type == FieldDescriptor.TYPE_STRING and draw(st.booleans()):
                setattr(fact, field.name, bad)
        envelope.payload = fact.SerializeToString()
    return envelope.SerializeToString()
