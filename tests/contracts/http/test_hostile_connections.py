"""Nobody alone takes the machine: whatever stands at the doors, others are answered and memory stays where it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any

import httpx
import pytest

from app.serving import http_guard, http_server, socket_guard
from app.serving.http_guard import HEAD_BYTES, HEAD_LINES
from app.serving.http_server import serve_http
from tests.e2e.hostile_connections import big_heads, half_open, slow_readers
from tests.support.instance import Instance
from tests.support.spellings import Raw, request

GROWTH = 48  # megabytes that an API may grow by while it is beset
Beset = Callable[[str, str], AbstractAsyncContextManager[None]]


def resident(instance: Instance, role: str) -> float:
    """Megabytes of the process of that role."""
    (found,) = [child for child in instance.children() if role in child.cmdline()]
    return float(found.memory_info().rss / 1_048_576)


@pytest.fixture(scope="module")
def tokens(instance: Instance) -> dict[str, str]:
    """A viewer's token of each company."""
    return {company: instance.token("viewer", company) for company in ("calmco", "rudeco")}


@pytest.mark.parametrize(
    ("api", "beset"),
    [
        ("read_api", lambda address, _: big_heads(address)),
        ("command_api", lambda address, _: big_heads(address)),
        ("command_api", lambda address, _: half_open(address, 300)),
        ("read_api", lambda address, token: slow_readers(address, 200, token)),
    ],
    ids=["big heads", "big heads of commands", "half open", "slow readers"],
)
async def test_others_are_answered_while_an_api_is_beset(
    instance: Instance, tokens: dict[str, str], api: str, beset: Beset
) -> None:
    """Every one of a hundred questions of somebody else is answered; memory grows by no more than GROWTH."""
    role = api.replace("_", "-")
    headers = {"Authorization": f"Bearer {tokens['calmco']}"}
    async with httpx.AsyncClient(base_url=instance.addresses[api], headers=headers, timeout=60) as client:
        before = resident(instance, role)
        async with beset(str(instance.addresses[api]), tokens["rudeco"]):
            await asyncio.sleep(1.0)
            for _ in range(100):
                answer = await (client.get("/api/v1/query") if api == "read_api" else client.post("/api/v1/events"))
                assert answer.status_code == (200 if api == "read_api" else 403), answer.text  # without any store
        assert resident(instance, role) - before < GROWTH


@pytest.mark.parametrize("api", ["read_api", "command_api"])
def test_a_head_has_bounds(instance: Instance, tokens: dict[str, str], api: str) -> None:
    """Bytes and lines, with or without a token; what lies within them is taken, also in small pieces."""
    token = f"Authorization: Bearer {tokens['calmco']}"
    large, lines = f"X-Large: {'y' * HEAD_BYTES}", [f"X-{n}: y" for n in range(HEAD_LINES)]
    for headers in ([large], lines, [token, large], [f"X-{n}: {'y' * 4_000}" for n in range(9)]):
        with Raw(instance.addresses[api]) as connection:
            connection.send(request("/api/v1/health", *headers))
            status, told, body = connection.answer()
        assert (status, told["content-type"]) == (431, "application/problem+json"), body
        assert b"head_too_large" in body
    good = request("/api/v1/health", f"X-Large: {'y' * (HEAD_BYTES - 2_000)}", *lines[:50])
    with Raw(instance.addresses[api]) as connection:
        for _ in range(3):  # what one head took is not counted for the next one
            for at in range(0, len(good), 5_000):
                connection.send(good[at : at + 5_000])
                time.sleep(0.005)
            assert connection.answer()[0] == 200
        connection.send(good * 5)
        assert [connection.answer()[0] for _ in range(5)] == [200] * 5


def test_what_is_no_http_is_told_so(instance: Instance) -> None:
    """A problem document, and the connection ends; behind an answer that is on its way it ends without one."""
    for data in (b"\x16\x03\x01\x02\x00\x01", b"GET /\x00 HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
        with Raw(instance.addresses["read_api"]) as connection:
            connection.send(data + b"\r\n" * 4)
            status, told, _ = connection.answer()
            assert (status, told["content-type"]) == (400, "application/problem+json")
            assert connection.answer()[0] == 0
    with Raw(instance.addresses["read_api"]) as connection:
        connection.send(request("/api/v1/health") + b"\x00\x01\x02\r\n\r\n")
        assert connection.answer()[0] == 200
        assert connection.answer()[0] == 0


SERVED: list[str] = []  # paths that `hello` was asked for


async def hello(scope: Any, receive: Any, send: Any) -> None:
    """Answers with so many bytes as its path says, once the body is there; a WebSocket until that is not taken."""
    if scope["type"] == "websocket":
        await talk(receive, send)
        return
    if scope["type"] == "lifespan":
        for _ in range(2):
            event = (await receive())["type"]
            await send({"type": f"{event}.complete"})
        return
    SERVED.append(scope["path"])
    while (await receive()).get("more_body"):
        pass
    body = b"x" * int(scope["path"][1:] or 2)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


async def talk(receive: Any, send: Any) -> None:
    """Sends without end, and closes where a message is not taken."""
    await receive()
    await send({"type": "websocket.accept"})
    try:
        while True:
            async with asyncio.timeout(0.1):
                await send({"type": "websocket.send", "bytes": b"x" * 100_000})
    except TimeoutError:
        await send({"type": "websocket.close", "code": 4408})


@pytest.fixture
async def hasty(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """The port of a server that waits for hardly anything and takes ten connections."""
    short = {"HEAD": 0.2, "BODY": 0.2, "LINGER": 0.2, "UNREAD": 0.2, "LOOK": 0.05}
    for name, seconds in short.items():
        monkeypatch.setattr(http_guard, f"{name}_SECONDS", seconds)
    monkeypatch.setattr(socket_guard, "UNREAD_SECONDS", 0.6)
    monkeypatch.setattr(http_guard, "CONNECTIONS", 10)
    monkeypatch.setattr(socket_guard, "SOCKETS", 12)
    monkeypatch.setattr(http_server, "IDLE_SECONDS", 1)
    stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        group.create_task(serve_http(hello, "127.0.0.1", 0, stop, port.set_result))
        yield await port
        stop.set()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", b"408"),
        (b"GET / HTTP/1.1\r\n", b"408"),
        (b"GET / HTTP/1.1\r\n\r\nGET", b"200"),
        (b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nx", b"408"),
    ],
    ids=["nothing", "half a head", "half a head behind a request", "half a body"],
)
async def test_what_does_not_go_on_is_given_up(hasty: int, sent: bytes, status: bytes) -> None:
    """An answer says so, and the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", hasty)
    writer.write(sent)
    assert (await reader.read()).split()[1] == status
    writer.close()


UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


CLOSED = b"\x88\x02\x11\x38"  # the frame that closes with 4408


@pytest.mark.parametrize(("rest", "thaws"), [(0.3, True), (2.0, False)], ids=["thaws", "stays frozen"])
async def test_a_frozen_socket_is_let_go(hasty: int, rest: float, thaws: bool) -> None:
    """Who reads again soon finds at the end why it was closed; who does not is cut off, and holds nothing."""
    reader, writer = await asyncio.open_connection("127.0.0.1", hasty, limit=1_000)
    writer.write(UPGRADE)
    await asyncio.sleep(rest)
    last = b""
    with suppress(ConnectionError):
        while piece := await reader.read(65_536):
            last = (last + piece)[-4:]
    writer.transport.abort()
    assert (last == CLOSED) is thaws


async def test_sockets_have_a_bound_of_their_own(hasty: int) -> None:
    """Requests are answered whatever sockets there are, and a socket too many is told."""
    opened = []
    for number in range(13):
        reader, writer = await asyncio.open_connection("127.0.0.1", hasty)
        opened.append(writer)
        writer.write(UPGRADE)
        status = (await reader.readline()).split()[1]
        assert status == (b"101" if number < 12 else b"503")
    reader, writer = await asyncio.open_connection("127.0.0.1", hasty)
    writer.write(b"GET /3 HTTP/1.1\r\n\r\n")
    assert (await reader.readline()).split()[1] == b"200"
    for each in (*opened, writer):
        each.transport.abort()


async def test_an_answer_that_nobody_reads_is_let_go(hasty: int) -> None:
    """The connection is cut, and what waited for it is freed; who reads slowly gets all of it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", hasty, limit=1_000)
    writer.write(b"GET /20000000 HTTP/1.1\r\n\r\n")
    await asyncio.sleep(1.0)
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await reader.readexactly(20_000_000)
    writer.close()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{hasty}") as client:
        assert len((await client.get("/20000000")).content) == 20_000_000


async def test_nothing_is_answered_ahead_of_who_does_not_read(hasty: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of five requests in a row one is served while its answer is not read; then all of them, in their order."""
    monkeypatch.setattr(http_guard, "UNREAD_SECONDS", 30)
    size = 16_000_000  # more than the buffers of both sockets hold
    served = SERVED[:]
    reader, writer = await asyncio.open_connection("127.0.0.1", hasty, limit=1_000)
    writer.write(b"".join(b"GET /%d HTTP/1.1\r\n\r\n" % (size + n) for n in range(5)))
    await asyncio.sleep(0.5)
    assert [*served, f"/{size}"] == SERVED
    for n in range(5):
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"content-length: %d" % (size + n) in head
        await reader.readexactly(size + n)
    writer.close()


async def test_more_connections_than_are_taken_make_room(hasty: int) -> None:
    """Who has waited longest without a request goes, and who asks is answered."""
    idle = [await asyncio.open_connection("127.0.0.1", hasty) for _ in range(40)]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{hasty}") as client:
        assert (await client.get("/")).text == "xx"
    for _, writer in idle:
        writer.close()


async def test_where_every_connection_is_at_work_another_one_is_told_so(hasty: int) -> None:
    """503 at once."""
    busy = [await asyncio.open_connection("127.0.0.1", hasty) for _ in range(10)]
    for _, writer in busy:
        writer.write(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nx")
    await asyncio.sleep(0.1)
    reader, more = await asyncio.open_connection("127.0.0.1", hasty)
    assert b"too_many_connections" in await reader.read()
    for _, writer in (*busy, (reader, more)):
        writer.close()
