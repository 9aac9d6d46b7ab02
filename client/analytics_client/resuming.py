"""Streams that go on after a connection that broke off, without gap or repetition.

Each message has a token (or a position, or an offset) with which a new call goes on behind it. What may help to try
again is tried again, at growing distances that no two clients share; a message that comes begins them anew.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import Any, TypeVar

import grpc

from analytics_client.errors import AnalyticsError

Request = TypeVar("Request")
Response = TypeVar("Response")
AGAIN = frozenset((grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN))
FIRST, LONGEST = 0.2, 10.0  # seconds between attempts


async def resumed(
    call: Callable[[Request], AsyncIterable[Response]],
    request: Request,
    goes_on: Callable[[Request, Response], None],
    *,
    attempts: int = 8,
) -> AsyncIterator[Response]:
    """Every message of the stream; `goes_on` changes the request so that it asks for what comes after a message.

    Raises AnalyticsError for a refusal, and after so many attempts without a message.
    """
    failed = 0
    while True:
        try:
            async for message in call(request):
                failed = 0
                goes_on(request, message)
                yield message
            return
        except grpc.aio.AioRpcError as error:
            failed += 1
            if error.code() not in AGAIN or failed >= attempts:
                raise AnalyticsError(error) from error
            await asyncio.sleep(pause(failed))


def pause(failed: int) -> float:
    """How long to wait after so many failures, in seconds."""
    return random.uniform(0, min(LONGEST, FIRST * 2**failed))


def by_token(request: Any, message: Any) -> None:
    """Go on behind the token of a message."""
    request.resume_token = message.resume_token


def by_position(request: Any, message: Any) -> None:
    """Go on behind the position of a message."""
    request.from_position = message.position


def by_offset(request: Any, message: Any) -> None:
    """Go on behind the bytes of a message."""
    request.offset += len(message.content)
