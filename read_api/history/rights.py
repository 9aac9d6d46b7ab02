"""What of the event history somebody may see: which topics, and what of an event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from common.envelope_pb2 import CONFIDENTIAL, PERSONAL, AnalyticsProcessingEnvelope

from domain.access import Principal, Right, may, require
from domain.errors import Invalid
from domain.events import STREAMS, event_type

_RIGHTS = {"audit-events": Right.TRAIL, "quarantine": Right.QUARANTINE}
_FOR_THE_TENANT = frozenset({CONFIDENTIAL, PERSONAL})


def readable_topics(principal: Principal, company: str, asked: Sequence[str]) -> list[str]:
    """The topics to read: those asked for, or all that the principal may read.

    Raises Invalid for an unknown topic, Forbidden for one that the principal may not read.
    """
    if not asked:
        # somebody who may read none of them is told which right is missing
        require(principal, Right.EVENTS, company)
        return [topic for topic in STREAMS if may(principal, _right(topic), company)]
    for topic in asked:
        if topic not in STREAMS:
            raise Invalid(f"{topic!r} is no stream; there are {', '.join(STREAMS)}", code="unknown_stream")
        require(principal, _right(topic), company)
    return list(dict.fromkeys(asked))


def seen_by(principal: Principal, envelope: AnalyticsProcessingEnvelope) -> bool:
    """Reduce the envelope to what the principal may see; True where that leaves the payload out.

    Nobody sees the publisher's token, which could be used again.
    """
    envelope.ClearField("auth_token")
    withheld = envelope.data_class in _FOR_THE_TENANT and not may(principal, Right.PAYLOADS, envelope.company_id)
    if withheld:
        envelope.ClearField("payload")
        envelope.ClearField("unknown_members")
    return withheld


def with_batches(names: Iterable[str]) -> frozenset[str]:
    """These event types, each with its batch form; raises Invalid for one that is none."""
    found: set[str] = set()
    for name in names:
        kind = event_type(name)
        if kind is None:
            raise Invalid(f"{name!r} is no event type of the catalogue", code="unknown_type")
        found |= {kind.name, kind.batch_name} if name == kind.name else {name}
    return frozenset(found)


def _right(topic: str) -> Right:
    return _RIGHTS.get(topic, Right.EVENTS)
