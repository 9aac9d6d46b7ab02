"""The NATS bus when its server goes away, comes back or was never there."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit

import pytest

from adapters.nats.bus import PENDING, NatsBus
from adapters.servers.servers import Servers
from domain.errors import Unavailable

pytestmark = pytest.mark.slow


async def test_the_bus_comes_back_with_its_subscriptions_after_kill_9(own_servers: Servers) -> None:
    """While the server is away the sender is told; afterwards the same objects work again."""
    servers = own_servers
    bus = await NatsBus.connect((await servers.start()).nats_url)
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def handler(subject: str, data: bytes) -> None:
        await heard.put(data)

    await bus.subscribe("test.comes-back", handler)
    os.kill(servers.addresses().pids["nats"], signal.SIGKILL)
    with pytest.raises(Unavailable):
        await _publish_for(bus, seconds=5)
    await servers.start()
    await _publish_until(bus, "test.comes-back", b"again", heard)
    assert await heard.get() == b"again"
    assert bus.reconnects == 1
    await bus.close()


async def test_a_bus_may_be_made_before_its_server_is_there(own_servers: Servers) -> None:
    """It says that it is not connected, and connects with its subscriptions once the server is there."""
    servers = own_servers
    url = (await servers.start()).nats_url
    await servers.stop()
    bus = await NatsBus.connect(url, patience=0.2)
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def handler(subject: str, data: bytes) -> None:
        await heard.put(data)

    await bus.subscribe("test.early", handler)
    assert not bus.connected
    with pytest.raises(Unavailable):
        await bus.publish("test.early", b"lost")
    await servers.start()
    await _publish_until(bus, "test.early", b"first", heard)
    assert await heard.get() == b"first"
    await bus.close()


async def test_what_a_slow_handler_never_sees_is_counted(nats_url: str) -> None:
    """Heard and dropped together are what was sent."""
    bus = await NatsBus.connect(nats_url)
    may_go_on, heard = asyncio.Event(), list[bytes]()

    async def handler(subject: str, data: bytes) -> None:
        await may_go_on.wait()
        heard.append(data)

    await bus.subscribe("test.slow-handler", handler)
    for number in range(PENDING + 500):
        await bus.publish("test.slow-handler", str(number).encode())
    await bus.flush()
    async with asyncio.timeout(10):
        while not bus.dropped:  # noqa: ASYNC110 (the bus only counts)
            await asyncio.sleep(0.01)
        may_go_on.set()
        while not heard or heard[-1] != str(PENDING + 499).encode():  # noqa: ASYNC110 (the bus only counts)
            await asyncio.sleep(0.01)
    assert len(heard) + bus.dropped == PENDING + 500
    await bus.close()


async def test_a_handlers_failure_is_counted_with_its_reason(nats_url: str) -> None:
    """It is not hidden, though the bus goes on."""
    bus = await NatsBus.connect(nats_url)
    failed = asyncio.Event()

    async def handler(subject: str, data: bytes) -> None:
        failed.set()
        raise ValueError("no good")

    await bus.subscribe("test.failing", handler)
    await bus.publish("test.failing", b"x")
    async with asyncio.timeout(10):
        await failed.wait()
    await asyncio.sleep(0)
    assert bus.errors == 1
    assert str(bus.last_error) == "no good"
    await bus.close()


async def _publish_until(bus: NatsBus, subject: str, data: bytes, heard: asyncio.Queue[bytes]) -> None:
    """Go on publishing until it was heard."""
    async with asyncio.timeout(20):
        while heard.empty():
            with suppress(Unavailable):
                await bus.publish(subject, data)
                await bus.flush()
            await asyncio.sleep(0.05)


async def _publish_for(bus: NatsBus, seconds: float) -> None:
    """Go on publishing until it fails or the time is over."""
    async with asyncio.timeout(seconds):
        while True:
            await bus.publish("test.comes-back", b"into the void")
            await asyncio.sleep(0.01)


async def test_a_flush_comes_after_what_it_flushes(nats_url: str) -> None:
    """The server has the subscription before it answers: whoever publishes next, elsewhere, is heard."""
    address, sent, ended = urlsplit(nats_url), bytearray(), asyncio.Event()

    async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter, record: bytearray) -> None:
        while data := await source.read(65_536):
            record += data
            sink.write(data)
        sink.close()
        await sink.wait_closed()

    async def between(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection(address.hostname, address.port)
        await asyncio.gather(copy(reader, to_server, sent), copy(from_server, writer, bytearray()))
        ended.set()

    async def handler(subject: str, data: bytes) -> None:
        pass

    async with await asyncio.start_server(between, "127.0.0.1", 0) as proxy:
        port = proxy.sockets[0].getsockname()[1]
        bus = await NatsBus.connect(urlunsplit(address._replace(netloc=f"{address.netloc.rpartition(':')[0]}:{port}")))
        await bus.flush()
        sent.clear()
        await bus.subscribe("test.before-the-flush", handler)
        await bus.flush()
        assert sent.startswith(b"SUB test.before-the-flush "), bytes(sent)
        assert sent.endswith(b"PING\r\n")
        await bus.close()
        await ended.wait()
