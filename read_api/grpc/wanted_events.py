"""Which events an auditor wants, and what of them may be seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from common.envelope_pb2 import CONFIDENTIAL, PERSONAL, AnalyticsProcessingEnvelope
from google.protobuf.message import DecodeError
from services import operations_pb2 as operations

from domain.access import EVERY_COMPANY, Principal, Right, may, require
from domain.errors import Invalid
from domain.events import STREAMS, event_type

_RIGHTS = {"audit-events": Right.TRAIL, "quarantine": Right.QUARANTINE}
# beyond any timestamp: an auditor must find events with absurd times, too
ALWAYS, NEVER = -(2**63), 2**63
_FOR_THE_TENANT = frozenset({CONFIDENTIAL, PERSONAL})


@dataclass(frozen=True, slots=True)
class WantedEvents:
    """A filter over serialised envelopes. `needles` are bytes that a wanted one holds: they spare most parsing."""

    company_id: str = EVERY_COMPANY
    event_id: str = ""
    user_id: str = ""
    correlation_id: str = ""
    message_types: frozenset[str] = frozenset()
    from_time: int = ALWAYS
    to_time: int = NEVER

    def needles(self) -> tuple[bytes, ...]:
        """Texts that stand somewhere in every wanted envelope's bytes."""
        company = "" if self.company_id == EVERY_COMPANY else self.company_id
        return tuple(text.encode() for text in (self.event_id, self.correlation_id, self.user_id, company) if text)

    def envelope(self, value: bytes) -> AnalyticsProcessingEnvelope | None:
        """The envelope, if it is wanted. Bytes that are no envelope belong to no tenant and are never wanted."""
        try:
            envelope = AnalyticsProcessingEnvelope.FromString(value)
        except DecodeError:
            return None
        wanted = (
            self.company_id in (EVERY_COMPANY, envelope.company_id)
            and self.event_id in ("", envelope.event_id)
            and self.user_id in ("", envelope.user_id)
            and self.correlation_id in ("", envelope.correlation_id)
            and (not self.message_types or envelope.message_type in self.message_types)
            and self.from_time <= envelope.timestamp < self.to_time
        )
        return envelope if wanted else None


def wanted_events(request: operations.StreamEventsRequest) -> WantedEvents:
    """The filter of a request; raises Invalid for what cannot be meant."""
    if request.to_time and request.to_time <= request.from_time:
        raise Invalid("to_time must be after from_time", code="bad_time")
    return WantedEvents(
        company_id=request.company_id,
        user_id=request.user_id,
        correlation_id=request.correlation_id,
        message_types=_with_batches(request.message_types),
        from_time=request.from_time or ALWAYS,
        to_time=request.to_time or NEVER,
    )


def readable_topics(principal: Principal, company: str, asked: list[str]) -> list[str]:
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


def logged_event(
    topic: str, partition: int, offset: int, envelope: AnalyticsProcessingEnvelope, principal: Principal
) -> operations.LoggedEvent:
    """The event as the principal may see it: never with the publisher's token, which could be used again."""
    envelope.ClearField("auth_token")
    withheld = envelope.data_class in _FOR_THE_TENANT and not may(principal, Right.PAYLOADS, envelope.company_id)
    if withheld:
        envelope.ClearField("payload")
        envelope.ClearField("unknown_members")
    place = operations.EventPlace(topic=topic, partition=partition, offset=offset)
    return operations.LoggedEvent(place=place, envelope=envelope, payload_withheld=withheld)


def _right(topic: str) -> Right:
    return _RIGHTS.get(topic, Right.EVENTS)


def _with_batches(names: Iterable[str]) -> frozenset[str]:
    found: set[str] = set()
    for name in names:
        kind = event_type(name)
        if kind is None:
            raise Invalid(f"{name!r} is no event type of the catalogue", code="unknown_type")
        found |= {kind.name, kind.batch_name} if name == kind.name else {name}
    return frozenset(found)
