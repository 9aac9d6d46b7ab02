"""A follower as a program would be one: it keeps a document, applies deltas, loses its connection, and resumes."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec
from services import live_pb2 as live
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from read_api.live.forms import JSON, PROTOBUF
from tests.support.live_documents import apply_delta, canonical, object_of


@dataclass
class Witness:
    """What followers of one feed had at each token: by whatever way they came to it, it must be the same."""

    snapshots: dict[str, str] = field(default_factory=dict)
    applied: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def see(self, kind: str, token: str, document: Mapping[str, Any]) -> None:
        """A follower has this document at this token."""
        found = hashlib.sha256(canonical(document)).hexdigest()
        own, other = (self.snapshots, self.applied) if kind == "snapshot" else (self.applied, self.snapshots)
        if own.setdefault(token, found) != found or other.get(token, found) != found:
            self.wrong.append(f"{kind} at {token}")
        self.counts[kind] += 1

    @property
    def compared(self) -> int:
        """Tokens at which a snapshot and applied deltas were both seen."""
        return len(self.snapshots.keys() & self.applied.keys())


@dataclass
class Follower:
    """Who follows one thing. `binary`: in protobuf."""

    address: str
    bearer: str
    wanted: Mapping[str, Any]
    witness: Witness
    binary: bool = False
    token: str = ""
    document: dict[str, Any] = field(default_factory=dict)

    async def follow(self, seconds: float, *, anew: bool = False, until: str = "") -> None:
        """Connect, go on where it was (or begin anew), take frames for so long or until that token, and drop out."""
        name = Subprotocol(PROTOBUF.name if self.binary else JSON.name)
        async with connect(
            f"{self.address}/api/v1/live", subprotocols=[name], compression=None, max_size=None
        ) as socket:
            try:
                async with asyncio.timeout(seconds):
                    await self._say(socket, {"type": "token", "token": self.bearer})
                    resume = {"resume": self.token} if self.token and not anew else {}
                    await self._say(socket, {"type": "subscribe", "id": "a", **self.wanted, **resume})
                    first = True
                    while not until or self.token != until:
                        frame = object_of(await socket.recv())
                        first = self._take(frame, bool(resume), first)
            except (TimeoutError, ConnectionClosed):
                pass
            with suppress(ConnectionClosed):
                socket.transport.abort()

    def _take(self, frame: dict[str, Any], resumed: bool, first: bool) -> bool:
        match frame["type"]:
            case "snapshot":
                self.document = frame["answer"]
                if resumed and first:
                    self.witness.counts[f"anew: {frame['resume']}"] += 1
            case "delta":
                assert resumed or not first, "a delta of nothing"
                self.document = apply_delta(self.document, frame["delta"])
                self.witness.counts["resumed"] += first
            case "welcome":
                return first
            case _:
                raise AssertionError(frame)
        self.token = frame["token"]
        self.witness.see(frame["type"], self.token, self.document)
        return False

    async def _say(self, socket: ClientConnection, message: Mapping[str, Any]) -> None:
        if not self.binary:
            await socket.send(msgspec.json.encode(message).decode())
            return
        members = {name: value for name, value in message.items() if name != "type"}
        await socket.send(live.LiveRequest(**{message["type"]: members}).SerializeToString())
