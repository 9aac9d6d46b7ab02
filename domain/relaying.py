"""What an event of the event store becomes in the log. Pure: the same event gives the same record, always.

The record's identity comes from the aggregate and its version, its stamp from the store's number, so that whatever is
relayed twice, by whatever process, counts once (ADR 0021).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from analytics.control_events_pb2 import ConfigEvent
from common.envelope_pb2 import CONFIDENTIAL, AnalyticsProcessingEnvelope
from common.request_trace_pb2 import TraceContext

from domain.event_store import StoredEvent
from domain.events import BY_NAME
from domain.ports import Record
from domain.publishing.records import record_of

RELAY = "relay"  # producer of every record: whichever process relays goes on in the same sequence
SOURCE = "command-api"
KIND = BY_NAME["config_event"]
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


def relayed(event: StoredEvent) -> Record:
    """The record of a stored event.

    A state that cannot be read is relayed all the same: without a company, so that the projector sets it aside with
    its bytes, and the events after it flow.
    """
    state = _read(event.state)
    body = event.state.decode(errors="replace") if state is None else _text(state.get("body", {}))
    told: Mapping[str, Any] = state or {}
    payload = ConfigEvent(
        topic=event.topic,
        aggregate_id=event.aggregate_id,
        aggregate_version=event.version,
        body=body,
        actor=_str(told, "actor"),
        role=_str(told, "role"),
    )
    envelope = AnalyticsProcessingEnvelope(
        message_type=KIND.name,
        company_id=_str(told, "company_id"),
        payload=payload.SerializeToString(),
        timestamp=_whole(told, "at"),
        service_source=SOURCE,
        correlation_id=_str(told, "correlation_id"),
        causation_id=_str(told, "command_id"),
        trace_context=_trace(_str(told, "traceparent")),
        data_class=CONFIDENTIAL,
        event_id=event_id(event),
        producer_id=RELAY,
        producer_seq=event.number,
    )
    return record_of(envelope, KIND)


def event_id(event: StoredEvent) -> str:
    """Identity of the event in the log: a UUID made from the aggregate's and the version."""
    return str(uuid5(UUID(event.aggregate_id), str(event.version)))


def _read(state: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(state)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _text(body: object) -> str:
    """JSON with its members in order: equal bodies are equal texts."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"))


def _str(state: Mapping[str, Any], name: str) -> str:
    found = state.get(name)
    return found if isinstance(found, str) else ""


def _whole(state: Mapping[str, Any], name: str) -> int:
    found = state.get(name)
    return found if isinstance(found, int) and 0 <= found < 2**63 else 0


def _trace(traceparent: str) -> TraceContext | None:
    """The W3C trace context; None where there is none to be read."""
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None:
        return None
    trace_id, span_id, flags = found.groups()
    return TraceContext(trace_id=trace_id, span_id=span_id, flags=int(flags, 16))
