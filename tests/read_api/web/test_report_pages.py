"""Pages of reports: made by a form, listed, opened, verified; what failed says why."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from tests.support.instance import Instance
from tests.support.pages import signed_in
from tests.support.two_months import COMPANY

ASKED = {"company": COMPANY}
DAYS = {"period": "days", "from": "2025-10-01", "to": "2025-12-01"}


@pytest.fixture(scope="module")
def reader(filled: Instance) -> Iterator[httpx.Client]:
    """A browser without scripts in which a viewer of the company is signed in."""
    with signed_in(filled, filled.token("viewer", COMPANY, "--subject", "vera")) as client:
        yield client


def made(reader: httpx.Client, **fields: str) -> httpx.Response:
    """The page that a form leads to."""
    sent = reader.post("/reports", params=ASKED, data=fields)
    assert sent.status_code == 303, sent.text
    page = reader.get(sent.headers["location"])
    assert page.status_code == 200, page.text
    return page


def test_a_form_has_a_report_made_that_is_listed_and_opened(filled: Instance, reader: httpx.Client) -> None:
    """Its file is that of the API; a key stands for one report, and the form has another one each time."""
    page = made(reader, of="trading", format="json", title="Autumn", key="k1", **DAYS)
    assert all(words in page.text for words in ("Ready", "Autumn", "vera", "Oct 1, 2025 – Nov 30, 2025"))
    where = page.url.path
    file = reader.get(f"{where}/file", params=ASKED)
    looked_at = reader.get(f"{where}/file", params={**ASKED, "show": "1"})
    assert looked_at.headers["content-disposition"].startswith("inline")
    document = json.loads(file.content)
    assert (document["title"], document["kind"], document["owner"]["company_id"]) == ("Autumn", "trading", COMPANY)
    with filled.client("viewer", COMPANY) as api:
        assert api.get(f"/api/v1{where}/file", params=ASKED).content == file.content
    proof = reader.get(f"{where}/proof", params=ASKED).json()
    assert proof["sha256"] == sha256(file.content).hexdigest()
    again = reader.post("/reports", params=ASKED, data={"of": "trading", "format": "json", "key": "k1"})
    assert again.status_code == 409
    assert f'href="{where}?company={COMPANY}">Autumn</a>' in reader.get("/reports", params=ASKED).text
    assert any(each["href"].startswith(where) for each in reader.get("/search.json", params=ASKED).json())


@pytest.mark.ci
def test_what_was_downloaded_is_verified(filled: Instance, reader: httpx.Client, tmp_path: Path) -> None:
    """By the command that its page names, with the proof beside it. It folds the company again: this runs in CI."""
    page = made(reader, of="users", format="json", **DAYS)
    file, proof = (reader.get(f"{page.url.path}/{part}", params=ASKED) for part in ("file", "proof"))
    for each in (file, proof):
        name = re.fullmatch(r'attachment; filename="(.+)"', each.headers["content-disposition"])
        assert name is not None
        (tmp_path / name[1]).write_bytes(each.content)
    command = re.search(r"analytics (report verify (\S+?))</code>", page.text)
    assert command is not None
    verified = filled.command("report", "verify", str(tmp_path / command[2]))
    assert verified.exit_code == 0, verified.output


def test_a_dashboard_becomes_a_report_of_what_it_shows(reader: httpx.Client) -> None:
    """The link on its page fills the form in: which dashboard, of when, narrowed to what."""
    shown = {**ASKED, **DAYS, "symbol": "AAPL"}
    page = reader.get("/dashboards/trading", params=shown)
    link = re.search(r'id="as-report" href="([^"#]+)', page.text)
    assert link is not None
    form = reader.get(link[1].replace("&amp;", "&")).text
    assert '<option value="dashboard:trading" selected>' in form
    assert all(f'value="{text}"' in form for text in ("2025-10-01", "2025-12-01", "AAPL"))
    report = made(reader, of="dashboard:trading", format="json", symbol="AAPL", failures="box", **DAYS)
    sections = reader.get(f"{report.url.path}/file", params=ASKED).json()["sections"]
    assert {row["symbol"] for each in sections if each["query"] == "trades" for row in each["rows"]} == {"AAPL"}


def test_what_cannot_be_made_says_why(filled: Instance, reader: httpx.Client) -> None:
    """On the page of the report and in the list; the form is kept where it was wrong itself."""
    tile = {"id": "t", "title": "T", "kind": "table", "query": "trades", "layout": {"x": 0, "y": 0, "w": 6, "h": 4}}
    body = json.dumps({"name": "Trades alone", "sharing": {"audience": "company"}, "tiles": [tile]})
    board = filled.answer("command", "dashboard.create", "--company", COMPANY, "--body", body, "--json")
    filled.wait()
    none = {"period": "days", "from": "2001-01-01", "to": "2001-02-01"}
    page = made(reader, of=f"dashboard:{board['id']}", format="json", **none)
    assert "Failed" in page.text
    assert "no section of the report has anything to show" in page.text
    assert "no section of the report has anything to show" in reader.get("/reports", params=ASKED).text
    assert reader.get(f"{page.url.path}/file", params=ASKED).status_code == 409
    assert reader.get(f"{page.url.path}/proof", params=ASKED).status_code == 404
    for fields in ({"of": "tradnig"}, {"of": "trading", "period": "days"}, {"of": "dashboard:nowhere"}):
        wrong = reader.post("/reports", params=ASKED, data={**fields, "title": "Mine"})
        assert wrong.status_code in (400, 404), wrong.text
        assert 'role="alert"' in wrong.text
        assert 'value="Mine"' in wrong.text


def test_reports_are_for_those_who_may_have_them(filled: Instance, reader: httpx.Client) -> None:
    """A tenant is a wall; who has no right to reports has no page of them."""
    assert reader.get("/reports", params={"company": "globex"}).status_code == 403
    with signed_in(filled, filled.token("viewer", "globex")) as other:
        page = made(reader, of="users", format="json", **DAYS)
        assert other.get(page.url.path, params={"company": "globex"}).status_code == 404
        assert other.get(f"{page.url.path}/file", params=ASKED).status_code == 403
    with signed_in(filled, filled.token("engineer", COMPANY)) as engineer:
        assert engineer.get("/reports", params=ASKED).status_code == 403
        assert ">Reports</a>" not in engineer.get("/engine", params=ASKED).text
