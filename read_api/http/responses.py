"""Responses to questions: the encoded answer, with what it stands for in the headers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any

from litestar import Response

from projections.engine.query.ask import answerable
from projections.engine.query.plain import Query
from projections.engine.query.request import Question
from read_api.http.encoding import encoded

JSON = "application/json"


async def response_to(question: Question, answer: Mapping[str, Any]) -> Response[bytes]:
    """The answer to a question; what it stands for is in the headers, too. Rows that no cache keeps are used up.

    Raises LimitExceeded where too many wide answers wait.
    """
    keep = not isinstance(answerable(question.name), Query)
    return with_headers(answer, await encoded(question.company, answer, keep=keep))


class Ready(Response[bytes]):
    """A response whose head is written once, however often it is sent."""

    @cached_property
    def head(self) -> list[tuple[bytes, bytes]]:
        """Its headers as the server takes them."""
        return head_of(self)

    @cached_property
    def lines(self) -> bytes:
        """Its headers as they go over the wire."""
        return b"".join(b"%b: %b\r\n" % header for header in self.head)

    @property
    def position(self) -> str:
        """The position that it stands for."""
        return str(self.headers["X-Position"])


def head_of(response: Response[bytes]) -> list[tuple[bytes, bytes]]:
    """Headers of a response as the server takes them."""
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.headers.items()]
    headers.append((b"content-type", str(response.media_type).encode()))
    headers.append((b"content-length", b"%d" % len(response.content)))
    return headers


def with_headers(answer: Mapping[str, Any], content: bytes, headers: Mapping[str, str] = MappingProxyType({})) -> Ready:
    """A response that says in its headers what the answer stands for."""
    stands_for = {
        "X-Position": answer["position"],
        "X-Lag-Ms": str(answer["lag_ms"]),
        "X-Definition-Version": str(answer["definition_version"]),
    }
    return Ready(content, media_type=JSON, headers={**stands_for, **headers})
