"""Answers in a bucket of NATS: shared by all API processes, in the server's memory, lost with it without harm."""

from __future__ import annotations

import asyncio

from nats.errors import Error as NatsError
from nats.js.api import KeyValueConfig, StorageType
from nats.js.errors import KeyNotFoundError
from nats.js.kv import KeyValue

from adapters.nats.bus import NatsBus
from domain.errors import Unavailable

BUCKET = "answers"
LARGEST = 512 * 1024  # bytes of one answer: half of what a message may have anywhere
MOST_BYTES = 64 * 2**20
LASTS = 900.0  # seconds: a full bucket takes nothing new, so what is there has to go; files keep what costs much


class AnswerBucket:
    """`domain.ports.AnswerTier` on NATS. The bucket is made at first use, and again when the server has lost it."""

    def __init__(self, bus: NatsBus) -> None:
        self._bus = bus
        self._bucket: KeyValue | None = None
        self._opening = asyncio.Lock()

    async def get(self, name: str) -> bytes | None:
        """What is there under a name. Raises Unavailable."""
        try:
            return (await (await self._open()).get(name)).value
        except KeyNotFoundError:
            return None
        except (NatsError, OSError) as error:
            raise self._lost(error) from error

    async def put(self, name: str, value: bytes) -> None:
        """Keep it in place of what is there, unless it is too large. Raises Unavailable."""
        if len(value) > LARGEST:
            return
        try:
            await (await self._open()).put(name, value)
        except (NatsError, OSError) as error:
            raise self._lost(error) from error

    async def _open(self) -> KeyValue:
        if not self._bus.connected:
            raise Unavailable("the live bus is not connected")
        async with self._opening:
            if self._bucket is None:
                config = KeyValueConfig(
                    BUCKET, history=1, ttl=LASTS, max_bytes=MOST_BYTES, storage=StorageType.MEMORY, direct=True
                )
                self._bucket = await self._bus.jetstream().create_key_value(config)
            return self._bucket

    def _lost(self, error: Exception) -> Unavailable:
        self._bucket = None
        return Unavailable(f"the bucket of answers does not answer: {error or type(error).__name__}")
