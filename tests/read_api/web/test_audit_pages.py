"""The auditor's pages say what the API says, to auditors alone: events, what became of them, the past, evidence."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.instance import Instance, run_command
from tests.support.pages import signed_in
from tests.support.two_months import COMPANY

PERIOD = {"from": "2025-10-01", "to": "2025-12-01"}
HOSTILE, USER = "auditedco", "<b>u</b>\u202e" + "🦊" * 5
WITHIN = 60.0  # seconds until the sealer has signed


class Shown(HTMLParser):
    """Texts of table rows by the id of their table, members by name, links by their rel, values by id."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: dict[str, list[str]] = {}
        self.links: dict[str, list[str]] = {}
        self.values: dict[str, str] = {}
        self._table, self._text = "", list[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what has a name."""
        named = {name: value or "" for name, value in attrs}
        if tag == "table":
            self._table = named.get("id", "")
        elif tag == "tr":
            self._text = []
        elif tag == "a":
            where = named.get("rel", self._table)
            self.links.setdefault(where, []).append(named.get("href", ""))
        if "data-value" in named:
            self.values.setdefault(named.get("id", self._table), named["data-value"])

    def handle_endtag(self, tag: str) -> None:
        """A row is whole, or a table is left."""
        if tag == "tr":
            self.rows.setdefault(self._table, []).append(" ".join("".join(self._text).split()))
        elif tag == "table":
            self._table = ""

    def handle_data(self, data: str) -> None:
        """The text of a row."""
        self._text.append(data + " ")


@pytest.fixture(scope="module")
def auditor(filled: Instance) -> Iterator[httpx.Client]:
    """A browser in which an auditor of every company is signed in."""
    filled.take([event(number) for number in range(3)])
    with signed_in(filled, filled.token("auditor", "*")) as client:
        yield client


def event(number: int) -> dict[str, object]:
    """One of a chain of page views, each caused by the one before, by somebody whose name means harm."""
    cause = {"causation_id": f"aud-{number - 1}"} if number else {}
    return {
        "company_id": HOSTILE, "event_id": f"aud-{number}", "user_id": USER, "correlation_id": "corr-<i>",
        "message_type": "user_event", "timestamp": 1_764_000_000_000 + number,
        "payload": {"name": "page_view", "page": "</script>"}, **cause,
    }  # fmt: skip


def ok(answer: httpx.Response) -> Shown:
    """What a page shows; it must be one."""
    assert answer.status_code == 200, answer.text
    return Shown(answer.text)


def test_pages_of_a_search_find_what_the_api_finds(filled: Instance, auditor: httpx.Client) -> None:
    asked = {"company": COMPANY, "type": "trading_result", **PERIOD}
    with filled.client("auditor", COMPANY) as api:
        wanted = [e["offset"] for e in api.get("/api/v1/events", params={**asked, "limit": "1000"}).json()["events"]]
    found, href = list[str](), f"/audit?{httpx.QueryParams({**asked, 'limit': '100'})}"
    while href:
        shown = ok(auditor.get(href))
        found += shown.rows.get("events", [])[1:]
        href = next(iter(shown.links.get("next", [])), "")
    assert sorted(int(row.rpartition("=")[2]) for row in found) == sorted(wanted)
    assert len(wanted) > 100


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ("2025-10-01", "2025-10-01T00:00:00"), ("2025-10-01T02:00:00", "2025-10-01T02:00:00"),
        ("2025-10-01T02:00:00+02:00", "2025-10-01T00:00:00"), ("2025-10-01T02:00:00-05:00", "2025-10-01T07:00:00"),
    ],
)  # fmt: skip
def test_a_form_keeps_the_time_that_was_asked_for(auditor: httpx.Client, typed: str, field: str) -> None:
    """As a browser's field takes it, however the address writes it."""
    for path in ("/audit", "/audit/trail"):
        page = auditor.get(path, params={"company": HOSTILE, "from": typed, "to": "2025-12-01"})
        assert page.status_code == 200, page.text
        assert f'name="from" step="1" value="{field}"' in page.text


def test_an_event_is_shown_whole(auditor: httpx.Client) -> None:
    """Envelope, payload, its causes and effects, its neighbours, the rows that it changed; and a name is text."""
    deadline = time.monotonic() + WITHIN
    while (answer := auditor.get("/audit/events/aud-1", params={"company": HOSTILE})).status_code == 503:
        assert time.monotonic() < deadline  # on a busy machine the log may take longer than a request waits
    text = answer.text
    assert "<b>u</b>" not in text
    for words in ("&lt;b&gt;u&lt;/b&gt;", "It counts.", "aud-1", "&lt;/script&gt;", "user_steps", "user_activity"):
        assert words in text
    tree = re.findall(r"user-behavior:\d+=\d+", text.partition('id="tree"')[2].partition("</section>")[0])
    assert len(tree) == 3  # the cause, the event, its effect
    shown = Shown(text)
    assert len(shown.links["prev"]) == len(shown.links["next"]) == 1
    assert "aud-2" in auditor.get(shown.links["next"][0]).text


def test_a_correlation_is_followed_across_streams(auditor: httpx.Client) -> None:
    shown = ok(auditor.get("/audit/correlation/corr-%3Ci%3E", params={"company": HOSTILE}))
    assert len(shown.rows["streams"]) == 1 + 3
    assert "user-behavior" in shown.rows["streams"][0]
    assert ok(auditor.get("/audit/correlation/none", params={"company": HOSTILE})).rows == {}


@pytest.mark.ci  # page by page
def test_the_events_behind_a_number_lead_to_their_pages(filled: Instance, auditor: httpx.Client) -> None:
    """For whoever may look at events one by one; analysts see the list."""
    asked = {"company": COMPANY, **PERIOD}
    shown = ok(auditor.get("/metric/total_pnl/events", params=asked))
    hrefs = [each for found in shown.links.values() for each in found if each.startswith("/audit/events/")]
    assert len(hrefs) == 20
    assert "trading_result" in auditor.get(hrefs[0]).text
    with signed_in(filled, filled.token("analyst", COMPANY)) as analyst:
        assert "/audit/" not in analyst.get("/metric/total_pnl/events", params=asked).text


@pytest.mark.ci
def test_then_and_now_are_those_of_the_queries(filled: Instance, auditor: httpx.Client) -> None:
    moment = "2025-11-15T00:00:00"
    with filled.client("admin", COMPANY) as api:
        body = {
            "name": "Then",
            "sharing": {"audience": "company"},
            "tiles": [tile("n", "number", 0), tile("d", "bar", 4)],
        }
        token = {"Authorization": f"Bearer {filled.token('admin', COMPANY)}"}
        made = httpx.post(f"{filled.addresses['command_api']}/api/v1/dashboard/config", json=body, headers=token)
        filled.wait(made.json()["position"])
        asked = {"company": COMPANY, "keys": "total_trades", **PERIOD}
        now = api.get("/api/v1/query/kpis", params=asked).json()["rows"][0]["value"]
        then = api.get("/api/v1/query/kpis", params={**asked, "as_of": f"{moment}Z"}).json()["rows"][0]["value"]
    params = {"company": COMPANY, "dashboard": made.json()["id"], "as_of": moment, **PERIOD}
    text = auditor.get("/audit/replay", params=params).text
    assert [int(each) for each in re.findall(r'class="figure" data-value="(\d+)"', text)] == [then, now]
    assert "2 of 2 tiles differ" in text
    assert "not there" in text  # of the days after the moment there was nothing
    same = auditor.get("/audit/replay", params={**params, "as_of": "2025-12-20T00:00"}).text
    assert "0 of 2 tiles differ" in same


def tile(name: str, kind: str, y: int) -> dict[str, Any]:
    """A tile of trades: how many, or how many a day."""
    query, params = ("kpis", {"keys": "total_trades"}) if kind == "number" else ("trading_totals", {"by": "day"})
    place = {"x": 0, "y": y, "w": 6, "h": 4}
    return {"id": name, "title": name, "kind": kind, "query": query, "params": params, "layout": place}


@pytest.mark.ci  # the whole log is verified
def test_the_log_is_verified_and_an_event_proved(filled: Instance, auditor: httpx.Client, tmp_path: Path) -> None:
    """What is downloaded is checked by the command line, which needs no server."""
    began = auditor.post("/audit/verification", params={"company": COMPANY}, data={"x": ""})
    assert began.status_code in (303, 409), began.text
    deadline = time.monotonic() + WITHIN
    asked = ("--company", "_system", "--param", "action=verify")
    while not filled.answer("query", "audit_trail", *asked)["rows"]:  # the log is of all companies
        assert time.monotonic() < deadline
    while "data-verified" not in (page := auditor.get("/audit/verification", params={"company": COMPANY}).text):
        assert time.monotonic() < deadline, page
        time.sleep(0.2)
    assert 'data-verified="true"' in page
    while (proof := auditor.get("/audit/proofs/aud-0", params={"company": HOSTILE})).status_code == 412:
        assert time.monotonic() < deadline, proof.text
        time.sleep(0.5)
    assert proof.status_code == 200, proof.text
    assert "attachment" in proof.headers["content-disposition"]
    (tmp_path / "proof.json").write_bytes(proof.content)
    (tmp_path / "key.pem").write_bytes(auditor.get("/audit/key.pem", params={"company": HOSTILE}).content)
    files = (str(tmp_path / "proof.json"), "--public-key", str(tmp_path / "key.pem"))
    held = run_command("log", "check-proof", *files, "--json")
    assert json.loads(held.stdout)["holds"] is True


def test_the_trail_shows_who_looked(auditor: httpx.Client) -> None:
    auditor.get("/audit", params={"company": HOSTILE, "user": "nobody-there"})
    deadline, rows = time.monotonic() + WITHIN, list[str]()
    while not any("nobody-there" in row for row in rows) and time.monotonic() < deadline:
        rows = ok(auditor.get("/audit/trail", params={"company": HOSTILE, "action": "read"})).rows.get("trail", [])
    assert any("nobody-there" in row for row in rows)
    assert ok(auditor.get("/audit/trail", params={"company": HOSTILE, "subject": "<x>"})).rows == {}


PAGES = (
    "/audit",
    "/audit/events/aud-1",
    "/audit/correlation/x",
    "/audit/replay",
    "/audit/verification",
    "/audit/trail",
)


@pytest.mark.parametrize("role", ["viewer", "analyst", "admin", "engineer", "service", "auditor"])
def test_only_auditors_of_the_company_audit(auditor: httpx.Client, filled: Instance, role: str) -> None:
    """Then and now is for all who may ask the past."""
    with signed_in(filled, filled.token(role, "elsewhereco")) as other:
        for path in (*PAGES, "/audit/proofs/aud-1", "/audit/key.pem"):
            assert other.get(path, params={"company": HOSTILE}).status_code == 403, path
            own = other.get(path).status_code
            assert own in ((200, 404) if role == "auditor" else (403, 404) if "events/" in path else (403, 200)), path
        if role != "auditor":
            assert [other.get(path).status_code for path in PAGES if path != "/audit/replay"] == [403] * 5
        assert other.post("/audit/verification", params={"company": HOSTILE}, data={"x": ""}).status_code == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/audit?from=yesterday", 400), ("/audit?type=planet", 400), ("/audit?limit=0", 400),
        ("/audit?planet=mars", 400),
        ("/audit?cursor=%3Cx%3E", 400), ("/audit?from=2025-12-01&to=2025-01-01", 400), ("/audit/events/none", 404),
        ("/audit/events/user-behavior:0=99999999", 404), ("/audit/events/planet:0=1", 404),
        ("/audit/replay?as_of=never", 400),
        ("/audit/trail?from=x", 400),
        ("/audit/replay?as_of=2025-01-01T00:00&dashboard=none", 404), ("/audit/trail?cursor=x", 400),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_said_in_a_page(auditor: httpx.Client, path: str, status: int) -> None:
    answer = auditor.get(f"{path}{'&' if '?' in path else '?'}company={HOSTILE}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8"), answer.text
