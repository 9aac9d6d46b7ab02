"""What one connection of HTTP may take from the process: heads, bodies, answers and connections have their bounds.

uvicorn's protocol with httptools has none on a request's head (one line of 64 MB takes ten seconds of everybody's
time), none on the time that a head, a body or the reading of an answer may take. A request that stays within the bounds
pays for some additions; time is looked after by one look a second at all connections.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from app.serving.socket_guard import UNREAD_SECONDS, GuardedSocket
from domain.errors import Invalid, LimitExceeded, Unavailable
from domain.events.identity import new_event_id
from domain.problem_documents import MEDIA_TYPE, problem

HEAD_BYTES = 32 * 1024
HEAD_LINES = 100
PIPELINED = 64  # requests of one connection that wait for the answer to an earlier one
HEAD_SECONDS = 10.0  # from the first byte of a head to its end, and from the connection to its first head
IDLE_SECONDS = 15  # of a connection between two requests
BODY_SECONDS = 60.0  # without one byte of a body that is waited for
LINGER_SECONDS = 10.0  # for the rest of a body whose answer is out
UNREAD_BYTES = 32 * 1024  # that must be read of an answer in UNREAD_SECONDS
UNREAD_TOTAL = 64 * 1024 * 1024  # bytes that wait in all connections: beyond it, those that read nothing go first
LOOK_SECONDS = 1.0  # between two looks at all connections
CONNECTIONS = 1_000  # that are no WebSockets
# headers that a request with an instant answer may have: none of them says anything of the answer
USUAL = frozenset(
    (
        *(b"host", b"authorization", b"x-correlation-id", b"traceparent", b"tracestate", b"user-agent", b"connection"),
        *(b"accept", b"accept-encoding", b"accept-language"),
    )
)

# of a URL with headers: what follows the status line, in parts, of which the large one is not copied
Instant = Callable[[bytes, Mapping[bytes, bytes]], tuple[bytes, ...] | None]

logger = logging.getLogger(__name__)


class TooMuch(Exception):
    """The head is beyond the bounds."""


class GuardedHttp(HttpToolsProtocol):
    """A connection within the bounds."""

    _head: int | None = 0  # bytes seen of the head that is awaited or being read; None while a body is
    _ended = False  # a request, in the piece being read: what follows it there is not counted
    _bound = 0  # bytes that the head being read can have at most
    _since = 0.0  # when the head, or the last piece of the body, came
    _lingers = 0.0  # since when the rest of a body comes for nothing
    _waiting = (0, 0.0)  # bytes that were not read by the caller, and when they were counted
    _refused = False
    _held: tuple[RequestResponseCycle, Any] | None = None  # a request that is not begun: its caller reads first
    _may_be_instant = False  # the next request: one in each piece, so that nobody's many hold up everybody
    _was_instant = False  # the request being read

    def __init__(self, *given: Any, instant: Instant | None = None, **named: Any) -> None:
        super().__init__(*given, **named)
        self._instant = instant

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take the connection, or answer 503 at once where there are too many."""
        super().connection_made(transport)
        self._since = self.loop.time()
        if len(self.connections) > CONNECTIONS and not _make_room(self.connections, self):
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "there are too many connections; try again")

    def data_received(self, data: bytes) -> None:
        """Read in pieces no longer than a head, so that no head is read much beyond its bound."""
        for at in range(0, len(data), HEAD_BYTES):
            if self._refused or self.transport.is_closing() or self.transport.get_protocol() is not self:
                return
            piece = data[at : at + HEAD_BYTES] if len(data) > HEAD_BYTES else data
            before, self._ended = self._head, False
            self._may_be_instant = self._instant is not None
            if not before:
                self._since = self.loop.time()
            self._bound = (before or 0) + len(piece)
            super().data_received(piece)
            if self._head is not None and not self._ended and not self._refused:
                self._head = self._bound
                if self._head > HEAD_BYTES:
                    self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, _TOO_LARGE)

    def on_headers_complete(self) -> None:
        """Serve the request. Raises TooMuch where its head is beyond the bounds."""
        if self._too_large() or len(self.pipeline) >= PIPELINED:
            raise TooMuch
        self._head, self._lingers = None, 0.0
        if self._may_be_instant and self.parser.get_method() == b"GET" and self._answer_instantly():
            return
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The next head is awaited."""
        self._head, self._ended = 0, True
        if self._was_instant:
            self._was_instant = False
        else:
            super().on_message_complete()

    def _answer_instantly(self) -> bool:
        """Whether the answer was there, and is sent: in one write, without a task.

        Only where nothing is on its way and whoever asks reads what comes, and of requests with the usual headers once.
        """
        headers = dict(self.headers)
        if not (
            self.rests
            and not self.flow.write_paused
            and headers.keys() <= USUAL
            and len(headers) == len(self.headers)
            and self.parser.should_keep_alive()
            and self.parser.get_http_version() == "1.1"
        ):
            return False
        assert self._instant is not None
        answer = self._instant(self.url, headers)
        if answer is None:
            return False
        self._may_be_instant, self._was_instant = False, True
        lines = [b"%b: %b\r\n" % header for header in self.server_state.default_headers]
        self.transport.writelines((STATUS_LINE[HTTPStatus.OK], *lines, *answer))
        self.on_response_complete()
        return True

    def _too_large(self) -> bool:
        if len(self.headers) > HEAD_LINES:
            return True
        if self._bound <= HEAD_BYTES:  # the usual case is not added up
            return False
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > HEAD_BYTES

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, or beyond the bounds, with a problem document."""
        if self.headers is not None and self._too_large():
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, _TOO_LARGE)
        else:
            self._refuse(HTTPStatus.BAD_REQUEST, "this is no HTTP/1.1 request that is taken here")

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Serve a request, once the caller has read the answer before it, all but a little."""
        if self.flow.write_paused:
            self._held = cycle, app
        else:
            super()._start_asgi_task(cycle, app)

    def resume_writing(self) -> None:
        """The caller reads."""
        self._waiting = (0, 0.0)
        super().resume_writing()
        if self._held is not None:
            held, self._held = self._held, None
            self._start_asgi_task(*held)

    @property
    def rests(self) -> bool:
        """Whether nothing is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        """Answer, unless the answer to an earlier request is on its way, and close."""
        self._refused = True
        self._unset_keepalive_if_required()
        if not self.rests and not self.cycle.more_body:
            self.cycle.keep_alive = False  # the answer on its way is the last one
            self.pipeline.clear()
            return
        if self.rests or not self.cycle.response_started:
            self.transport.write(_answer(status, detail))
        self.transport.close()

    def look(self, now: float) -> None:
        """Close what takes too long: a head, a body, the reading of an answer."""
        if self._reads_nothing(now):
            self.transport.abort()
        elif self.transport.is_closing() or self._refused:
            return
        elif self._head is not None:
            idle = self.timeout_keep_alive_task is not None  # uvicorn closes it
            if self.rests and not idle and now - self._since > HEAD_SECONDS:
                self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"the head did not come within {HEAD_SECONDS:g} s")
        elif self.rests:
            self._lingers = self._lingers or now
            if now - self._lingers > LINGER_SECONDS:
                self.transport.abort()
        elif not self.flow.read_paused and now - self._since > BODY_SECONDS:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"nothing of the body came for {BODY_SECONDS:g} s")

    def _reads_nothing(self, now: float) -> bool:
        """Whether its caller has read less than it must of what was written for it."""
        size = self.transport.get_write_buffer_size()
        counted, since = self._waiting
        if size == 0:
            self._waiting = (0, 0.0)
        elif since == 0.0 or (now - since > UNREAD_SECONDS and size <= counted - UNREAD_BYTES):
            self._waiting = (size, now)
        return size > 0 and since > 0.0 and now - since > UNREAD_SECONDS and size > counted - UNREAD_BYTES

    @property
    def unread(self) -> tuple[float, int]:
        """Since when (the loop's seconds) its caller has not read (0: it does), and how many bytes wait."""
        return self._waiting[1], self.transport.get_write_buffer_size()


_TOO_LARGE = f"the head of a request has at most {HEAD_BYTES} bytes in {HEAD_LINES} lines"
_ERRORS = {
    HTTPStatus.BAD_REQUEST: (Invalid, "bad_request"),
    HTTPStatus.REQUEST_TIMEOUT: (Invalid, "head_timeout"),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: (LimitExceeded, "head_too_large"),
    HTTPStatus.SERVICE_UNAVAILABLE: (Unavailable, "too_many_connections"),
}


def _answer(status: HTTPStatus, detail: str) -> bytes:
    """A problem document as it goes over the wire: there is no request that it could belong to."""
    kind, code = _ERRORS[status]
    body = msgspec.json.encode(problem(kind(detail, code=code), new_event_id(), "", "http"))
    lines = (
        STATUS_LINE[status],
        f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\n".encode(),
        b"cache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n",
    )
    return b"".join((*lines, body))


def _make_room(connections: Iterable[Any], newest: GuardedHttp) -> bool:
    """Close the connection that has waited longest without a request; False where there are too many that have one."""
    http = [c for c in connections if isinstance(c, GuardedHttp)]
    if len(http) <= CONNECTIONS:
        return True
    waiting = [c for c in http if c.rests and c is not newest]
    if not waiting:
        return False
    min(waiting, key=lambda connection: connection._since).transport.abort()
    return True


async def look_after(connections: Iterable[Any]) -> None:
    """Look at all connections every LOOK_SECONDS, for ever."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        now = loop.time()
        guarded = [each for each in connections if isinstance(each, GuardedHttp | GuardedSocket)]
        for connection in guarded:
            connection.look(now)
        _relieve(guarded)


def _relieve(guarded: Iterable[GuardedHttp | GuardedSocket]) -> None:
    """Where too much waits to be read, let those go that have not read for longest."""
    waiting = [(*connection.unread, connection) for connection in guarded]
    total = sum(size for _, size, _ in waiting)
    for since, size, connection in sorted(waiting, key=lambda each: each[0]):
        if total <= UNREAD_TOTAL:
            return
        if since:
            logger.warning("a connection is closed: %d bytes of its answer are not read, %d of all", size, total)
            connection.transport.abort()
            total -= size
