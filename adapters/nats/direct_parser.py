"""What the server sends, cut into frames; messages of our own subscriptions go to them at once.

The client matches each frame against seven patterns and hands messages on through a queue and a task a subscription: at
thousands of messages a second that is most of what a reader of the bus does. All other frames go the client's way.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from nats.aio.client import Client
from nats.protocol.parser import Parser

Sink = Callable[[bytes, bytes], None]  # subject and data of a message
END = b"\r\n"
_MESSAGE = re.compile(rb"(H?)MSG\s+(\S+)\s+(\d{1,18})\s+(?:\S+\s+){0,2}(\d{1,9})\s*")  # subject, subscription, bytes


class DirectParser(Parser):
    """Takes the place of a client's parser. `sinks`: who takes messages, by the number of the subscription."""

    def __init__(self, client: Client) -> None:
        self.sinks: dict[int, Sink] = {}
        super().__init__(client)

    def reset(self) -> None:
        """Forget what was begun: another connection begins."""
        super().reset()
        self._rest = bytearray()

    async def parse(self, data: bytes = b"") -> None:
        """Take in what came. Raises ProtocolError."""
        self._rest += data
        while frame := self._next_of_client():
            await super().parse(frame)

    def _next_of_client(self) -> bytes:
        """The next whole frame that is the client's, b"" where there is none; messages before it are handed over."""
        rest, begin = self._rest, 0
        try:
            while (end := rest.find(END, begin)) >= 0:
                head, data = _MESSAGE.fullmatch(bytes(rest[begin:end])), end + len(END)
                if head is None:  # the client knows what else there is, and ends the connection at what is nothing
                    begin, frame = data, bytes(rest[begin:data])
                    return frame
                headed, subject, number, size = head.groups()
                after = data + int(size) + len(END)
                if after > len(rest):
                    break
                sink = None if headed else self.sinks.get(int(number))
                if sink is None:
                    begin, frame = after, bytes(rest[begin:after])
                    return frame
                sink(subject, bytes(rest[data : after - len(END)]))
                begin = after
            return b""
        finally:
            del rest[:begin]
