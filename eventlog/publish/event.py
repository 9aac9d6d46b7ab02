"""One event, ready to be published: made by the typed builders (`builders.py`), checked when it is made."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from common.envelope_pb2 import AnalyticsProcessingEnvelope
from common.request_trace_pb2 import TraceContext
from google.protobuf.message import Message

from domain.events.catalogue import MAX_EVENT, EventType
from domain.events.identity import content, identity, new_event_id, producer_of
from domain.events.problems import Code, Problem, RefusedEvent
from domain.events.validation import check_envelope, check_payload, too_large
from domain.ports import Record
from domain.request import correlation, tracing
from eventlog.intake.parsing import event_time, refusal
from eventlog.publish.record import record_of


class Origin(TypedDict, total=False):
    """What any event may say beside its payload. `timestamp`: ms since 1970 UTC, by default its event time or now."""

    event_id: str
    timestamp: int
    service_source: str
    correlation_id: str
    causation_id: str
    trace_context: TraceContext
    data_class: Literal["public", "internal", "confidential", "personal"] | int
    schema_version: int


@dataclass(frozen=True, slots=True)
class Event:
    """A good event. Publishing it twice with the same publisher writes it once.

    `identity`: 16 bytes that stand for it, of its company, its producer and its event_id; `content`: 64 bits that stand
    for what it says.
    """

    event_id: str
    record: Record
    identity: bytes
    content: int

    @classmethod
    def of(cls, envelope: AnalyticsProcessingEnvelope, record: Record) -> Event:
        """The event of an envelope and the record that was made of it."""
        known_by = identity(envelope.company_id, producer_of(envelope), envelope.event_id)
        said = content(envelope.message_type, envelope.user_id, envelope.timestamp, envelope.payload)
        return cls(envelope.event_id, record, known_by, said)

    @property
    def envelope(self) -> AnalyticsProcessingEnvelope:
        """The envelope as it will be in the log, but for the publisher's stamp."""
        return AnalyticsProcessingEnvelope.FromString(self.record.value)


def single(kind: EventType, company_id: str, user_id: str, fields: Mapping[str, Any], origin: Origin) -> Event:
    """An event of one fact; raises RefusedEvent (an Invalid) with the first rule that it breaks."""
    enums = {f.name: f.enum_type for f in kind.message.DESCRIPTOR.fields if f.enum_type is not None}
    values = {
        name: value.upper() if name in enums and isinstance(value, str) else value
        for name, value in fields.items()
        if value is not None
    }
    try:
        payload = kind.message(**values)
    except (TypeError, ValueError, OverflowError) as error:
        raise RefusedEvent(Problem(Code.WRONG_TYPE, f"{kind.name}: {error}"), company_id=company_id) from error
    return _event(kind, kind.name, company_id, user_id, payload, origin)


def batch(kind: EventType, company_id: str, user_id: str, items: Iterable[Message], origin: Origin) -> Event:
    """An event of many facts of one kind; raises RefusedEvent (an Invalid) with the first rule that it breaks."""
    assert kind.batch is not None
    payload = kind.batch()
    payload.items.extend(items)  # type: ignore[attr-defined]  # every batch message has this one field
    return _event(kind, kind.batch_name, company_id, user_id, payload, origin)


def _event(kind: EventType, name: str, company_id: str, user_id: str, payload: Message, origin: Origin) -> Event:
    present: dict[str, Any] = {key: value for key, value in origin.items() if value is not None}
    present.setdefault("event_id", new_event_id())
    present.setdefault("correlation_id", correlation.current.get())
    present.setdefault("trace_context", tracing.carried())
    present.setdefault("timestamp", event_time(kind, payload) or time.time_ns() // 1_000_000)
    if isinstance(present.get("data_class"), str):
        present["data_class"] = present["data_class"].upper()
    envelope = AnalyticsProcessingEnvelope(
        message_type=name, company_id=company_id, user_id=user_id, payload=payload.SerializeToString(), **present
    )
    problem = check_envelope(envelope, kind) or check_payload(kind, payload)
    record = record_of(envelope, kind)
    if problem is None and len(record.value) > MAX_EVENT:
        problem = too_large(len(record.value))
    if problem is not None:
        raise refusal(envelope, problem)
    return Event.of(envelope, record)
