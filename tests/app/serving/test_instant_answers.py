"""Answers that are there when they are asked for: as the long way would give them, and with all that it looks after."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from app.serving.audit_middleware import AuditMiddleware
from app.serving.gate import Gate
from app.serving.http_server import serve_http
from app.serving.instant_answers import InstantAnswers
from app.serving.routing import Route
from domain.access.rate_limits import Rates
from domain.access.rights import Principal
from domain.errors import Forbidden
from domain.request.caller import Caller
from read_api.http.problems import problem
from read_api.http.responses import Ready
from tests.app.serving.test_audit_middleware import Book, authenticate
from tests.support.instance import Instance, trade

URL = "/api/v1/query/kpis?company=acme"
ANSWER = Ready(b'{"rows":[]}', media_type="application/json", headers={"X-Position": "a:0=1", "X-Lag-Ms": "0"})


@dataclass
class Found:
    """The answer, held for somebody until it is over."""

    principal: Principal
    company: str = "acme"
    response: Ready = ANSWER
    over: bool = False
    counted: int = 0

    def holds(self, principal: Principal) -> bool:
        """Until it is over."""
        return principal is self.principal and not self.over

    def count_again(self) -> None:
        """Once more."""
        self.counted += 1


@dataclass
class Door:
    """A server whose application says the same as what is at hand, and counts how often it was asked."""

    book: Book = field(default_factory=Book)
    asked: list[str] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    port: int = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """The long way."""
        if scope["type"] == "lifespan":
            for _ in range(2):
                await send({"type": f"{(await receive())['type']}.complete"})
            return
        self.asked.append(scope["method"])
        scope["user"].company("acme")
        await send({"type": "http.response.start", "status": 200, "headers": ANSWER.head})
        await send({"type": "http.response.body", "body": ANSWER.content, "more_body": False})

    def find(self, path: str, query: bytes, headers: Mapping[bytes, bytes], caller: Caller) -> Found | None:
        """One answer of the company."""
        if caller.company("acme") not in caller.principal.companies:
            raise Forbidden("not theirs")
        if (path, query) != ("/api/v1/query/kpis", b"company=acme"):
            return None
        self.found.append(Found(caller.principal))
        return self.found[-1]

    async def talk(self, *heads: str) -> list[bytes]:
        """What is answered to these heads, sent at once; the connection is closed by the last one."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write("".join(f"{head}\r\n\r\n" for head in heads).encode())
        answers = []
        for _ in heads:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
            length = next(int(line[16:]) for line in head.split(b"\r\n") if line.startswith(b"content-length: "))
            answers.append(head + await reader.readexactly(length))
        writer.close()
        return answers


def head(*lines: str, method: str = "GET", url: str = URL, version: str = "1.1", token: str = "ann") -> str:
    """A request."""
    return "\r\n".join((f"{method} {url} HTTP/{version}", "Host: analytics", f"Authorization: Bearer {token}", *lines))


@asynccontextmanager
async def serving(rates: Rates) -> AsyncIterator[Door]:
    """A door with a trail and these rates."""
    door, stop, port = Door(), asyncio.Event(), asyncio.get_running_loop().create_future()
    gate = Gate(authenticate, door.book, rates)
    middleware = AuditMiddleware(door, match, gate, problem)
    instant = InstantAnswers(door.find, match, gate, lambda *_: None)
    async with asyncio.TaskGroup() as group:
        group.create_task(serve_http(middleware, "127.0.0.1", 0, stop, port.set_result, instant=instant))
        door.port = await port
        yield door
        stop.set()


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    """One whose rates nobody here reaches."""
    async with serving(Rates()) as opened:
        yield opened


def match(method: str | None, path: str) -> Route:
    """All need a token."""
    return Route(path, open=False)


def bare(answer: bytes) -> Sequence[bytes]:
    """Without what is of its request alone."""
    return [line for line in answer.split(b"\r\n") if not line.startswith((b"date:", b"traceresponse:"))]


async def test_it_is_what_the_long_way_answers(door: Door) -> None:
    """Line for line, with the caller's correlation id and trace; and so it is noted."""
    trace = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"
    (there,) = await door.talk(head("X-Correlation-Id: c-1", f"traceparent: {trace}"))
    assert door.asked == []
    (long,) = await door.talk(head("X-Correlation-Id: c-1", f"traceparent: {trace}", "X-Other: makes it unusual"))
    assert door.asked == ["GET"]
    assert bare(there) == bare(long)
    assert b"\r\ntraceresponse: 00-0123456789abcdef0123456789abcdef-" in there
    first, second = door.book.noted
    assert first == second
    assert (first.actor.subject, first.target, first.company, first.position) == ("ann", "kpis", "acme", "a:0=1")


@pytest.mark.parametrize(
    "unusual",
    [
        head(method="POST"),
        head("X-Min-Position: a:0=9"),
        head("Cookie: a=b"),
        head("Content-Length: 0"),
        head("Connection: close"),
        head(version="1.0"),
        head(url="/api/v1/query/k%70is?company=acme"),
        head(url="/api/v1//query/kpis?company=acme"),
        head(url="/api/v1/query/trades?company=acme"),
    ],
)
async def test_what_is_not_plain_goes_the_long_way(door: Door, unusual: str) -> None:
    """And is noted once."""
    (answer,) = await door.talk(unusual)
    assert answer.split()[1] == b"200"
    assert (len(door.asked), len(door.book.noted)) == (1, 1)


async def test_many_at_once_are_answered_in_order_and_one_of_them_here(door: Door) -> None:
    """Else a caller who sends a thousand requests in one piece would hold up everybody."""
    answers = await door.talk(*(head(f"X-Correlation-Id: c-{number}") for number in range(9)))
    told = [next(line for line in answer.split(b"\r\n") if line.startswith(b"x-corr")) for answer in answers]
    assert told == [b"x-correlation-id: c-%d" % number for number in range(9)]
    assert len(door.asked) == 8
    assert len(door.book.noted) == 9


async def test_who_is_refused_is_refused_by_the_long_way(door: Door) -> None:
    """A token that is none, two of them, no room in the trail: as problem documents, noted once."""
    (answer,) = await door.talk(head(token="bob"))
    assert b" 401 " in answer
    assert b"bad_token" in answer
    (answer,) = await door.talk(head("Authorization: Bearer ann"))
    assert b" 401 " in answer
    door.book.full = True
    (answer,) = await door.talk(head())
    assert b"trail_unavailable" in answer
    assert (door.asked, len(door.book.noted)) == ([], 3)


async def test_rates_count_here_as_well() -> None:
    """Who has used up the rate is refused, whichever way they come next."""
    for lines in ((), ("X-Other: makes it unusual",)):
        async with serving(Rates(0.001)) as slow:  # one read in 50 seconds
            answers = [*await slow.talk(head()), *await slow.talk(head(*lines)), *await slow.talk(head())]
        assert [answer.split()[1] for answer in answers] == [b"200", b"429", b"429"]
        assert [note.code for note in slow.book.noted] == ["", "rate_limited", "rate_limited"]


async def test_what_was_found_is_looked_for_again_when_it_is_over(door: Door) -> None:
    """Until then it is counted; another token looks for itself."""
    for _ in range(3):
        await door.talk(head())
    assert [found.counted for found in door.found] == [2]
    door.found[0].over = True
    await door.talk(head())
    assert [found.counted for found in door.found] == [2, 0]
    await door.talk(head(token="bob"))
    assert (len(door.found), door.asked, len(door.book.noted)) == (2, [], 5)


def test_a_kept_answer_is_each_caller_s_own_right(instance: Instance) -> None:
    """Of a running instance: asked again and again it is the same, on record each time, and nobody else's."""
    instance.take([trade("instantco", number) for number in range(3)])
    path = "/api/v1/query/kpis?company=instantco"
    with instance.client("viewer", "instantco") as own, instance.client("viewer", "otherco") as other:
        answers = [own.get(path, headers={"X-Correlation-Id": f"instant-{number}"}) for number in range(12)]
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.json()["rows"][0]["value"] for answer in answers}) == 1
        assert [answer.headers["x-correlation-id"] for answer in answers] == [f"instant-{n}" for n in range(12)]
        assert other.get(path).json()["code"] == "forbidden_company"
        assert own.get(path, headers={"Authorization": "Bearer none"}).status_code == 401
        noted, deadline = set[str](), time.monotonic() + 30
        while len(noted) < 12 and time.monotonic() < deadline:
            with instance.client("auditor", "instantco") as auditor:
                found = auditor.get("/api/v1/query/audit_trail?company=instantco&action=query").json()["rows"]
            noted = {row["correlation_id"] for row in found if row["correlation_id"].startswith("instant-")}
    assert len(noted) == 12
