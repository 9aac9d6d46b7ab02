"""Nothing but what is declared open is served without a token, however a request is written; and each is on record."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, cast

import httpx
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from app.serving.routing import routes_of
from command_api.http import create_app as command_app
from read_api.http.app import create_app as read_app
from tests.app.serving.test_doors_on_record import WITHIN
from tests.support.instance import Instance, trade
from tests.support.spellings import Raw, request, spellings

COMPANY, OTHER = "spellco", "otherspellco"
NOTHING: Any = cast(Any, type("Nothing", (), {"__getattr__": lambda *_: None})())
OPEN = {
    "read_api": {("GET", "/api/v1/health"), ("POST", "/sign-in"), ("GET", "/static/{version:str}/{name:str}")},
    "command_api": {("GET", "/api/v1/health")},
}
PATHS = {
    "read_api": ("/api/v1/query/trades", "/metrics", "/dashboards/trading"),
    "command_api": ("/api/v1/events", "/api/v1/company/profile"),
}


def application(api: str) -> Litestar:
    """The application of an API, that is not asked anything."""
    if api == "read_api":
        return read_app(NOTHING, NOTHING, NOTHING)
    return command_app(ingest=NOTHING, command_handler=NOTHING, health=NOTHING)


def operations(api: str) -> Iterator[tuple[str, str]]:
    """Method and path of everything that an API serves over HTTP."""
    for route in application(api).routes:
        if isinstance(route, HTTPRoute):
            yield from ((method, route.path) for method in sorted(route.methods))


def example(path: str) -> str:
    """A path of that form."""
    for name, value in (("{id:uuid}", "0" * 32), ("{name:str}", "trades"), ("{version:str}", "x"), (":str}", "}")):
        path = path.replace(name, value)
    return path.replace("{", "").replace("}", "")


@pytest.mark.parametrize("api", OPEN)
def test_every_route_needs_a_token_unless_it_is_declared_open(instance: Instance, api: str) -> None:
    """Generated: a new route is closed until it is named here, also for OPTIONS and for methods that it has not."""
    served = list(operations(api))
    match = routes_of(application(api))
    assert {(m, path) for m, path in served if match(m, example(path)).open} == OPEN[api]
    with httpx.Client(base_url=instance.addresses[api]) as stranger:
        for method, path in served:
            answer = stranger.request(method, example(path))
            assert (answer.status_code != 401) == ((method, path) in OPEN[api]), (method, path, answer.text)
        for method in ("HEAD", "OPTIONS", "TRACE", "PATCH", "DELETE"):
            assert stranger.request(method, "/api/v1/projections").status_code == 401
            assert stranger.request(method, "/api/v1/nowhere").status_code == 401


@pytest.mark.parametrize("api", PATHS)
def test_no_way_to_write_a_path_is_a_way_in(instance: Instance, api: str) -> None:
    """Alone, and behind a request with a token in the same connection: 401, 404, or 400 for what is no HTTP."""
    token = f"Authorization: Bearer {instance.token('admin', COMPANY)}"
    written = [way for path in PATHS[api] for way in spellings(path)]
    assert len(set(written)) >= 150
    for way in written:
        method = "POST" if api == "command_api" else "GET"
        without = request(way, method=method)
        with Raw(instance.addresses[api]) as alone:
            alone.send(without)
            status, _, body = alone.answer()
        assert status in (400, 401, 404), (way, status, body)
        assert status != 400 or b"no HTTP/1.1 request" in body, (way, body)
        if status != 400:
            with Raw(instance.addresses[api]) as behind:
                behind.send(request("/api/v1/query", token) + without)
                behind.answer()
                assert behind.answer()[0] in (401, 404), way


def test_each_request_is_on_record_for_who_asked_and_for_the_company_that_was_answered(instance: Instance) -> None:
    """However path and parameter are written, in whatever order, behind whomever in one connection."""
    instance.take([trade(COMPANY, 1), trade(OTHER, 1)])
    tokens = {name: instance.token("admin", company, "--subject", name) for name, company in PEOPLE.items()}
    asked: list[tuple[str, str, str]] = []  # correlation id, subject, company
    for number, way in enumerate(ways()):
        with Raw(instance.addresses["read_api"]) as connection:
            for subject, company in PEOPLE.items():
                correlation_id = f"spell-{number}-{subject}"
                headers = (f"Authorization: Bearer {tokens[subject]}", f"X-Correlation-Id: {correlation_id}")
                connection.send(request(way, *headers))
                if connection.answer()[1].get("x-correlation-id") != correlation_id:
                    break  # no HTTP: it did not come in
                asked.append((correlation_id, subject, COMPANY if company == "*" else company))
    assert len(asked) > 100
    expected = sorted(asked)
    deadline = time.monotonic() + WITHIN
    with instance.client("auditor", "*") as client:
        while (found := sorted(on_record(client))) != expected and time.monotonic() < deadline:
            time.sleep(0.2)
    assert found == expected


PEOPLE = {"spell-star": "*", "spell-other": OTHER}
NAMED = [
    f"company={COMPANY}", f"c%6fmpany={COMPANY}", f"%63%6Fmpany={COMPANY}", "company=%73pellco", "company=spell%63o",
    f"by=symbol&company={COMPANY}", f"company={COMPANY}&bogus=1", f"company={COMPANY}&by=%zz", f"&&company={COMPANY}&",
]  # fmt: skip


def ways() -> Iterator[str]:
    """Ways to ask for the trades of COMPANY."""
    yield from (f"/api/v1/query/trades?{named}" for named in NAMED)
    for path in spellings("/api/v1/query/trades"):
        if "?" not in path and "#" not in path:
            yield f"{path}?company={COMPANY}"


def on_record(client: httpx.Client) -> Iterator[tuple[str, str, str]]:
    """Correlation id, subject and company of what is in the trail of both companies and of none."""
    for company in (COMPANY, OTHER, "_system"):
        for subject in PEOPLE:
            asked = {"company": company, "subject": subject, "limit": "1000"}
            answer = client.get("/api/v1/query/audit_trail", params=asked)
            yield from ((row["correlation_id"], subject, company) for row in answer.json()["rows"])
