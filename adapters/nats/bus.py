"""The live bus on NATS core: at most once, nothing kept. What must not be lost goes to the log."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import suppress

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as NatsSubscription
from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError, SlowConsumerError
from nats.js import JetStreamContext

from adapters.nats.direct_parser import DirectParser
from domain.errors import LimitExceeded, Unavailable
from domain.ports import Handler, Subscription
from eventlog import tasks

logger = logging.getLogger(__name__)

PENDING = 4_096  # messages that may wait for a slow handler; then the oldest go
RECONNECT_PAUSE = 0.2  # seconds between two attempts to reconnect
FLUSH_LIMIT = 2.0  # seconds
OUTBOUND = 8 * 1_048_576  # bytes that may wait to be sent


class BusSubscription:
    """Messages wait in a bounded queue of our own: the client's would drop the newest ones instead of the oldest."""

    def __init__(self, subject: str, handler: Handler, bus: NatsBus) -> None:
        self._subject, self._handler, self._bus = subject, handler, bus
        self._waiting: deque[tuple[bytes, bytes]] = deque(maxlen=PENDING)  # subject and data
        self._arrived = asyncio.Event()
        self._source: NatsSubscription | None = None
        self._working = tasks.start(tasks.keep(self._work, f"listening to {subject}"), f"listening to {subject}")

    async def start(self, client: Client) -> None:
        """Begin to receive. Raises NatsError, OSError."""
        if self._source is None:
            self._source = await client.subscribe(self._subject, cb=self._receive)
            self._bus.sinks[self._source._id] = self._take

    async def stop(self) -> None:
        """No more calls of the handler after this returns."""
        if self._source is not None:
            self._bus.sinks.pop(self._source._id, None)
            with suppress(NatsError):
                await self._source.unsubscribe()
        await tasks.end(self._working)
        self._bus.forget(self)

    async def _receive(self, message: Msg) -> None:
        self._take(message.subject.encode(), message.data)

    def _take(self, subject: bytes, data: bytes) -> None:
        if len(self._waiting) == PENDING:
            self._bus.dropped += 1
        self._waiting.append((subject, data))
        self._arrived.set()

    async def _work(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                subject, data = self._waiting.popleft()
                try:
                    await self._handler(subject.decode(), data)
                except Exception as error:  # one bad message must not end the subscription
                    self._bus.note(error)


class NatsBus:
    """A connection to NATS that comes back for ever; counts what it could not deliver.

    `dropped`: messages that a slow handler never saw; `errors`: failures of handlers and of the connection, with the
    newest in `last_error`; `reconnects`: how often the connection came back.
    """

    def __init__(self, url: str) -> None:
        self._client = Client()
        self._client._ps = parser = DirectParser(self._client)
        self.sinks = parser.sinks
        self._url = url
        self._opening: asyncio.Task[None] | None = None
        self._opened = False
        self._subscriptions: set[BusSubscription] = set()
        self.dropped = 0
        self.errors = 0
        self.reconnects = 0
        self.last_error: Exception | None = None

    @classmethod
    async def connect(cls, url: str, *, patience: float = 5.0) -> NatsBus:
        """A bus on the server at `url`, connected if the server answered within `patience` seconds.

        If not, it goes on trying in the background, because the log must work without the live bus.
        """
        bus = cls(url)
        bus._opening = tasks.start(tasks.keep(bus._open, "connecting to the live bus"), "connecting to the live bus")
        await asyncio.wait({bus._opening}, timeout=patience)
        return bus

    async def _open(self) -> None:
        if not self._opened:
            await self._client.connect(
                self._url,
                allow_reconnect=True,
                max_reconnect_attempts=-1,  # for ever
                reconnect_time_wait=RECONNECT_PAUSE,  # type: ignore[arg-type]  # said to be whole seconds, but is not
                connect_timeout=2,
                pending_size=OUTBOUND,
                error_cb=self._on_error,
                reconnected_cb=self._on_reconnected,
            )
            self._opened = True  # from now on `subscribe` starts what comes
        for subscription in list(self._subscriptions):
            await subscription.start(self._client)

    async def publish(self, subject: str, data: bytes) -> None:
        """Send to whoever listens now.

        Raises Unavailable when not connected or not heard in time, LimitExceeded for a message that is too large.
        """
        if not self._client.is_connected:
            raise Unavailable("the live bus is not connected")  # waiting messages would come late, as if they were new
        try:
            async with asyncio.timeout(FLUSH_LIMIT):  # a frozen server takes nothing, and the client waits for it
                await self._client.publish(subject, data)
        except MaxPayloadError as error:
            raise LimitExceeded(f"a message of {len(data)} bytes is too large for the live bus") from error
        except (NatsError, OSError) as error:
            raise Unavailable(f"the live bus does not take messages: {error or 'no answer'}") from error

    def jetstream(self) -> JetStreamContext:
        """The server's streams, on this connection."""
        return self._client.jetstream(timeout=FLUSH_LIMIT)

    async def flush(self) -> None:
        """Return when the server has all that was published, at most after `FLUSH_LIMIT` seconds.

        Raises Unavailable.
        """
        if not self._client.is_connected:
            raise Unavailable("the live bus is not connected")
        try:
            async with asyncio.timeout(FLUSH_LIMIT):
                await self._client._flush_pending(force_flush=True)  # `flush` writes its PING before what waits
                await self._client.flush()
        except (TimeoutError, NatsError, OSError) as error:
            raise Unavailable(f"the live bus does not answer: {error}") from error

    async def subscribe(self, subject: str, handler: Handler) -> Subscription:
        """Call the handler for each message; a subscription outlives reconnections, and may come before the first.

        Raises Unavailable when the server does not take it.
        """
        subscription = BusSubscription(subject, handler, self)
        try:
            if self._opened:
                await subscription.start(self._client)
            self._subscriptions.add(subscription)
        except (NatsError, OSError) as error:
            await subscription.stop()
            raise Unavailable(f"the live bus does not take a subscription: {error}") from error
        return subscription

    @property
    def connected(self) -> bool:
        """Whether the bus can take messages now."""
        return bool(self._client.is_connected)

    @property
    def losses(self) -> int:
        """How often messages may have been lost: by a slow handler, or while the connection was away."""
        return self.dropped + self.reconnects

    async def close(self) -> None:
        """Flush and close."""
        with suppress(Unavailable):
            await self.flush()
        for subscription in list(self._subscriptions):
            await subscription.stop()
        await tasks.end(self._opening)
        with suppress(NatsError, OSError, AssertionError):  # the last one where the client never connected
            async with asyncio.timeout(FLUSH_LIMIT):
                await self._client.close()

    def forget(self, subscription: BusSubscription) -> None:
        """The subscription has stopped."""
        self._subscriptions.discard(subscription)

    def note(self, error: Exception) -> None:
        """Count a failure, and log one that is not like the last."""
        if repr(error) != repr(self.last_error):
            logger.warning("live bus: %s", error, exc_info=not isinstance(error, (NatsError, OSError)) and error)
        self.errors += 1
        self.last_error = error

    async def _on_error(self, error: Exception) -> None:
        if isinstance(error, SlowConsumerError):
            self.dropped += 1
        self.note(error)
        if self._client.is_reconnecting and self._client._transport is not None:
            # the client forgets, open, a connection whose handshake failed
            self._client._transport.close()  # type: ignore[no-untyped-call]  # the library is typed in part

    async def _on_reconnected(self) -> None:
        self.reconnects += 1
