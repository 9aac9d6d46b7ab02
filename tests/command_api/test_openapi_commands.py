"""Whatever the published description allows, and much that it does not: the command API answers as described."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.doorway import Doorway
from app.edge import Edge
from app.http_server import serve_http
from app.reference.openapi import COMMAND_API, document
from command_api.answers import document_of
from command_api.app import create_app
from domain.access import Principal
from domain.configuration.registry import AGGREGATES
from domain.publishing.trail import NoTrail
from tests.support.desks import ADMIN, desk_on

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def commands_alone() -> dict[str, Any]:
    """The description without what the read API and the door for events answer."""
    whole = document()
    paths = {
        path: {method: o for method, o in item.items() if {"url": COMMAND_API} in o.get("servers", [])}
        for path, item in whole["paths"].items()
    }
    return whole | {"paths": {path: item for path, item in paths.items() if item}}


schema = schemathesis.openapi.from_dict(commands_alone())


@asynccontextmanager
async def served(database_url: str) -> AsyncIterator[int]:
    """The command API on a free port, with one token: the word admin."""
    unused, stop = cast(Any, None), asyncio.Event()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def authenticate(_: str) -> Principal:
        return ADMIN

    async with desk_on(database_url) as desk:
        app = Edge(create_app(ingest=unused, desk=desk, health=unused), Doorway(authenticate, NoTrail()), document_of)
        serving = asyncio.create_task(serve_http(app, "127.0.0.1", 0, stop, port.set_result))
        yield await port
        stop.set()
        await serving


@pytest.fixture(scope="module")
def address(module_database_url: str) -> Iterator[str]:
    """Where the command API answers while the tests of this module run."""
    started, ports, done = threading.Event(), list[int](), threading.Event()

    async def serve() -> None:
        async with served(module_database_url) as port:
            ports.append(port)
            started.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(30)
    yield f"http://127.0.0.1:{ports[0]}"
    done.set()
    thread.join()


def test_every_aggregate_is_described() -> None:
    """So that the next test leaves none out."""
    tags = {tag for item in commands_alone()["paths"].values() for o in item.values() for tag in o["tags"]}
    assert tags == set(AGGREGATES)


def conforms(case: Any, address: str) -> None:
    """No server error, no undocumented status, type, header or body."""
    case.call_and_validate(base_url=address, headers={"Authorization": "Bearer admin"}, checks=CHECKS)


@pytest.mark.slow
@schema.parametrize()
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
def test_answers_are_as_described(case: Any, address: str) -> None:
    """A few generated requests for every command, good and bad."""
    conforms(case, address)


@pytest.mark.check
@schema.parametrize()
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_answers_are_as_described_at_length(case: Any, address: str) -> None:
    """Many generated requests for every command, good and bad."""
    conforms(case, address)
