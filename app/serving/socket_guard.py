"""What one WebSocket may take from the process: sockets have their bound, and whoever reads nothing is let go.

A frozen caller takes nothing, not even a close frame, and a transport that is closed waits for it to. So it is aborted:
where it answers no ping, and where what was written waits for longer than an HTTP answer may.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

UNREAD_SECONDS = 30.0  # that what was written may wait to be read
SOCKETS = 4_000  # of a process: 46 kB each


class GuardedSocket(WebSocketsSansIOProtocol):
    """A WebSocket within the bounds."""

    _since = 0.0  # when its caller began to read too little; 0 while it reads

    def handle_connect(self, event: Request) -> None:
        """Let the socket in, or answer 503 where there are too many."""
        if sum(isinstance(each, GuardedSocket) for each in self.connections) <= SOCKETS:
            super().handle_connect(event)
            return
        text = "there are too many live connections; try again\n"
        self.conn.send_response(self.conn.reject(HTTPStatus.SERVICE_UNAVAILABLE, text))
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.close()

    def pause_writing(self) -> None:
        """More waits than a transport should hold."""
        self._since = asyncio.get_running_loop().time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """The caller reads."""
        self._since = 0.0
        super().resume_writing()

    def keepalive_timeout(self) -> None:
        """No ping is answered: nobody is there to close it in order."""
        self.transport.abort()

    async def send(self, message: Any) -> None:
        """Send, once the caller has read enough; the last message waits for nothing, and comes after what does."""
        if message["type"] == "websocket.close":
            self.writable.set()
        await super().send(message)

    def look(self, now: float) -> None:
        """Let go of a caller that reads nothing."""
        if self._since and now - self._since > UNREAD_SECONDS:
            self.transport.abort()

    @property
    def unread(self) -> tuple[float, int]:
        """Since when its caller has not read (0: it does), and how much waits."""
        return self._since, self.transport.get_write_buffer_size()
