"""Burdens: what one tenant can lay upon an instance, each in a process of its own that costs as little as it can.

It shares the processors with what it burdens, so it uses plain sockets: answers are read and thrown away. A burden is
a line in BURDENS: a function that goes on until its process is ended.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread
from urllib.parse import urlencode, urlsplit

from tests.e2e.hostile_connections import big_heads, half_open, slow_readers

AT_ONCE = 8
WIDEST = "user_id,account_id,strategy,symbol,side,hour"
WIDE_QUERY = "query/trades?limit=50000"
BUFFER = 1_048_576
MOVES = 0.25  # seconds between two events of the tenant that follows its own figures


@dataclass(frozen=True)
class Target:
    """Where the APIs are, and the tokens of the greedy company: one to ask with, one to publish with."""

    read: str
    command: str
    token: str
    service: str


Burden = Callable[[Target], None]


class Plain:
    """A connection that asks and throws the answers away."""

    def __init__(self, address: str, token: str) -> None:
        split = urlsplit(address)
        self._sock = socket.create_connection((split.hostname or "", split.port or 80))
        self._head = f"Host: localhost\r\nAuthorization: Bearer {token}\r\n"
        self._buffer = memoryview(bytearray(BUFFER))

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Status of the answer, and the beginning of it. Raises OSError where the connection ends."""
        length = f"Content-Type: application/x-ndjson\r\nContent-Length: {len(body)}\r\n" if body else ""
        self._sock.sendall(f"{method} /api/v1/{path} HTTP/1.1\r\n{self._head}{length}\r\n".encode() + body)
        first = b""
        while b"\r\n\r\n" not in first:
            first += self._more()
        head, _, begun = first.partition(b"\r\n\r\n")
        left = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]) - len(begun)
        while left > 0:
            left -= len(self._more())
        return int(head.split(b" ", 2)[1]), begun

    def follow(self, subscriptions: list[Mapping[str, object]], token: str) -> None:
        """Become a WebSocket, sign in, subscribe, and read for ever."""
        key = base64.b64encode(os.urandom(16)).decode()
        upgrade = f"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}"
        self._sock.sendall(f"GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n{upgrade}\r\n\r\n".encode())
        self._more()
        for message in ({"type": "token", "token": token}, *subscriptions):
            text = json.dumps(message).encode()
            self._sock.sendall(b"\x81" + struct.pack("!BHI", 0xFE, len(text), 0) + text)  # masked by zeros
        while self._more():
            pass

    def _more(self) -> memoryview:
        size = self._sock.recv_into(self._buffer)
        if not size:
            raise OSError("the other side has closed")
        return self._buffer[:size]


def at_once(work: Callable[[int], None], number: int = AT_ONCE) -> None:
    """The work by so many threads."""
    threads = [Thread(target=work, args=(n,), daemon=True) for n in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def asking(path: str, **params: str) -> Burden:
    """A question, asked by eight at once and again as soon as each is answered; `{n}` in it is another each time."""

    def burden(target: Target) -> None:
        at_once(lambda _: _ask(target, f"{path}?{urlencode(params, safe='{}')}"))

    return burden


def _ask(target: Target, path: str) -> None:
    connection = Plain(target.read, target.token)
    for number in itertools.count(threading.get_native_id() * 10_000):
        status, begun = connection.ask("GET", path.replace("{n}", str(number)))
        if status not in (200, 429, 503):
            print(f"{path}: {status} {bytes(begun[:200])!r}", file=sys.stderr)
            return
        if status != 200:
            time.sleep(0.2)


def following(target: Target) -> None:
    """Eight connections that follow wide answers, while the figures move."""
    asked = [{"name": "trades", "limit": "50000"}, {"name": "trading_totals", "by": WIDEST}]
    subscriptions: list[Mapping[str, object]] = [
        {"type": "subscribe", "id": each["name"], "query": each.pop("name"), "company": "greedyco", "params": each}
        for each in asked
    ]

    def follow(number: int) -> None:
        if number:
            Plain(target.read, target.token).follow(subscriptions, target.token)
        connection = Plain(target.command, target.service)
        for step in range(1_000_000):
            event = {
                "message_type": "user_event", "company_id": "greedyco", "user_id": "u1", "event_id": f"move-{step}",
                "timestamp": 1_760_000_000_000 + step, "payload": {"name": "page_view"},
            }  # fmt: skip
            connection.ask("POST", "events", json.dumps(event).encode() + b"\n")
            time.sleep(MOVES)

    at_once(follow)


def standing(connections: Callable[[Target], object]) -> Burden:
    """Connections that stand at the read API."""

    async def stand(target: Target) -> None:
        async with connections(target):  # type: ignore[attr-defined]  # an async context
            await asyncio.sleep(3_600)

    def burden(target: Target) -> None:
        with suppress(KeyboardInterrupt):
            asyncio.run(stand(target))

    return burden


BURDENS: Mapping[str, Burden] = {
    "by six dimensions": asking("query/trading_totals", by=WIDEST),
    "50000 trades": asking("query/trades", limit="50000"),
    "funnel": asking("query/funnel", steps="signup,activated"),
    "journey": asking("query/journey"),
    "all statistics": asking("query/trading_metrics", risk_free="0.0{n}"),
    "as of": asking("query/trading_totals", by=WIDEST, as_of="2025-10-20"),
    "explain": asking("query/trading_totals/explain", measure="total_pnl", limit="10000"),
    "live feeds": following,
    "64 MB heads": standing(lambda target: big_heads(target.read)),
    "300 half-open": standing(lambda target: half_open(target.read)),
    "200 slow readers": standing(lambda target: slow_readers(target.read, 200, target.token, f"/api/v1/{WIDE_QUERY}")),
}


def carry(name: str, target: Target) -> None:
    """In a process of its own: this burden, until it is ended."""
    BURDENS[name](target)
