"""Audit events: notes of the trail as records of the log. Published by this service alone."""

from __future__ import annotations

import time

from analytics.control_events_pb2 import AuditEvent
from common.envelope_pb2 import AnalyticsProcessingEnvelope

from domain.audit import Note
from domain.events.catalogue import BY_NAME
from domain.events.identity import new_event_id
from domain.events.problems import storable
from domain.ports import Record
from domain.request.tracing import Trace, carrying
from eventlog.publish.record import record_of

AUDIT_EVENT = BY_NAME["audit_event"]


def audit_record(
    note: Note, at: int = 0, trace: Trace | None = None, *, event_id: str = "", causation_id: str = ""
) -> Record:
    """The record of one note, good by construction: the general way of making events costs five times as much.

    `at`: when it happened, in ms since 1970 UTC; else it is now. `trace`: what it was part of.
    """
    fact = AuditEvent(
        subject=storable(note.actor.subject),
        role=note.actor.role,
        action=note.action,
        target=storable(note.target),
        outcome=note.outcome,
        position=note.position,
        code=note.code,
        door=note.door,
        count=note.times,
        correlation=note.correlation_id,
    )
    envelope = AnalyticsProcessingEnvelope(
        message_type=AUDIT_EVENT.name,
        company_id=note.company,
        payload=fact.SerializeToString(),
        timestamp=at or time.time_ns() // 1_000_000,
        service_source="analytics",
        correlation_id=note.correlation_id,
        causation_id=causation_id,
        event_id=event_id or new_event_id(),
        trace_context=None if trace is None else carrying(trace),
    )
    return record_of(envelope, AUDIT_EVENT, trace)
