"""The short way answers as the framework does, header for header."""

from __future__ import annotations

import inspect
from typing import Any

import httpx
import pytest
from litestar import Litestar, Response, get
from litestar.exceptions import NotAuthorizedException
from litestar.params import FromPath

from domain.errors import Invalid
from read_api.http.app import HANDLERS, _answer_error, metrics
from read_api.http.events import show_event
from read_api.http.request import HttpRequest, parameters
from read_api.http.short_way import ShortWay


@get("/kind/{name:str}")
async def show(name: FromPath[str], request: HttpRequest) -> Response[bytes]:
    """What the path and the query name."""
    if name == "wrong":
        raise Invalid("it is wrong")
    if name == "framework":
        raise NotAuthorizedException("no")
    body = f"{name} {sorted(parameters(request).items())}".encode()
    return Response(body, media_type="application/json", headers={"X-Position": "a:0=1"})


@get("/long", media_type="text/plain")
async def long() -> Response[str]:
    """Goes through the framework in both."""
    return Response("long", media_type="text/plain")


APPLICATION = Litestar(
    [show, long], exception_handlers={Exception: _answer_error}, openapi_config=None, logging_config=None
)


async def answer(application: Any, method: str, path: str, host: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body."""
    transport = httpx.ASGITransport(app=application, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://analytics") as client:
        found = await client.request(method, path, headers={"Host": host})
    return found.status_code, dict(found.headers), found.content


@pytest.mark.parametrize("host", ["analytics", "[::1]:8080", "a b"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize(
    "path",
    ["/kind/a%20b?x=1&y=%C3%A4", "/kind/a?x=1&x=2", "/kind/wrong", "/long", "/nothing", "/kind/a/b", "/kind/framework"],
)
async def test_answers_are_the_framework_s(method: str, path: str, host: str) -> None:
    """Also of methods and paths that there are not, of hosts that are none, and of what handlers raise."""
    short = ShortWay(APPLICATION, [show], _answer_error)
    assert await answer(short, method, path, host) == await answer(APPLICATION, method, path, host)


ASKED = [handler for handler in HANDLERS if handler not in (metrics, show_event)]


@pytest.mark.parametrize("handler", ASKED, ids=lambda h: sorted(h.paths)[0])
def test_handlers_take_a_request_and_what_their_path_names(handler: Any) -> None:
    """So that they can be asked without the framework: it would give them nothing else."""
    named = {part.split(":")[0] for path in handler.paths for part in path.split("{")[1:]}
    assert set(inspect.signature(handler.fn).parameters) == {"request", *named}
    assert not handler.dependencies
