"""What an event of the event store becomes in the log. Pure: the same event gives the same record, always.

The record's identity comes from the aggregate and its version, its stamp from the store's number, so that whatever is
relayed twice, by whatever process, counts once (ADR 0021).
"""

from __future__ import annotations

import re
from uuid import uuid5

import msgspec
from analytics.control_events_pb2 import ConfigEvent
from common.envelope_pb2 import CONFIDENTIAL, AnalyticsProcessingEnvelope
from common.request_trace_pb2 import TraceContext

from domain.configuration.event_store import State, Stored, read_state
from domain.events.catalogue import BY_NAME
from domain.ports import Record
from eventlog.publish.record import record_of

RELAY = "relay"  # producer of every record: whichever process relays goes on in the same sequence
SOURCE = "command-api"
KIND = BY_NAME["config_event"]
NOBODY = State(company_id="", actor="", role="", at=0, command_id="", body=msgspec.Raw(b"{}"))
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


def relay_record(event: Stored) -> Record:
    """The record of a stored event.

    A state that cannot be read is relayed all the same: without a company, so that the projector sets it aside with
    its bytes, and the events after it flow.
    """
    try:
        state, body = read_state(event), ""
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        state, body = NOBODY, event.state.decode(errors="replace")
    payload = ConfigEvent(
        topic=event.topic,
        aggregate_id=str(event.aggregate_id),
        aggregate_version=event.version,
        body=body or bytes(state.body).decode(),
        actor=state.actor,
        role=state.role,
    )
    envelope = AnalyticsProcessingEnvelope(
        message_type=KIND.name,
        company_id=state.company_id,
        payload=payload.SerializeToString(),
        timestamp=state.at if 0 <= state.at < 2**63 else 0,
        service_source=SOURCE,
        correlation_id=state.correlation_id,
        causation_id=state.command_id,
        trace_context=_trace(state.traceparent),
        data_class=CONFIDENTIAL,
        event_id=event_id(event),
        producer_id=RELAY,
        producer_seq=event.number,
    )
    return record_of(envelope, KIND)


def event_id(event: Stored) -> str:
    """Identity of the event in the log: a UUID made from the aggregate's and the version."""
    return str(uuid5(event.aggregate_id, str(event.version)))


def _trace(traceparent: str) -> TraceContext | None:
    """The W3C trace context; None where there is none to be read."""
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None:
        return None
    trace_id, span_id, flags = match.groups()
    return TraceContext(trace_id=trace_id, span_id=span_id, flags=int(flags, 16))
