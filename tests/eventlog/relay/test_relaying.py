"""What a stored event becomes in the log: a pure mapping, which the projector must be able to read."""

from __future__ import annotations

import json
from uuid import UUID, uuid4

from analytics.control_events_pb2 import ConfigEvent
from common.envelope_pb2 import CONFIDENTIAL, AnalyticsProcessingEnvelope
from hypothesis import given
from hypothesis import strategies as st

from domain.configuration.event_store import Stored
from domain.events.catalogue import MAX_DOCUMENT
from domain.events.validation import judge
from eventlog.relay.record import RELAY, event_id, relay_record
from tests.support.event_store import AT, aggregate, state

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def stored(said: bytes, number: int = 7, version: int = 3, of: UUID | None = None) -> Stored:
    return Stored(of or aggregate("d"), version, "dashboard.renamed", said, number)


def read(event: Stored) -> tuple[AnalyticsProcessingEnvelope, ConfigEvent]:
    envelope = AnalyticsProcessingEnvelope.FromString(relay_record(event).value)
    return envelope, ConfigEvent.FromString(envelope.payload)


def test_everything_of_the_state_has_its_place() -> None:
    """Who, when, for whom and because of what go into the envelope or beside the body."""
    envelope, event = read(stored(json.dumps(state("acme", body={"title": "b", "at": 1})).encode()))
    assert (envelope.message_type, envelope.company_id, envelope.timestamp) == ("config_event", "acme", AT)
    assert (envelope.correlation_id, envelope.causation_id) == ("r-1", "c-1")
    assert (envelope.producer_id, envelope.producer_seq, envelope.data_class) == (RELAY, 7, CONFIDENTIAL)
    assert envelope.trace_context.trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert (envelope.trace_context.span_id, envelope.trace_context.flags) == ("b7ad6b7169203331", 1)
    assert (event.topic, event.aggregate_id, event.aggregate_version) == ("dashboard.renamed", str(aggregate("d")), 3)
    assert (json.loads(event.body), event.actor, event.role) == ({"title": "b", "at": 1}, "u1", "admin")


def test_a_company_s_events_are_keyed_alike() -> None:
    """One company's events lie in one partition, in commit order."""
    assert relay_record(stored(json.dumps(state("acme")).encode())).key == b"acme"
    assert relay_record(stored(json.dumps(state("acme")).encode(), number=8, version=4)).key == b"acme"


@given(body=st.dictionaries(st.text(), JSON, max_size=4), version=st.integers(1, 10**9), number=st.integers(1, 2**62))
def test_a_good_state_gives_a_good_event_and_the_same_one_again(
    body: dict[str, object], version: int, number: int
) -> None:
    """Nothing in it comes from anywhere else, so a repeat is the same bytes."""
    event = stored(json.dumps(state("acme", body=body)).encode(), number, version)
    assert relay_record(event) == relay_record(event)
    assert judge(relay_record(event).value, "config-events") is None
    assert json.loads(read(event)[1].body) == body


def test_identities_differ_by_aggregate_and_version_alone() -> None:
    """The number is the store's business: an identity would survive a store that was filled anew."""
    said = json.dumps(state("acme")).encode()
    ids = {event_id(stored(said, version=v)) for v in range(1, 100)} | {event_id(stored(said, of=uuid4()))}
    assert len(ids) == 100
    assert event_id(stored(said, number=1)) == event_id(stored(b"{}", number=2))
    assert all(UUID(found) for found in ids)


@given(said=st.binary(max_size=60) | JSON.map(lambda found: json.dumps(found).encode()))
def test_a_state_that_cannot_be_read_is_relayed_to_be_set_aside(said: bytes) -> None:
    """It never stops the relay; the projector finds no company and keeps the bytes."""
    problem = judge(relay_record(stored(said)).value, "config-events")
    assert problem is not None
    assert problem.code == "missing_field"


def test_a_long_body_is_a_document_and_not_a_long_text() -> None:
    """A dashboard of many tiles has more bytes than any other text may have; there is a bound all the same."""
    long, longer = ({"layout": "x" * (MAX_DOCUMENT - room)} for room in (100, 0))
    assert judge(relay_record(stored(json.dumps(state("acme", body=long)).encode())).value) is None
    problem = judge(relay_record(stored(json.dumps(state("acme", body=longer)).encode())).value)
    assert problem is not None
    assert "body has" in problem.reason
