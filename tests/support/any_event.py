"""Hypothesis strategies for events of every type in the catalogue, good and damaged, made from the descriptors."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from hashlib import blake2b
from typing import Any, cast

from analytics.control_events_pb2 import ConfigEvent
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st

from domain.events.catalogue import CATALOGUE, LATEST, SECONDS, EventType, longest_text
from domain.events.field_rules import double_of, text_of_double
from tests.support.any_configuration import TOLD

START = 1_760_000_000_000  # 2025-10-09
SPAN = 3 * 86_400_000
WORDS = st.sampled_from(
    ["a", "b", "page_view", "session_started", "feature_used", "click", "AAPL", "ü\"',\n", "x" * 40]
)
COMPANIES, USERS = st.sampled_from(["acme", "globex"]), st.sampled_from(["u1", "u2", "u3"])
CODES = st.sampled_from(["USD", "EUR", "JPY", "USDT", "1INCH", "X" * 10])
AMOUNTS = st.floats(-1e6, 1e6).map(lambda x: round(x, 6))
TIMES = st.integers(START, START + SPAN)


MOST = 1e15
EDGE_AMOUNTS = st.floats(-MOST, MOST).filter(lambda x: not 0 < abs(x) < 5e-7) | st.sampled_from(
    [0.0, -0.0, 1e-12, 1e-7, 5e-7, 1.5e-6, -2.5e-6, MOST, -MOST, math.nextafter(MOST, 0), 0.1 + 0.2]
)
EDGE_TIMES = st.sampled_from([1, 59_999, 60_000, SECONDS[0] - 1, SECONDS[1], LATEST - 1])
WHOLE = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
}


def edge_value(event: EventType, field: FieldDescriptor) -> st.SearchStrategy[Any]:
    """Any value that the rules of the field let through, those at their edges above all."""
    if dict(event.choices).get(field.name) or field.type in (FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_BOOL):
        return usual_value(event, field)
    if field.name in event.currencies:
        return CODES
    if field.name in event.times:
        return EDGE_TIMES
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        least, most = 1e-12 if field.name in event.positive else 0.0, 4e5 if _is_factor(event, field) else MOST
        edges = EDGE_AMOUNTS.map(lambda x: min(most, max(-most, x)))
        return edges.map(lambda x: max(abs(x), least)) if _bounded(event, field) else edges
    if field.type == FieldDescriptor.TYPE_ENUM:
        assert field.enum_type is not None
        return st.sampled_from(
            [v.number for v in field.enum_type.values if v.number or field.name not in event.required]
        )
    if field.type == FieldDescriptor.TYPE_STRING:
        longest = st.just("x" * longest_text(event, field.name))
        return WORDS | longest | st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=9)
    return st.integers(*WHOLE[field.type]) | st.sampled_from(WHOLE[field.type])


def _is_factor(event: EventType, field: FieldDescriptor) -> bool:
    return any(field.name in product.fields for product in event.products)


def _bounded(event: EventType, field: FieldDescriptor) -> bool:
    return field.name in (*event.positive, *event.not_negative)


def usual_value(event: EventType, field: FieldDescriptor) -> st.SearchStrategy[Any]:
    """Such a value as a platform has on a day."""
    choices = dict(event.choices).get(field.name)
    if choices:
        return st.sampled_from(choices)
    if field.name in event.currencies:
        return CODES
    if field.name in event.times:
        return TIMES
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        if _is_factor(event, field):
            return st.floats(0.000001, 1e5).map(lambda x: round(x, 6))
        return st.floats(0.000001, 1e6).map(lambda x: round(x, 6)) if _bounded(event, field) else AMOUNTS
    if field.type == FieldDescriptor.TYPE_ENUM:
        assert field.enum_type is not None
        return st.sampled_from([v.number for v in field.enum_type.values if v.number])
    if field.name == "currency":
        return st.sampled_from(["", "USD"])  # amounts of several have no sum
    if field.type == FieldDescriptor.TYPE_STRING:
        return WORDS
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=20)
    return st.booleans() if field.type == FieldDescriptor.TYPE_BOOL else st.integers(0, 1000)


Values = Callable[[EventType, FieldDescriptor], st.SearchStrategy[Any]]


@st.composite
def facts(draw: st.DrawFn, event: EventType, value: Values = usual_value) -> Message:
    """A good fact of this type; optional fields are there or not."""
    fact = event.message()
    for field in cast(list[FieldDescriptor], event.message.DESCRIPTOR.fields):
        if double_of(field.name) in event.message.DESCRIPTOR.fields_by_name:
            continue  # it says what the double beside it says, below
        if field.is_repeated:
            _fill(fact, field, draw(st.lists(WORDS, max_size=2)))
        elif field.name in event.required or draw(st.booleans()):
            setattr(fact, field.name, draw(value(event, field)))
    _bring_within_bounds(draw, event, fact)
    for field, number in fact.ListFields():
        if text_of_double(field.name) in event.message.DESCRIPTOR.fields_by_name and draw(st.integers(0, 3)) == 0:
            setattr(fact, text_of_double(field.name), f"{Decimal(repr(number)):f}")  # with up to 17 digits
    if isinstance(fact, ConfigEvent) and draw(st.integers(0, 9)):
        fact.topic, fact.body = draw(st.sampled_from(TOLD))
        fact.aggregate_version = draw(st.integers(1, 9))
    return fact


def _bring_within_bounds(draw: st.DrawFn, event: EventType, fact: Any) -> None:
    """Numbers onto their scales, and fields of which one may not be above another into order."""
    there = {field.name for field, _ in fact.ListFields()}
    for scale in event.scales:
        number = getattr(fact, scale.field)
        within = scale.low <= number <= scale.high and not (scale.whole and number % 1)
        if not within and scale.field in there and (not scale.of or getattr(fact, scale.of) == scale.value):
            setattr(fact, scale.field, draw(st.integers(math.ceil(max(scale.low, -9)), int(min(scale.high, 9)))))
    pairs = [pair for pair in event.rising if there.issuperset(pair)]
    while wrong := [pair for pair in pairs if getattr(fact, pair[0]) > getattr(fact, pair[1])]:
        lower, upper = wrong[0]
        low, high = getattr(fact, upper), getattr(fact, lower)
        setattr(fact, lower, low)
        setattr(fact, upper, high)


def _fill(fact: Message, field: FieldDescriptor, words: list[str]) -> None:
    members = getattr(fact, field.name)
    if field.message_type is not None:
        members.update(zip(words, reversed(words), strict=True))
    else:
        members.extend(words)


@st.composite
def envelopes(draw: st.DrawFn, event: EventType, value: Values = usual_value) -> AnalyticsProcessingEnvelope:
    """A good event of this type, in its single or batch form, foreign (no producer stamps)."""
    batch = event.batch is not None and draw(st.integers(0, 3)) == 0
    envelope = AnalyticsProcessingEnvelope(
        message_type=event.batch_name if batch else event.name,
        company_id=draw(COMPANIES),
        user_id=draw(USERS),
        timestamp=draw(TIMES if value is usual_value else EDGE_TIMES),
    )
    if batch and event.batch is not None:
        several = event.batch()
        cast(Any, several).items.extend(draw(st.lists(facts(event, value), min_size=1, max_size=4)))
        envelope.payload = several.SerializeToString()
    else:
        envelope.payload = draw(facts(event, value)).SerializeToString()
    says = blake2b(envelope.SerializeToString(deterministic=True), digest_size=8).hexdigest()
    envelope.event_id = f"e{draw(st.integers(0, 9))}-{says}"  # no two that differ have the same
    return envelope


def good_events(stream: str, value: Values = usual_value) -> st.SearchStrategy[AnalyticsProcessingEnvelope]:
    """Good events of the stream's types, whose fields have such values."""
    types = st.sampled_from([t for t in CATALOGUE if t.stream == stream])
    return types.flatmap(lambda event: envelopes(event, value))


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
                extremes = [1e-13, 1.5e-12, 1.1e15, 1e15, 1e308]
                bad = st.sampled_from([float("nan"), float("inf"), -1.0, 0.0, 8.5, 11, 101, *extremes])
                setattr(fact, field.name, draw(bad))
            elif field.name in event.times and draw(st.booleans()):
                setattr(fact, field.name, draw(st.sampled_from([START, START + SPAN])))
            elif field.type == FieldDescriptor.TYPE_UINT32:
                setattr(fact, field.name, draw(st.sampled_from([1, 100, 101, 36_501])))
        envelope.payload = fact.SerializeToString()
    return envelope.SerializeToString()


def _wrong_text(draw: st.DrawFn, envelope: AnalyticsProcessingEnvelope) -> bytes:
    event = next((t for t in CATALOGUE if t.name == envelope.message_type), None)
    if event is not None:
        fact = event.message.FromString(envelope.payload)
        for field in cast(list[FieldDescriptor], event.message.DESCRIPTOR.fields):
            bad = draw(st.sampled_from(["", "usd", "USD\n", "n\0l", "z" * 5000, "z" * 4096]))
            if field.is_repeated:
                _fill(fact, field, ["a", bad])
            elif field.type == FieldDescriptor.TYPE_STRING and draw(st.booleans()):
                setattr(fact, field.name, bad)
        envelope.payload = fact.SerializeToString()
    return envelope.SerializeToString()
