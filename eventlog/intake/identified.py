"""Good events at a door, and what those that carry no stamp are known by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from common.envelope_pb2 import AnalyticsProcessingEnvelope

from domain.events.identity import conflicting, content, earlier_identity, identity, producer_of
from domain.events.problems import RefusedEvent
from domain.ports import Record
from eventlog.intake.framing import Item
from eventlog.intake.parsing import refusal
from eventlog.intake.quarantine import Seen


class Identified(NamedTuple):
    """Its identity, the one that it had in earlier releases, and its content."""

    identity: bytes
    earlier: bytes
    content: int

    @classmethod
    def of(cls, record: Record, envelope: AnalyticsProcessingEnvelope) -> Identified:
        """That of an event and the record that was made of it."""
        return cls(
            identity(envelope.company_id, producer_of(envelope), envelope.event_id),
            earlier_identity(record.topic, record.key, envelope.event_id),
            content(envelope.message_type, envelope.user_id, envelope.timestamp, envelope.payload),
        )

    def in_log(self, seen: Mapping[bytes, Seen]) -> Seen | None:
        """What has its identity."""
        return seen.get(self.identity) or seen.get(self.earlier)


class Good(NamedTuple):
    """An event to be written, and how it came; what of it is known by its producer's stamp is not `identified`."""

    record: Record
    item: Item
    identified: Identified | None


def contradicting(envelope: AnalyticsProcessingEnvelope) -> RefusedEvent:
    """The refusal of an event whose id another one of its producer has."""
    return refusal(envelope, conflicting(envelope.event_id, producer_of(envelope)))
