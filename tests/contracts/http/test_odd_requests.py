"""Odd values at every door: one clear problem, short and clean, never a failure of the service."""

from __future__ import annotations

import base64
import json
import unicodedata
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest

from domain.clean_text import LONGEST_MESSAGE
from projections.engine.declare.registry import all_registered
from tests.contracts.http.test_open_routes import OPEN, example, operations
from tests.support.instance import Instance, trade

COMPANY = "oddco"
ESCAPES = "\x1b[2J\x07\x9b31m\u202e\u2028"
ODD = (
    "9" * 5_000,
    "-" + "9" * 5_000,
    "NaN",
    "Infinity",
    "1e999",
    ESCAPES + "x" * 5_000,
    "\0",
    base64.urlsafe_b64encode(b"[" * 20_000).decode(),
    base64.urlsafe_b64encode(b"[" + b"9" * 5_000 + b"]").decode(),
    base64.urlsafe_b64encode(b"[Infinity, NaN, null]").decode(),
)


@pytest.fixture(scope="module")
def client(instance: Instance) -> Iterator[httpx.Client]:
    """Somebody who may do everything that one company may."""
    instance.take([trade(COMPANY, 1)])
    with instance.client("admin", COMPANY) as opened:
        yield opened


def checked(answer: httpx.Response) -> None:
    """It failed in nothing, and what it says can be shown to anybody."""
    assert answer.status_code < 500, (str(answer.request.url)[:200], answer.text)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    if answer.status_code >= 400:
        document = answer.json()
        for text in (document["detail"], document["instance"], *document["suggested_actions"]):
            assert len(text) <= LONGEST_MESSAGE
            assert not [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs")], text
            assert all(len(word) <= 200 for word in text.split())


@pytest.mark.share(3)
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:12])
def test_every_parameter_of_every_query_takes_what_is_odd(client: httpx.Client, odd: str) -> None:
    """Generated: of each query those that have not been tried by an earlier one under the same name and reader."""
    tried = set()
    for name, query in sorted(all_registered().items()):
        for param in query.params:
            if (param.name, param.read) not in tried:
                tried.add((param.name, param.read))
                checked(client.get(f"/api/v1/query/{name}?{param.name}={quote(odd)}"))
    for path in ("/api/v1/query/trades/explain", "/api/v1/events", f"/api/v1/events/{quote(odd[:9_000])}"):
        for named in ("limit", "cursor", "from", "as_of", "measure", "until"):
            checked(client.get(f"{path}?{named}={quote(odd)}"))
    for name in ("x-min-position", "if-match", "traceparent", "x-correlation-id"):
        header = odd.encode("ascii", "ignore").decode().replace("\0", "").replace("\x1b", "").replace("\x07", "")
        checked(client.get("/api/v1/query/trades", headers={name: f"trading-events:0={header}"}))


@pytest.mark.parametrize("api", OPEN)
def test_another_method_is_405_with_those_that_are_allowed(instance: Instance, client: httpx.Client, api: str) -> None:
    """At every route of both APIs."""
    allowed: dict[str, set[str]] = {}
    for method, path in operations(api):
        allowed.setdefault(path, set()).add(method)
    for path, methods in allowed.items():
        for other in {"PATCH", "POST"} - methods:
            answer = client.request(other, instance.addresses[api] + example(path))
            assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed"), (other, path)
            assert set(answer.headers["allow"].replace(" ", "").split(",")) == methods


def test_control_characters_of_events_never_reach_a_table_or_a_terminal(instance: Instance) -> None:
    """Event data is other people's: tables, JSON and messages of the command line show it, and never obey it."""
    company = "escapeco"
    odd = trade(company, 1, symbol=f"A{ESCAPES}B", strategy=f"S{ESCAPES}")
    instance.take([odd])
    bad = instance.folder.parent / "bad.ndjson"
    bad.write_text(json.dumps({**trade(company, 2), "message_type": f"odd{ESCAPES}"}))
    answers = [
        instance.command("ingest", str(bad)),
        instance.command("query", "trades", "--company", company),
        instance.command("query", "trading_totals", "--company", company, "--param", "by=symbol"),
        instance.command("events", "find", "--company", company),
        instance.command("events", "find", "--company", company, "--json"),
        instance.command("quarantine", "list"),
        instance.command("query", f"no{ESCAPES}such", "--company", company),
    ]
    for answer in answers:
        assert not [c for c in answer.output if c != "\n" and unicodedata.category(c) in ("Cc", "Zl", "Zp")]
        assert "\u202e" not in answer.output
    assert json.loads(answers[1].stdout)["rows"][0]["symbol"] == f"A{ESCAPES}B"
