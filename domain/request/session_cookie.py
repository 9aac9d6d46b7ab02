"""The cookie of a session: what it is called, which one a request brings, and whether the request is of our own pages.

A cookie is sent to every port of a host, so that its name says which port it is of: instances stand side by side.
Behind TLS the browser is told (`__Host-`) that nobody but this host, over TLS, sets it.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import urlsplit

from domain.errors import Forbidden, Unauthenticated

Headers = Iterable[tuple[bytes, bytes]]  # names in lower case
SECURE = frozenset({"https", "wss"})


def cookie_name(headers: Headers, scheme: str) -> str:
    """What the cookie of the addressed host is called."""
    _, colon, port = _one(headers, b"host").rpartition(":")
    prefix = "__Host-" if scheme in SECURE else ""
    return f"{prefix}analytics-{port if colon and port.isdecimal() else 'session'}"


def session_of(headers: Headers, scheme: str) -> str:
    """What the request's cookie of a session holds. Raises Unauthenticated where it is not exactly one."""
    headers = list(headers)
    name = cookie_name(headers, scheme)
    pairs = (pair.strip().partition("=") for value in _all(headers, b"cookie") for pair in value.split(";"))
    values = [value for key, _, value in pairs if key == name]
    if len(values) != 1 or not values[0]:  # of two one would be a guess
        raise Unauthenticated("nobody is signed in", code="signed_out")
    return values[0]


def session_of_own_page(headers: Headers, scheme: str) -> str:
    """What the cookie holds where a page of this host asks; empty where there is none, or where another page asks."""
    headers = list(headers)
    with suppress(Unauthenticated, Forbidden):
        check_own_page(headers)
        return session_of(headers, scheme)
    return ""


def check_own_page(headers: Headers) -> None:
    """Raise Forbidden unless the browser says that a page of this host sent the request.

    A cookie comes with what any page sends, so that it alone proves nothing. The scheme is not compared: a proxy in
    front may speak TLS where this process does not.
    """
    headers = list(headers)
    origins, host = _all(headers, b"origin"), _one(headers, b"host")
    if len(origins) != 1 or not host or urlsplit(origins[0]).netloc.lower() != host.lower():
        raise Forbidden(
            "the request does not come from a page of this service",
            code="other_origin",
            suggested_actions=("Open the page at the address that the service has, and send it from there.",),
        )


def _all(headers: Headers, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in headers if key == name]


def _one(headers: Headers, name: bytes) -> str:
    values = _all(headers, name)
    return values[0] if len(values) == 1 else ""
