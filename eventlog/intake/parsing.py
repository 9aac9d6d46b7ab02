"""Reading: one event from bytes to an envelope that has been checked, in whatever form it came."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from common.envelope_pb2 import AnalyticsProcessingEnvelope
from google.protobuf.message import DecodeError, Message

from domain.events.catalogue import MAX_EVENT, EventType, event_type
from domain.events.identity import new_event_id
from domain.events.problems import Code, Problem, RefusedEvent
from domain.events.validation import check_at_door, check_envelope, check_payload, decode_payload, too_large


class ParsedEvent(NamedTuple):
    """A good event: its envelope (complete, payload included) and its row of the catalogue."""

    envelope: AnalyticsProcessingEnvelope
    kind: EventType


Parse = Callable[[bytes], ParsedEvent]


def from_protobuf(data: bytes) -> ParsedEvent:
    """Read a serialised envelope; raises RefusedEvent where it is not a good event."""
    if len(data) > MAX_EVENT:
        raise RefusedEvent(too_large(len(data)))
    try:
        envelope = AnalyticsProcessingEnvelope.FromString(data)
    except DecodeError:
        raise RefusedEvent(Problem(Code.UNDECODABLE, "the bytes are no envelope")) from None
    return from_envelope(envelope)


def from_envelope(envelope: AnalyticsProcessingEnvelope) -> ParsedEvent:
    """Complete and check an envelope that carries its serialised payload; raises RefusedEvent where it is not good."""
    kind = event_type(envelope.message_type)
    if kind is None:
        return complete(envelope, None, None)
    payload = decode_payload(envelope)
    if isinstance(payload, Problem):
        raise refusal(envelope, payload)
    return complete(envelope, kind, payload)


def complete(envelope: AnalyticsProcessingEnvelope, kind: EventType | None, payload: Message | None) -> ParsedEvent:
    """Fill what doors fill (event_id, and timestamp from the payload's event time), then check every rule.

    Raises RefusedEvent with the first rule that is broken.
    """
    if not envelope.event_id:
        envelope.event_id = new_event_id()
    if envelope.timestamp == 0 and kind is not None and payload is not None:
        envelope.timestamp = event_time(kind, payload)
    problem = check_envelope(envelope, kind)
    if problem is None and kind is not None and payload is not None:
        problem = check_at_door(envelope) or check_payload(kind, payload)
    if problem is not None or kind is None:
        raise refusal(envelope, problem or Problem(Code.UNKNOWN_TYPE, "message_type is not in the event catalogue"))
    return ParsedEvent(envelope, kind)


def event_time(kind: EventType, payload: Message) -> int:
    """The payload's own event time, of a batch the latest; 0 where it has none."""
    if kind.event_time == "timestamp":
        return 0
    facts = [payload] if isinstance(payload, kind.message) else payload.items  # type: ignore[attr-defined]  # a batch
    return max((getattr(fact, kind.event_time) for fact in facts), default=0)


def refusal(envelope: AnalyticsProcessingEnvelope, problem: Problem) -> RefusedEvent:
    """The refusal of an event of which the envelope could be read."""
    return RefusedEvent(
        problem,
        company_id=envelope.company_id,
        event_id=envelope.event_id,
        message_type=envelope.message_type,
    )
