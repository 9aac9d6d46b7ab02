"""python -m tests.e2e.sockets --clients 1000: what do so many live connections cost, and does a frozen one harm them?

An instance takes an event at a steady rate; every client follows the same total over a WebSocket of its own. Timed is
from just before the event is sent to the frame whose total has it, at each client: for all of them alone, then beside
one client that has subscribed and reads nothing any more. Printed with the memory of the one read API process.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec
import psutil
from websockets.asyncio.client import ClientConnection, connect

from app.bench.figures import quantile
from domain.access.rights import Role
from read_api.live.sessions import MOST_SUBSCRIPTIONS
from tests.support.instance import Instance, command_line, temporary_instance, trade

COMPANY = "socketco"
MOST_MEGABYTES = 250
TRADES = re.compile(r'"total_trades":(\d+)')
PAUSE = 0.5  # seconds between two events: a feed answers four times a second at most
AT_ONCE = 50  # clients that connect
SUBSCRIBE: dict[str, Any] = {"query": "trading_totals", "company": COMPANY}


@dataclass
class Seen:
    """When each number of trades was sent, and ms from there to every client that had a frame with it."""

    sent: dict[int, float] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    frames: int = 0

    def see(self, before: int, after: int) -> None:
        """A client's total has moved; the event that waited longest counts."""
        now = time.monotonic()
        self.frames += 1
        if before + 1 in self.sent and after > before:
            self.times.append(1000 * (now - self.sent[before + 1]))

    def line(self, name: str) -> str:
        """For people."""
        if not self.times:
            return f"{name}: nothing came"
        p50, p99 = (quantile(self.times, share) for share in (0.5, 0.99))
        return f"{name}: {self.frames} frames, p50 {p50:.0f} ms, p99 {p99:.0f} ms, most {max(self.times):.0f} ms"


class Followers:
    """So many clients that follow one total."""

    def __init__(self, address: str, bearer: str, clients: int) -> None:
        self._address, self._bearer, self._clients = f"{address}/api/v1/live", bearer, clients
        self._turn = asyncio.Semaphore(AT_ONCE)
        self.seen = Seen()
        self.all_follow = asyncio.Event()
        self.lost: list[str] = []

    async def follow(self) -> None:
        """Follow for as long as this runs."""
        async with self._turn:
            connection = await connect(self._address, compression=None, max_size=None, open_timeout=60)
            for message in self._messages(1):
                await connection.send(message.decode())
            total = await self._first(connection)
            self._clients -= 1
            if not self._clients:
                self.all_follow.set()
        try:
            async for text in connection:
                before, total = total, total_of(text) or total
                if total != before:
                    self.seen.see(before, total)
        finally:
            if (code := connection.close_code) is not None:
                self.lost.append(f"{code} {connection.close_reason}")
            connection.transport.abort()

    @staticmethod
    async def _first(connection: ClientConnection) -> int:
        """The total of the snapshot."""
        while not (total := total_of(text := await connection.recv())):
            assert msgspec.json.decode(text)["type"] == "welcome", text
        return total

    def freeze(self) -> socket.socket:
        """A client that subscribes with a small buffer and never reads again."""
        frozen = socket.socket()
        frozen.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        host, _, port = self._address.split("/")[2].partition(":")
        frozen.connect((host, int(port)))
        head = (
            f"GET /api/v1/live HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        frozen.sendall(head.encode())
        while b"\r\n\r\n" not in frozen.recv(4_096):
            pass
        for message in self._messages(MOST_SUBSCRIPTIONS):  # so that its frames fill every buffer
            frozen.sendall(masked(message))
        return frozen

    def _messages(self, subscriptions: int) -> Sequence[bytes]:
        wanted = [{"type": "subscribe", "id": f"s{number}", **SUBSCRIBE} for number in range(subscriptions)]
        return [msgspec.json.encode(each) for each in ({"type": "token", "token": self._bearer}, *wanted)]


def masked(text: bytes) -> bytes:
    """A text frame of up to 65,535 bytes as a client sends it, under a mask of zeros."""
    size = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2, "big")
    return b"\x81" + size + bytes(4) + text


def total_of(frame: str | bytes) -> int:
    """How many trades its row counts; 0 for a frame without."""
    found = TRADES.search(frame if isinstance(frame, str) else frame.decode())
    return int(found[1]) if found else 0


async def publish(instance: Instance, seen: Seen, first: int, seconds: float) -> int:
    """One event after the other for so long; the number of the next one."""
    headers = {"authorization": f"Bearer {instance.signed('service', COMPANY, roles=(Role.SERVICE,))}"}
    number, until = first, time.monotonic() + seconds
    async with httpx.AsyncClient(base_url=instance.addresses["command_api"], timeout=60, headers=headers) as client:
        while time.monotonic() < until:
            seen.sent[number] = time.monotonic()
            event = trade(COMPANY, number, pnl=1.0)
            (await client.post("/api/v1/events", json=event)).raise_for_status()
            number += 1
            await asyncio.sleep(PAUSE)
    await asyncio.sleep(2 * PAUSE)
    return number


def read_api(instance: Instance) -> psutil.Process:
    """The process that answers."""
    return next(child for child in instance.children() if "read-api" in command_line(child))


async def measure(instance: Instance, clients: int, seconds: float) -> list[str]:
    """Connect, follow alone and beside a frozen client, and print; what is not as it should be."""
    process = read_api(instance)
    before = process.memory_info().rss / 2**20
    number = await publish(instance, Seen(), 1, 2.0)
    followers = Followers(
        instance.addresses["read_api"].replace("http", "ws"), instance.signed("viewer", COMPANY), clients
    )
    faults, most = list[str](), 0.0
    async with asyncio.TaskGroup() as group:
        following = [group.create_task(followers.follow()) for _ in range(clients)]
        await followers.all_follow.wait()
        for name in ("alone", "beside a frozen client"):
            frozen = followers.freeze() if name != "alone" else None
            followers.seen = seen = Seen()
            number = await publish(instance, seen, number, seconds)
            most = max(most, process.memory_info().rss / 2**20)
            say(seen.line(f"{clients} clients {name}"))
            faults += [] if seen.times else [f"{name}: nothing came"]
            if frozen is not None:
                frozen.close()
        for task in following:
            task.cancel()
    each = 1024 * (most - before) / clients
    say(f"read API: {before:.0f} MB without clients, {most:.0f} MB with {clients}, {each:.0f} KB for each")
    faults += [f"{most:.0f} MB is more than {MOST_MEGABYTES}"] if most > MOST_MEGABYTES else []
    return faults + [f"{len(followers.lost)} connections were lost: {followers.lost[0]}" for _ in followers.lost[:1]]


def say(text: str) -> None:
    """To whoever looks on."""
    print(text, flush=True)


def main() -> int:
    """Make an instance, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    chosen = parser.parse_args()
    with temporary_instance("sockets") as instance:
        faults = asyncio.run(measure(instance, chosen.clients, chosen.seconds))
    say("\n".join(faults) or "as it should be")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
