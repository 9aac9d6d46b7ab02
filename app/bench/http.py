"""A bare HTTP client for measuring: one keep-alive connection, blocking, a few microseconds of its own a request.

It understands what this service answers (a body with Content-Length) and nothing more.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from types import MappingProxyType

from domain.errors import Defect

NONE: Mapping[str, str] = MappingProxyType({})


class Connection:
    """One connection with a bearer token."""

    def __init__(self, address: tuple[str, int], token: str) -> None:
        self._socket = socket.create_connection(address, timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._head = f"Host: {address[0]}\r\nAuthorization: Bearer {token}\r\n"

    def get(self, path: str, headers: Mapping[str, str] = NONE) -> bytes:
        """The body of the answer; raises Defect for any status but success."""
        more = "".join(f"{name}: {text}\r\n" for name, text in headers.items())
        return self._ask(f"GET {path} HTTP/1.1\r\n{self._head}{more}\r\n".encode())

    def post(self, path: str, body: bytes, media_type: str) -> bytes:
        """The body of the answer; raises Defect for any status but success."""
        head = f"POST {path} HTTP/1.1\r\n{self._head}Content-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        return self._ask(head.encode() + body)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _ask(self, request: bytes) -> bytes:
        self._socket.sendall(request)
        head, separator, body = b"", b"", b""
        while not separator:
            head, separator, body = (head + self._received()).partition(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        while len(body) < length:
            body += self._received()
        if not head.startswith(b"HTTP/1.1 20"):
            raise Defect(f"{head.decode(errors='replace')[:60]}: {body.decode(errors='replace')[:500]}")
        return body

    def _received(self) -> bytes:
        some = self._socket.recv(262_144)
        if not some:
            raise Defect("the service closed the connection")
        return some
