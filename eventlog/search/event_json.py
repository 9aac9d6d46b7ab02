"""An event as JSON: the envelope with its payload spelled out, and its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from common.envelope_pb2 import AnalyticsProcessingEnvelope
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError

from domain.access.rights import Principal
from domain.events.catalogue import event_type
from domain.ports import Placed
from domain.position import Position
from eventlog.search.criteria import Scanned
from eventlog.search.rights import reduce_to_visible
from eventlog.search.search import EventMatch

EventJson = dict[str, Any]


def visible_json(event: EventMatch, principal: Principal) -> EventJson:
    """The event as the principal may see it, in the form that `ingest` takes, with its place."""
    withheld = reduce_to_visible(principal, event.envelope)
    members = event_json(event.place, event.envelope)
    return members | {"payload_withheld": True} if withheld else members


def event_json(place: Placed, envelope: AnalyticsProcessingEnvelope) -> EventJson:
    """The envelope's members after topic, partition and offset; `position` is the token that covers the event."""
    members = MessageToDict(envelope, preserving_proto_field_name=True)
    if envelope.payload:
        members["payload"] = _payload(envelope.message_type, envelope.payload) or members["payload"]
    topic, partition, offset = place
    position = str(Position({(topic, partition): offset + 1}))
    return {"topic": topic, "partition": partition, "offset": offset, "position": position, **members}


def figures(scanned: Scanned) -> Mapping[str, int]:
    """How many records and bytes a search looked at; see `eventlog.search.criteria.Scanned`."""
    return asdict(scanned)


def _payload(message_type: str, payload: bytes) -> EventJson | None:
    """The payload's members; None where it is not what the message type says: then its base64 is shown."""
    kind = event_type(message_type)
    if kind is None:
        return None
    message = kind.batch if kind.batch is not None and message_type == kind.batch_name else kind.message
    try:
        return MessageToDict(message.FromString(payload), preserving_proto_field_name=True)
    except DecodeError:
        return None
