"""Bodies that come slowly or compressed at `POST /api/v1/events`."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable

import cramjam
import httpx
import pytest

from command_api.health import Health
from command_api.http import MAX_BODY, WHOLE_BODIES, create_app
from command_api.uploads import SMALL
from tests.command_api.test_http_events import JSON, NDJSON, PROTOBUF, UNUSED, behind_edge, body_of, client, post
from tests.eventlog.publish.samples import Door, line, logged

__all__ = ["client"]  # a fixture
LARGE = b" " * (SMALL + 1)


def zstd(data: bytes) -> bytes:
    """One frame."""
    return bytes(cramjam.zstd.compress(data))


async def test_slow_uploads_hold_up_nobody(client: httpx.AsyncClient) -> None:
    """More of them than large documents are worked on at once: another one is answered, then they are."""
    rest, begun = asyncio.Event(), asyncio.Semaphore(0)

    async def slowly() -> AsyncIterator[bytes]:
        yield LARGE
        begun.release()
        await rest.wait()
        yield line(trade_id="slow")

    slow = [asyncio.create_task(post_stream(client, slowly())) for _ in range(WHOLE_BODIES + 2)]
    async with asyncio.timeout(30):
        for _ in slow:
            await begun.acquire()
        assert (await post(client, LARGE + line(), JSON)).json()["accepted"] == 1
        rest.set()
        answers = await asyncio.gather(*slow)
    assert [answer.status_code for answer in answers] == [200] * len(slow)


async def post_stream(client: httpx.AsyncClient, content: AsyncIterator[bytes], kind: str = JSON) -> httpx.Response:
    """Send a body in pieces."""
    return await client.post("/api/v1/events", content=content, headers={"Content-Type": kind})


@pytest.mark.parametrize("kind", [JSON, NDJSON])
async def test_a_body_that_does_not_come_is_given_up(door: Door, kind: str) -> None:
    """408 with advice; what came of a stream before is in the log."""
    app = behind_edge(create_app(ingest=door.ingest, command_handler=UNUSED, health=Health({}), upload_seconds=0.5))

    async def never() -> AsyncIterator[bytes]:
        yield body_of(kind, "e1") + b"\n"
        await asyncio.Event().wait()

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://analytics") as slow:
        slow.headers["Authorization"] = "Bearer service"
        async with asyncio.timeout(30):
            answer = await post_stream(slow, never(), kind)
    assert (answer.status_code, answer.json()["code"]) == (408, "body_too_slow")
    assert [e.event_id for e in await logged(door.log)] == ([] if kind == JSON else ["e1"])


@pytest.mark.parametrize("kind", [JSON, NDJSON, PROTOBUF])
async def test_compressed_bodies_are_understood(client: httpx.AsyncClient, door: Door, kind: str) -> None:
    """In every form; members and frames may follow each other."""
    codings: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": zstd, "identity": bytes}
    for name, compress in codings.items():
        body = compress(body_of(kind, f"{name}-1", f"{name}-2"))
        answer = await post(client, body, kind, **{"Content-Encoding": name})
        assert (answer.status_code, answer.json()["accepted"]) == (200, 2), answer.text
    parts = body_of(NDJSON, "m-1") + b"\n", body_of(NDJSON, "m-2")
    for name in ("gzip", "zstd"):
        answer = await post(client, b"".join(map(codings[name], parts)), NDJSON, **{"Content-Encoding": name})
        assert answer.json()["accepted"] + answer.json()["duplicates"] == 2
    assert len(await logged(door.log)) == 8


@pytest.mark.parametrize(
    ("coding", "body", "status", "code"),
    [
        ("br", line(), 415, "unsupported_content_encoding"),
        ("gzip, gzip", line(), 415, "unsupported_content_encoding"),
        ("gzip", line(), 400, "bad_content_encoding"),
        ("zstd", line(), 400, "bad_content_encoding"),
        ("gzip", gzip.compress(line())[:-9], 400, "bad_content_encoding"),
        ("zstd", zstd(line())[:-3], 400, "bad_content_encoding"),
        ("gzip", gzip.compress(b" " * (MAX_BODY + 1)), 413, "body_too_large"),
        ("gzip", gzip.compress(b" " * (MAX_BODY // 2 + 1)) * 2, 413, "body_too_large"),
        ("zstd", zstd(b" " * (MAX_BODY + 1)), 413, "body_too_large"),
        ("zstd", zstd(b" " * (MAX_BODY * 4)), 413, "body_too_large"),
    ],
    ids=lambda value: str(value)[:12] if isinstance(value, str) else None,
)
async def test_what_cannot_be_decompressed_is_refused(
    client: httpx.AsyncClient, door: Door, coding: str, body: bytes, status: int, code: str
) -> None:
    """With the reason; nothing of it is taken."""
    answer = await post(client, body, NDJSON, **{"Content-Encoding": coding})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await logged(door.log) == []
