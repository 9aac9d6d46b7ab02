"""How bodies come in: each part within a time limit, whole ones into a file, compressed ones undone within a bound."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from tempfile import SpooledTemporaryFile

import cramjam

from domain.errors import Invalid, LimitExceeded, Unavailable

Chunks = AsyncIterator[bytes]
Decode = Callable[[bytes, int], bytes]

SMALL = 64 * 1024  # bytes of a whole body that stay in memory while they come


async def in_time(chunks: Chunks, seconds: float) -> Chunks:
    """The chunks, of which each has to come within so many seconds. Raises LimitExceeded for one that does not."""
    while True:
        try:
            async with asyncio.timeout(seconds):
                chunk = await anext(chunks, None)
        except TimeoutError:
            raise _too_slow(seconds) from None
        if chunk is None:
            return
        yield chunk


@asynccontextmanager
async def received(chunks: Chunks, seconds: float) -> AsyncIterator[SpooledTemporaryFile[bytes]]:
    """A whole body, in a file as soon as it is no small one: however many come slowly, they take no memory.

    Raises LimitExceeded when it is not there within so many seconds, Unavailable when the disk has no room for it.
    """
    with SpooledTemporaryFile(max_size=SMALL) as file:
        try:
            async with asyncio.timeout(seconds):
                async for chunk in chunks:
                    file.write(chunk)
        except TimeoutError:
            raise _too_slow(seconds) from None
        except OSError as error:
            raise Unavailable(f"there is no room for this body: {error.strerror}", code="no_room") from error
        yield file


def decoding(content_encoding: str) -> Decode | None:
    """How to undo a content coding; None where there is none. Raises Invalid for one that is not known."""
    name = content_encoding.strip().lower()
    if name in ("", "identity"):
        return None
    if name not in _CODINGS:
        raise Invalid(
            f"content encoding {name[:40]!r} is not taken here",
            code="unsupported_content_encoding",
            suggested_actions=(f"Send one of {', '.join(sorted({*_CODINGS, 'identity'}))}.",),
        )
    return _CODINGS[name]


def _gunzip(data: bytes, limit: int) -> bytes:
    """All members of a gzip body."""
    whole = bytearray()
    while data:
        member = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        try:
            whole += member.decompress(data, limit + 1 - len(whole))
        except zlib.error as error:
            raise _damaged("gzip") from error
        if len(whole) > limit:
            raise _too_large(limit)
        if not member.eof:
            raise _damaged("gzip")
        data = member.unused_data
    return bytes(whole)


def _unzstd(data: bytes, limit: int) -> bytes:
    """All frames of a zstd body."""
    whole = bytearray(limit + 1)
    try:
        size = cramjam.zstd.decompress_into(data, whole)
    except cramjam.DecompressionError as error:
        if "whole buffer" in str(error):
            raise _too_large(limit) from None
        raise _damaged("zstd") from error
    if size > limit:
        raise _too_large(limit)
    return bytes(memoryview(whole)[:size])


_CODINGS: dict[str, Decode] = {"gzip": _gunzip, "x-gzip": _gunzip, "zstd": _unzstd}


def _too_slow(seconds: float) -> LimitExceeded:
    return LimitExceeded(
        f"the body was not there within {seconds:g} s",
        code="body_too_slow",
        suggested_actions=("Send less at once; NDJSON is taken in as it comes.",),
    )


def _too_large(limit: int) -> LimitExceeded:
    return LimitExceeded(f"the body has more than {limit} bytes when it is decompressed", code="body_too_large")


def _damaged(coding: str) -> Invalid:
    return Invalid(f"the body is no complete {coding} data", code="bad_content_encoding")
