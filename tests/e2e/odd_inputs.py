"""What one rude tenant does at every door: odd events, and requests, messages and bytes that are none.

Nothing here may be answered with a failure of the service (5xx but 503, an internal status), nor served without a
token; what is an event is counted by how it was made (`odd_events`).
"""

from __future__ import annotations

import gzip
import json
import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import grpc
import httpx
from google.protobuf.message import DecodeError
from services import operations_pb2 as operations
from services.analytics_service_pb2_grpc import AnalyticsServiceStub
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from tests.e2e.odd_events import EVENT, NASTY, OddEvents
from tests.support.instance import Instance
from tests.support.spellings import Raw, request, spellings

SERVICE = "/services.AnalyticsService"
INTERNAL = (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DATA_LOSS)
PARAMS = ("by", "from", "to", "limit", "cursor", "key", "company", "as_of", "as_known_at", "steps", "measure", "no")
VALUES = (
    "9" * 5_000, NASTY, "NaN", "calmco", "1;2", "-1", "-0", "1e999", "0001-01-01", "9999-12-31T23:59:59.999Z",
    "2025-02-30", "," * 500, "\0", "\ud83d", "😀" * 300, "%00", "../../etc/passwd", "*", "' OR 1=1 --", "0x10", "",
    "trading-events:0=99999999999999999999", "user_id," * 300, "2025-01-01T00:00:00+99:99",
)  # fmt: skip
BODIES = (
    b"", b"null", b"[" * 9_000, b'{"name": "\\u0000"}', b'{"name": "\\ud800"}', b"\xff", b'{"name": 1e999}', b"{}" * 99,
    b'{"name": "a", "name": "b"}', b'{"name": ' + b"9" * 5_000 + b"}",
    b'{"name": "' + b"x" * 60_000 + b'"}', b"\xef\xbb\xbf{}",
    b'{"tiles": [{"query": "' + NASTY.encode() + b'"}]}', b'{"a":' * 500 + b"1" + b"}" * 500,
)  # fmt: skip
COMMANDS = (
    "dashboard/config", f"dashboard/config/{'0' * 32}", "dashboard/config/../../x", "company/x", "company/change_tier",
    "reports/schedules", "alerts/rules", "metrics/aggregates",
)  # fmt: skip
TYPES = ("text/plain", "application/json; charset=utf-7", "application/x-protobuf", "multipart/form-data", "\t")
NO_EVENTS = ("text/plain", "multipart/form-data; boundary=x", "\t", "a/b" * 99, "application/x-ndjson; charset=utf-16")
LINES = {"Content-Type": "application/x-ndjson"}
METHODS = ("Publish", "HealthCheck", "ListProjections", "VerifyLog", "FindEvents", "Nothing", "a/b")
UPGRADE = (
    "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
)  # fmt: skip
SMUGGLED = (
    b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET /api/v1/query/trades HTTP/1.1\r\nHost: x",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", b"Transfer-Encoding: xchunked\r\n\r\n5\r\nhello",
    b"Content-Length: +5\r\n\r\nhello", b"Content-Length: -1\r\n\r\n", b"Content-Length: 5, 6\r\n\r\nhello!",
    b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", b"Content-Length: 0x5\r\n\r\nhello",
    b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\nx",
    b"Transfer-Encoding: chunked\r\n\r\n5;a=" + b"b" * 90_000,
    b"X: a\r\n folded: b\r\n\r\n", b"X\0Y: a\r\n\r\n", b": no name\r\n\r\n",
    b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n",
    b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
)  # fmt: skip
FRAMES = (
    b"\x81\x05hello", b"\xc1\x80\0\0\0\0", b"\x83\x80\0\0\0\0", b"\x89\xfe\x00\x80\0\0\0\0" + b"p" * 128,
    b"\x09\x80\0\0\0\0",
    b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", b"\x88\x81\0\0\0\0x", b"\x80\x80\0\0\0\0",
    b"\x81\x82\0\0\0\0\xff\xfe",
    b"\x01\x83\0\0\0\0[[[" * 50, b"\x89\x80\0\0\0\0" * 2_000, b"\x82\x84\0\0\0\0null",
)  # fmt: skip


T = TypeVar("T")


@dataclass
class Tally:
    """What the inputs were made to be, and what went wrong. `bad`: bytes of bad events; equal ones are one.

    `calls`: when each began (Unix time), how many seconds it took, what it was.
    """

    bad: set[bytes] = field(default_factory=set)
    good: int = 0
    inputs: Counter[str] = field(default_factory=Counter)
    different: set[bytes] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    calls: list[tuple[float, float, str]] = field(default_factory=list)

    def timed(self, what: str, call: Callable[[], T]) -> T:
        """The call's result; noted."""
        began = time.time()
        try:
            return call()
        finally:
            self.calls.append((began, time.time() - began, what))


class Rude:
    """Makes one odd or hostile input after the other, at every door."""

    def __init__(self, instance: Instance, company: str, tally: Tally, seed: int) -> None:
        self.instance, self.company, self.tally, self.chance = instance, company, tally, random.Random(seed)
        self.events = OddEvents(company, self.chance)
        self.service, self.admin = instance.token("service", company), instance.token("admin", company)
        self.client = httpx.Client(timeout=60)
        self.queries = [q["name"] for q in self._asked("GET", "read_api", "/api/v1/query").json()["queries"]]
        self.channel: Any = grpc.insecure_channel(instance.addresses["grpc"])
        self.file = instance.folder.parent / "odd.ndjson"
        often = (self.http, self.call, self.query, self.command)
        self.doors: tuple[Callable[[], None], ...] = (
            *often, *often, self.compressed, self.odd_http, self.odd_call, self.socket, self.frames, self.garbage,
            self.bus, self.from_file,
        )  # fmt: skip

    def one(self) -> None:
        """One input at some door."""
        door = self.chance.choice(self.doors)
        self.tally.inputs[door.__name__] += 1
        try:
            self.tally.timed(door.__name__, door)
        except grpc.RpcError as error:
            self._judge_rpc(door.__name__, error)
        except Exception as error:  # also one of this program's own: an hour must not be lost for it
            self.tally.wrong.append(f"{door.__name__}: {type(error).__name__}: {error}"[:200])

    def http(self, compressed: bool = False) -> None:
        """As a document or as a line; what is refused as a whole is one event in quarantine, too."""
        data, good = self.events.line()
        kind = self.chance.choice(("application/json", "application/x-ndjson"))
        kind = "application/x-ndjson" if len(data) > EVENT else kind
        headers = {"Content-Type": kind, **({"Content-Encoding": "gzip"} if compressed else {})}
        self._count(data, good)
        answer = self._publish(gzip.compress(data) if compressed else data, headers)
        if answer.status_code != 200 and (good or answer.status_code != 400):
            self.tally.wrong.append(f"http: {answer.status_code} {answer.text[:200]}")

    def compressed(self) -> None:
        """The same, packed."""
        self.http(compressed=True)

    def odd_http(self) -> None:
        """Bodies that are not what their heads say; none of them holds an event."""
        bomb = gzip.compress(b"\n" * self.chance.randint(10_000_000, 60_000_000))
        body, headers = self.chance.choice(
            (
                (bomb, {"Content-Encoding": "gzip", **LINES}),
                (gzip.compress(b"\n" * 9_999)[:-9], {"Content-Encoding": "gzip", **LINES}),
                (b"\n", {"Content-Encoding": "gzip, gzip, br", **LINES}),
                *((b"\n" * self.chance.randint(1, 9_999), {"Content-Type": kind}) for kind in NO_EVENTS),
            )
        )  # fmt: skip
        with suppress(httpx.LocalProtocolError):
            self._judge("events", self._publish(body, headers), body)

    def call(self) -> None:
        """As an envelope over gRPC."""
        envelope, good = self.events.envelope()
        self._count(envelope.SerializeToString(), good)
        stub, requests = AnalyticsServiceStub(self.channel), iter([operations.PublishRequest(events=[envelope])])
        answer = stub.Publish(requests, metadata=self._metadata(), timeout=60)
        if (answer.accepted, answer.quarantined) != (int(good), int(not good)):
            self.tally.wrong.append(f"grpc: {answer}"[:200])

    def odd_call(self) -> None:
        """Messages that are none, methods that do not exist, heads without end."""
        method = self.chance.choice(
            ("Publish", "HealthCheck", "ListProjections", "VerifyLog", "FindEvents", "Nothing", "a/b")
        )
        message = self.chance.choice(
            (b"\xff" * 9, b"\x0a\xff\xff\xff\x7f", self.chance.randbytes(300), b"\x0a" * 5_000)
        )
        more = self.chance.choice(
            ((), (("x", "y" * 100_000),), (("authorization", "Bearer x"),), (("x-bin", b"\0\xff"),))
        )
        self._seen(method, message, more)
        if method == "Publish" and ("authorization", "Bearer x") not in more:
            self._count_within(message)
        name, metadata = f"{SERVICE}/{method}", (*self._metadata(), *more)
        if method == "Publish":
            self.channel.stream_unary(name)(iter([message]), metadata=metadata, timeout=60)
        else:
            self.channel.unary_unary(name)(message, metadata=metadata, timeout=60)

    def socket(self) -> None:
        """Messages that are none, of nobody, or of no sense."""
        follow: dict[str, Any] = {"type": "subscribe", "id": NASTY, "query": self.chance.choice((NASTY, *self.queries))}
        odd = {self.chance.choice(PARAMS): self.chance.choice(VALUES)}
        messages: list[str | bytes] = [
            '{"type": "token", "token": "eyJ.eyJ.x"}', "[" * 50_000, '{"type": 7}', b"\xff\xfe", NASTY, "x" * 60_000,
            json.dumps({"type": "token", "token": self.admin}),
            json.dumps({**follow, "company": "calmco", "params": {"by": "99"}}),
            json.dumps({**follow, "company": self.company, "params": odd}), json.dumps({**follow, "params": [[]]}),
            json.dumps({"type": "unsubscribe", "id": "9" * 9_000}), '{"type": "token"}',
        ]  # fmt: skip
        chosen = [json.dumps({"type": "token", "token": self.admin}), *self.chance.sample(messages, 4)]
        chosen = chosen[self.chance.randint(0, 1) :]
        self._seen(*chosen)
        address = self.instance.addresses["read_api"].replace("http", "ws")
        with connect(f"{address}/api/v1/live") as connection, suppress(WebSocketException, TimeoutError):
            for message in chosen:
                self._said(connection, message)

    def _said(self, connection: ClientConnection, message: str | bytes) -> None:
        in_parts = isinstance(message, str) and self.chance.random() < 0.3
        connection.send([message[:7], message[7:]] if in_parts else message)
        with suppress(TimeoutError):
            if "internal" in str(connection.recv(timeout=0.3)):
                self.tally.wrong.append(f"socket: {message[:200]!r} is answered with a fault of the service")

    def frames(self) -> None:
        """Frames that no client should send: without a mask, of no kind, in pieces that never end."""
        sent = b"".join(self.chance.sample(FRAMES, 3)) + self.chance.randbytes(9)
        self._thrown("read_api", request("/api/v1/live", *UPGRADE) + sent)

    def query(self) -> None:
        """Questions with parameters that nobody has thought of."""
        chosen = {self.chance.choice(PARAMS): self.chance.choice(VALUES) for _ in range(self.chance.randint(1, 3))}
        params = {name: value.encode("utf-8", "surrogatepass") for name, value in chosen.items()}
        name, end = self.chance.choice((quote(NASTY), *self.queries * 2)), self.chance.choice(("", "", "/explain"))
        path = f"/api/v1/query/{name}{end}"
        self._judge(path, self._asked("GET", "read_api", path, params=params), params)

    def command(self) -> None:
        """Commands of odd bodies, versions and keys."""
        headers = {"Content-Type": self.chance.choice(("application/json", *TYPES[:2]))}
        headers |= {"If-Match": self.chance.choice(("7", "x", "9" * 30, "*", '"7", "8"', "W/7"))}
        headers |= {"Idempotency-Key": self.chance.choice(("k", "k" * 9_000, "'", "\x7f", str(self.chance.random())))}
        path, body = f"/api/v1/{self.chance.choice(COMMANDS)}", self.chance.choice(BODIES)
        method = self.chance.choice(("POST", "POST", "PUT", "DELETE", "PATCH", "BREW"))
        self._judge(
            path, self._asked(method, "command_api", path, content=body, headers=headers), method, headers, body
        )

    def from_file(self) -> None:
        """A file of some lines for the command line, which acts for every company and looks at how a file begins."""
        made = (self.events.line() for _ in range(3))
        lines = [(data, good) for data, good in made if b"calmco" not in data and len(data) < EVENT]
        lines.sort(key=lambda line: not line[0].startswith(b"{"))
        if not lines or not lines[0][0].startswith(b"{"):
            return
        self.file.write_bytes(b"".join(data + b"\n" for data, _ in lines))
        for data, good in lines:
            self._count(data, good)
        result = self.instance.command("ingest", str(self.file), "--json")
        if result.exit_code not in (0, 3):
            self.tally.wrong.append(f"ingest: {result.output[:200]}")

    def garbage(self) -> None:
        """What is no request, says two lengths, or has a path that is written in an odd way, without a token."""
        path = self.chance.choice(list(spellings("/api/v1/query/trades")))
        head = f"POST {path if path.isascii() else '/api/v1/events'} HTTP/1.1\r\nHost: localhost\r\n".encode()
        sent = self.chance.choice(
            (request(path), self.chance.randbytes(2_000), b"GET / HTTP/1.1\r\nX: " + b"y" * 200_000,
             b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 9_000, *(head + smuggled for smuggled in SMUGGLED))
        )  # fmt: skip
        self._thrown(self.chance.choice(("read_api", "command_api")), sent + b"\r\n\r\n")

    def _thrown(self, api: str, sent: bytes) -> None:
        self._seen(api, sent)
        with suppress(OSError, IndexError, ValueError), Raw(self.instance.addresses[api]) as connection:
            connection.send(sent)
            if connection.answer()[0] == 200:
                self.tally.wrong.append(f"bytes: answered without a token: {sent[:100]!r}")

    def bus(self) -> None:
        """The live bus, by somebody without its token."""
        where = urlsplit(self.instance.addresses["nats"])
        sent = self.chance.choice(
            (b'CONNECT {"verbose":true}\r\nSUB > 1\r\nPUB projected.trading 5\r\nhello\r\n', b"PUB " + b"x" * 90_000,
             b"CONNECT {" * 5_000, b"PUB a 99999999999\r\n", self.chance.randbytes(2_000), b"\0" * 9_000)
        )  # fmt: skip
        self._seen(sent)
        with suppress(OSError), socket.create_connection((where.hostname or "", where.port or 0), timeout=2) as sock:
            sock.sendall(sent)
            answer = b""
            while more := sock.recv(65_536):
                answer += more
            if b"MSG" in answer:
                self.tally.wrong.append("bus: somebody without a token is sent messages")

    def _count(self, data: bytes, good: bool) -> None:
        """It was made as what it is; of more than a megabyte, quarantine keeps the first."""
        self._seen(data)
        self.tally.good += good
        if not good:
            self.tally.bad.add(sha256(data[:EVENT]).digest())

    def _count_within(self, message: bytes) -> None:
        """What garbage holds of events by accident is bad, each of them."""
        with suppress(DecodeError):
            for event in operations.PublishRequest.FromString(message).events:
                self._count(event.SerializeToString(), good=False)

    def _seen(self, *parts: object) -> None:
        self.tally.different.add(sha256(repr(parts).encode("utf-8", "surrogatepass")).digest())

    def _publish(self, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        signed = {"Authorization": f"Bearer {self.service}", **headers}
        return self.client.post(f"{self.instance.addresses['command_api']}/api/v1/events", content=body, headers=signed)

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.service}"),)

    def _asked(
        self, method: str, api: str, path: str, headers: Mapping[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        signed = {"Authorization": f"Bearer {self.admin}", **(headers or {})}
        return self.client.request(method, self.instance.addresses[api] + path, headers=signed, **more)

    def _judge(self, path: str, answer: httpx.Response, *sent: object) -> None:
        self._seen(path, *sent)
        if answer.status_code >= 500 and answer.status_code != 503:
            self.tally.wrong.append(f"{path}: {answer.status_code} {answer.text[:200]}; sent {sent!r}"[:400])

    def _judge_rpc(self, door: str, error: grpc.RpcError) -> None:
        code = error.code() if isinstance(error, grpc.Call) else grpc.StatusCode.UNKNOWN
        if door == "call" or code in INTERNAL:
            self.tally.wrong.append(f"{door}: {code}: {error}"[:300])
