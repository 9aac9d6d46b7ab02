"""Identity of an event: what makes two records the same event.

A foreign producer's event is known by its tenant, its log key and its event_id; the topic is part of it, because the
same key lies in one partition of each topic, so that "seen before" is decided by one partition's history alone.
"""

from __future__ import annotations

import os
import time
from hashlib import blake2b


def identity(topic: str, key: bytes, event_id: str) -> bytes:
    """16 bytes that stand for the event; equal inputs give equal bytes on any machine."""
    return blake2b(b"\0".join((topic.encode(), key, event_id.encode())), digest_size=16).digest()


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
