"""Serving an ASGI application with uvicorn inside our own event loop, so that signals and draining are ours."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import uvicorn

from app.serving.http_guard import IDLE_SECONDS, GuardedHttp, Instant, look_after
from app.serving.socket_guard import GuardedSocket
from app.serving.tls import CertificateFiles
from domain.errors import Unavailable
from eventlog import tasks

DRAIN_SECONDS = 1  # open requests and sockets are waited for this long, then closed


def _unexpected(record: logging.LogRecord) -> bool:
    """Whether a line is news: that requests end with the patience for them is what draining is for, and no error."""
    return "timeout graceful shutdown exceeded" not in record.getMessage()


logging.getLogger("uvicorn.error").addFilter(_unexpected)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say when requests are taken."""
        await super().startup(sockets)
        if not self.should_exit:
            self.up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to this process's own handlers."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; 0 takes a free port. Raises Unavailable saying which port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(1024)
    except (OSError, UnicodeError) as error:
        sock.close()
        reason = error.strerror if isinstance(error, OSError) else "this is no address"
        raise Unavailable(f"cannot listen on {host}:{port}: {reason}", code="port_taken") from None
    sock.setblocking(False)
    return sock


def _config(application: Any, files: CertificateFiles | None, instant: Instant | None) -> uvicorn.Config:
    http: Any = partial(GuardedHttp, instant=instant)  # it is called as a class is
    return uvicorn.Config(
        application,
        loop="none",
        http=http,
        ws=GuardedSocket,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        ws_max_size=65_536,
        ws_per_message_deflate=False,  # in the event loop: what one follower is sent would hold up everybody
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        reset_contextvars=True,  # a request inherits nothing of the one before it in its connection
        lifespan="on",
        ssl_certfile=files.certificate if files else None,
        ssl_keyfile=files.key if files else None,
    )


async def serve_http(
    application: Any,
    host: str,
    port: int,
    stop: asyncio.Event,
    ready: Callable[[int], None],
    files: CertificateFiles | None = None,
    instant: Instant | None = None,
) -> None:
    """Serve until `stop`, then drain; `ready` is called with the port once requests are taken. With `files`: by TLS.

    `instant`: knows answers that need not wait for the application. Raises Unavailable where the port is taken, and
    where the server ends without `stop`.
    """
    sock = listen(host, port)
    server = _Server(_config(application, files, instant))
    serving = tasks.owned(server.serve(sockets=[sock]), "http")
    stopping = tasks.owned(stop.wait(), "http-stopping")
    up = tasks.owned(server.up.wait(), "http-up")
    looking = tasks.start(look_after(server.server_state.connections), "http-connections")
    await asyncio.wait((serving, stopping, up), return_when=asyncio.FIRST_COMPLETED)
    if server.up.is_set():
        ready(sock.getsockname()[1])
    await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await tasks.end(stopping, up)
    await serving
    await tasks.end(looking)
    if not stop.is_set():
        raise Unavailable("the HTTP server ended by itself")
