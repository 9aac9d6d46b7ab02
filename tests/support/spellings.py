"""Ways to write the path of a request that a careless reader takes for another one; and a socket to send them by."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

# `{}` is the path, `{rest}` what follows its first segment, `{first}` that segment.
FORMS = (
    "{}", "/{}", "//{}", "{}/", "{}//", "{}///", "/.{}", "/..{}", "/x/..{}", "/%2e{}", "/%2e%2e{}", "{}/.", "{}/..",
    "{}/%2e", "{}/%2e%2e", "{}.", "{}.json", "{}.css", "{}%20", "{}%09", "{}%0a", "{}%0d%0a", "{}%00", "{}%00.css",
    "/%00{}", "{};", "{};x=1", "{};.css", "{}/;", "{}?", "{}??", "{}?x", "{}?company=", "{}?company=%00",
    "{}?../api/v1/health", "{}#x", "{}#/api/v1/health", "{}%23", "{}%3f", "{}%3Fx", "{}%2f", "{}%5c", "{}\\",
    "\\{}", "/\\{}", "/%5c{}", "/%2f{}", "/%2F%2f{}", "/{first};x{rest}", "/{first};/..;{rest}", "/{first}/{rest}",
    "/{first}/.{rest}", "/{first}/x/..{rest}", "/{first}%2f{rest}", "/{first}%252f{rest}", "/{first}\\{rest}",
    "/{first}%5c{rest}", "/{first}%00{rest}", "/{first}%20{rest}", "/{first}.{rest}", "/{first}+{rest}",
    "/%20{first}{rest}", "/{first}%c0%af{rest}", "/{first}%ef%bc%8f{rest}", "/api/v1/health/..{}",
    "/api/v1/health/%2e%2e{}", "/api/v1/health;/..{}", "/api/v1/health%00{}", "/api/v1/health%23{}",
    "/static/..{}", "/static/x/..%2f..{}", "/static/x/%2e%2e/..{}", "http://localhost{}", "http://localhost/{}",
    "https://localhost{}", "http://evil.example//{}", "http://localhost:80{}", "http://user:x@localhost{}",
    "//localhost{}", "//evil.example/{}", "http:{}", "http:/{}", "ftp://localhost{}",
)  # fmt: skip


def spellings(path: str) -> Iterator[str]:
    """Other ways to write the path, as they go over the wire."""
    first, _, rest = path.lstrip("/").partition("/")
    rest = f"/{rest}" if rest else ""
    for form in FORMS:
        yield form.replace("{first}", first).replace("{rest}", rest).replace("{}", path)
    yield from (path.upper(), path.title(), path.swapcase(), path.replace("a", "%61"), path.replace("/", "%2f"))
    yield from (path.replace("/", "//"), path.replace("/", "/./"), path.replace("a", "%2561"), path.replace("i", "ı"))
    yield "".join(f"%{byte:02x}" for byte in path.encode())
    yield "/" + "".join(f"%{byte:02X}" for byte in path[1:].encode())


class Raw:
    """One connection of HTTP/1.1, byte for byte."""

    def __init__(self, address: str) -> None:
        split = urlsplit(address)
        assert split.hostname is not None
        self._socket = socket.create_connection((split.hostname, split.port or 80), timeout=60)
        self._read = self._socket.makefile("rb")

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self._read.close()
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send these bytes."""
        self._socket.sendall(data)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the next answer; status 0 where the connection has ended."""
        line = self._read.readline()
        if not line:
            return 0, {}, b""
        headers = {}
        while (text := self._read.readline().decode("latin-1").strip()) != "":
            name, _, value = text.partition(":")
            headers[name.lower()] = value.strip()
        return int(line.split()[1]), headers, self._read.read(int(headers.get("content-length", 0)))


def request(target: str, *headers: str, method: str = "GET", body: bytes = b"") -> bytes:
    """One request as bytes, its target as it is."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode("utf-8") + body
