"""Identity of an event: what makes two records the same event, and what an event says.

A producer's event is known by its tenant, its producer and its event_id. The same id with the same content is a repeat;
with other content it is a second event under a name that is taken.
"""

from __future__ import annotations

import os
import time
from functools import cache
from hashlib import blake2b

from common.envelope_pb2 import AnalyticsProcessingEnvelope
from google.protobuf.message import Message

from domain.events.catalogue import BATCHES, BY_NAME
from domain.events.problems import Code, Problem, shown
from domain.events.validation import RESERVED_STREAMS


def identity(company_id: str, producer: str, event_id: str) -> bytes:
    """16 bytes that stand for the event; equal inputs give equal bytes on any machine.

    `producer`: the envelope's producer_id, or its service_source where that is empty (`producer_of`).
    """
    return blake2b("\0".join((company_id, producer, event_id)).encode(), digest_size=16).digest()


def producer_of(envelope: AnalyticsProcessingEnvelope) -> str:
    """Who published an event, within its company."""
    return str(envelope.producer_id or envelope.service_source)


def earlier_identity(topic: str, key: bytes, event_id: str) -> bytes:
    """16 bytes that stood for the event in releases that knew it by its stream, company and user."""
    return blake2b(b"\0".join((topic.encode(), key, event_id.encode())), digest_size=16).digest()


def content(message_type: str, user_id: str, timestamp: int, payload: bytes) -> int:
    """64 bits, signed, that stand for what a good event says: its type, its user, its time, its payload.

    The payload counts as it is read, in whatever order its fields were written. Where it has a time of its own, that of
    the envelope may be when it was sent, and is left out; so is what no fold looks at. Events that this service alone
    publishes are known by their ids: the first of them stands.
    """
    message, own_time = _payload(message_type)
    if message is None:
        return 0
    plain = message.FromString(payload).SerializeToString(deterministic=True)
    envelope = f"{message_type}\0{user_id}\0{0 if own_time else timestamp}\0"
    return int.from_bytes(blake2b(envelope.encode() + plain, digest_size=8).digest(), "big", signed=True)


@cache
def _payload(message_type: str) -> tuple[type[Message] | None, bool]:
    """The payload's message, None where this service alone publishes it, and whether it has a time of its own."""
    batch = message_type in BATCHES
    kind = (BATCHES if batch else BY_NAME)[message_type]
    message = kind.batch if batch else kind.message
    return None if kind.stream in RESERVED_STREAMS else message, kind.event_time != "timestamp"


def conflicting(event_id: str, producer: str) -> Problem:
    """The problem of an event whose id was taken by another one of its producer."""
    reason = (
        f"event_id {shown(event_id)} of producer {shown(producer)} was taken before, by an event that says otherwise"
    )
    return Problem(Code.CONFLICTING_DUPLICATE, reason)


def bad_identity(tenant: str, raw: bytes, times: int) -> bytes:
    """16 bytes that stand for an event that could not be taken: whose call it was, its bytes, and which of equal ones.

    It may have no event_id that could be read, or one that its door has made up.
    """
    return blake2b(b"\0".join((tenant.encode(), str(times).encode(), raw)), digest_size=16).digest()


def new_event_id(now_ms: int | None = None, random: bytes | None = None) -> str:
    """A UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then random bits, so that ids sort by time."""
    ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    tail = bytearray(os.urandom(10) if random is None else random)
    tail[0] = (tail[0] & 0x0F) | 0x70
    tail[2] = (tail[2] & 0x3F) | 0x80
    text = (ms.to_bytes(6, "big") + bytes(tail)).hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
