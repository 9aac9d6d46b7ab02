"""JSON to events: what is read, what is kept, what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.events.catalogue import CATALOGUE, EventType
from domain.events.problems import Code, Problem, RefusedEvent
from domain.events.validation import RESERVED_STREAMS, check_payload
from eventlog.intake.json_mapping import from_json, read_general
from eventlog.intake.json_plain import read_plain
from eventlog.intake.parsing import Parse, ParsedEvent, from_envelope
from eventlog.publish.event import Event, batch, single
from tests.domain.events.test_validation import any_fact
from tests.eventlog.publish.samples import bad_lines, line, trade, trade_members
from tests.support.closed_trades import NOON
from tests.support.examples import examples

OPEN = [kind for kind in CATALOGUE if kind.stream not in RESERVED_STREAMS]


def read(members: Any) -> AnalyticsProcessingEnvelope:
    """The envelope of a JSON event."""
    return from_json(json.dumps(members).encode()).envelope


def outcome(reader: Parse, data: bytes) -> ParsedEvent | Problem:
    """What a reader makes of the bytes; an event_id that was made for them is left out."""
    try:
        parsed = reader(data)
    except RefusedEvent as refused:
        return refused.problem
    if parsed.envelope.event_id.encode() not in data:
        parsed.envelope.event_id = ""
    return parsed


def without_payload(envelope: AnalyticsProcessingEnvelope) -> AnalyticsProcessingEnvelope:
    """The rest of the envelope: two equal payloads with maps may differ in their bytes."""
    copy = AnalyticsProcessingEnvelope()
    copy.CopyFrom(envelope)
    copy.payload = b""
    return copy


def payload_of(event: Event | AnalyticsProcessingEnvelope) -> Any:
    """The decoded payload."""
    envelope = event.envelope if isinstance(event, Event) else event
    kind = from_envelope(envelope).kind
    message = kind.batch if envelope.message_type != kind.name and kind.batch is not None else kind.message
    return message.FromString(envelope.payload)


@pytest.mark.parametrize("kind", OPEN, ids=lambda kind: kind.name)
@settings(max_examples=examples(20))
@given(data=st.data(), snake=st.booleans(), many=st.booleans(), own_name=st.booleans())
def test_an_event_survives_its_way_through_json(
    kind: EventType, data: st.DataObject, snake: bool, many: bool, own_name: bool
) -> None:
    """Whatever the builders make comes back from its JSON, field by field, by the fast way and by the general one."""
    fact = data.draw(any_fact(kind).filter(lambda f: check_payload(kind, f) is None))
    origin: Any = {"event_id": "e-1", "timestamp": NOON, "correlation_id": "c:1", "data_class": "personal"}
    if many:
        event = batch(kind, "acme", "u1", [fact, fact], origin)
    else:
        event = single(kind, "acme", "u1", {f.name: v for f, v in fact.ListFields()}, origin)
    members = json_format.MessageToDict(event.envelope, preserving_proto_field_name=snake)
    body = json_format.MessageToDict(payload_of(event), preserving_proto_field_name=snake)
    members.pop("payload")
    members[event.envelope.message_type if own_name else "payload"] = body["items"] if many else body
    text = json.dumps(members).encode()
    for parsed in (from_json(text), read_general(text)):
        assert without_payload(parsed.envelope) == without_payload(event.envelope)
        assert payload_of(parsed.envelope) == payload_of(event)


def test_plain_events_go_the_fast_way_and_come_out_alike() -> None:
    """The form of the documentation is read by the fast reader, with the general reader's result."""
    for data in (line(), line(symbol="a:b"), line(pnl=-3.5, tags=["a"])):
        assert read_plain(data) is not None
        assert from_json(data) == read_general(data)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists), st.data())
def test_any_value_in_any_field_is_read_or_refused(value: Any, data: st.DataObject) -> None:
    """The fast reader never takes what the general one refuses, and nothing else is ever raised."""
    name = data.draw(st.sampled_from([*trade_members()["payload"], "nothing_known"]))
    text = line(**{name: value})
    assert outcome(from_json, text) == outcome(read_general, text)


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Random bytes are refused with a reason."""
    with pytest.raises(RefusedEvent) as refused:
        from_json(data)
    assert refused.value.problem.reason


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_flipped_line_is_read_or_refused(place: int, flip: int) -> None:
    """A good line with any byte changed is read or refused, never an error."""
    data = bytearray(line())
    data[place % len(data)] ^= flip
    assert outcome(from_json, bytes(data)) == outcome(read_general, bytes(data))


BAD = [(data, code) for data, code in bad_lines() if code is not Code.RESERVED_TYPE]  # good, but taken at no door


@pytest.mark.parametrize(("data", "code"), BAD, ids=lambda v: str(v) if isinstance(v, Code) else "")
def test_each_bad_kind_has_its_code(data: bytes, code: Code) -> None:
    """Every kind of bad line is refused with its code."""
    with pytest.raises(RefusedEvent) as refused:
        from_json(data)
    assert refused.value.problem.code == code


def test_what_can_be_read_of_a_bad_event_is_told() -> None:
    """Tenant, event id and type of a refused event are known where the JSON is readable."""
    with pytest.raises(RefusedEvent) as refused:
        from_json(line(quantity="ten"))
    told = refused.value
    assert (told.company_id, told.event_id, told.message_type) == ("acme", "e1", "trading_result")
    assert "payload.quantity 'ten'" in told.problem.reason


def test_enums_integers_and_names_are_read_in_every_allowed_form() -> None:
    """Lower case, upper case and numbers of enums; 64-bit numbers as text; camelCase names."""
    plain = read(trade_members())
    for change in ({"side": "LONG"}, {"side": 1}, {"closed_at": str(NOON)}, {"quantity": "10"}, {"pnl": None}):
        assert read(trade_members(**change)) == plain
    members = trade_members()
    body = members.pop("payload")
    camel = {_camel(k): v for k, v in members.items()} | {"tradingResult": {_camel(k): v for k, v in body.items()}}
    assert read(camel) == plain
    camel.pop("messageType")
    assert read(camel) == plain


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def test_a_list_is_the_batch_form() -> None:
    """A payload given as a list becomes one batch event."""
    body = trade_members()["payload"]
    envelope = read(trade_members() | {"payload": [body, body | {"trade_id": "t2"}]})
    assert envelope.message_type == "trading_result_batch"
    assert [item.trade_id for item in payload_of(envelope).items] == ["t1", "t2"]


def test_a_payload_may_be_base64_of_the_message() -> None:
    """The protobuf JSON mapping of the envelope itself is taken, too."""
    event = trade()
    assert read(json_format.MessageToDict(event.envelope)) == event.envelope


def test_unknown_members_are_kept() -> None:
    """Members that no field is known for stay with the event, those of facts in a batch with their place."""
    envelope = read(trade_members(venue={"mic": "XNAS"}) | {"build": 7})
    assert json.loads(envelope.unknown_members) == {"venue": {"mic": "XNAS"}, "$envelope": {"build": 7}}
    body = trade_members()["payload"]
    envelope = read(trade_members() | {"payload": [body, body | {"venue": "x"}]})
    assert json.loads(envelope.unknown_members) == {"items": {"1": {"venue": "x"}}}


def test_a_missing_event_id_is_made_and_a_missing_timestamp_is_the_event_time() -> None:
    """Doors complete what they can; an event type without an event time of its own needs its timestamp."""
    members = trade_members()
    del members["event_id"], members["timestamp"]
    envelope = read(members)
    assert envelope.timestamp == NOON
    assert len(envelope.event_id) == 36
    with pytest.raises(RefusedEvent, match="timestamp is required"):
        read({"message_type": "user_event", "company_id": "acme", "user_id": "u1", "payload": {"name": "click"}})
