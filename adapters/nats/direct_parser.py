"""What the server sends, cut into frames; messages of our own subscriptions go to them at once.

The client matches each frame against seven patterns and hands messages on through a queue and a task a subscription: at
thousands of messages a second that is most of what a reader of the bus does. All other frames go the client's way.
"""

from __future__ import annotations

from collections.abc import Callable

from nats.aio.client import Client
from nats.protocol.parser import Parser

Sink = Callable[[bytes, bytes], None]  # subject and data of a message
END = b"\r\n"


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
                head, data = bytes(rest[begin:end]).split(), end + len(END)
                if head[:1] not in ([b"MSG"], [b"HMSG"]):
                    begin, frame = data, bytes(rest[begin:data])
                    return frame
                after = data + int(head[-1]) + len(END)
                if after > len(rest):
                    break
                sink = self.sinks.get(int(head[2])) if head[0] == b"MSG" else None
                if sink is None:
                    begin, frame = after, bytes(rest[begin:after])
                    return frame
                sink(head[1], bytes(rest[data : after - len(END)]))
                begin = after
            return b""
        finally:
            del rest[:begin]
