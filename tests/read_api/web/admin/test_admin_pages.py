"""Admins change what is configured by forms: looked at before, in conflict shown as a difference, undone by version."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from domain.access.rights import Role, Tier
from tests.support.instance import Instance
from tests.support.pages import Shown, signed_in

DRAFT = ("add", "remove", "redraw", "tile")  # what buttons with an address of their own do
COMPANY, OTHER = "adminco", "otheradminco"
HOSTILE = ("<img src=x onerror=alert(1)>", "\u202eevil\u202c", "n" * 120, "🦊" * 20, "</textarea><script>")


class Form(HTMLParser):
    """The fields of the editor's form as a browser would send them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._inside, self._text = False, ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a field, or a choice of one."""
        named = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = named.get("id") == "edit"
        if not self._inside:
            return
        if tag == "input" and (named.get("type") != "checkbox" or "checked" in named) and "name" in named:
            self.fields[named["name"]] = named.get("value", "on")
        elif tag in ("select", "textarea"):
            self._text = named["name"]
            self.fields[self._text] = ""
        elif tag == "option" and "selected" in named:
            self.fields[self._text] = named["value"]

    def handle_data(self, data: str) -> None:
        """The text of several lines."""
        if self.lasttag == "textarea" and self._inside and self._text:
            self.fields[self._text] += data

    def handle_endtag(self, tag: str) -> None:
        """It is whole."""
        if tag == "textarea":
            self._text = ""


class Admin:
    """A browser in which an admin of the company is signed in, and who also has a token for the API."""

    def __init__(self, pages: httpx.Client, api: httpx.Client) -> None:
        self.pages, self.api = pages, api

    def get(self, path: str, **asked: Any) -> httpx.Response:
        """A page of the company."""
        return self.pages.get(path, params={"company": COMPANY, **asked})

    def form(self, path: str, **asked: str) -> dict[str, str]:
        """The fields of the editor at a path."""
        page = self.get(path, **asked)
        assert page.status_code == 200, page.text[:2_000]
        return Form(page.text).fields

    def send(self, path: str, form: Mapping[str, str], **asked: str) -> httpx.Response:
        """The answer to a form, once lists show what it did: pages wait for that, but not for ever."""
        answer = self.pages.post(path, params={"company": COMPANY, **asked}, data=form)
        if answer.status_code == 303:
            at_least = {"X-Min-Position": answer.headers["x-position"]}
            deadline = time.monotonic() + 60
            while self.api.get("/api/v1/query/configuration_history", headers=at_least).status_code != 200:
                assert time.monotonic() < deadline
        return answer

    def post(self, path: str, deed: str, fields: Mapping[str, str], **asked: str) -> httpx.Response:
        """The answer to the form of an editor, sent by one of its buttons."""
        where = path + "/draft" if deed.partition(" ")[0] in DRAFT else path
        return self.send(where, {**fields, "do": deed}, **asked)

    def made(self, name: str = "Desk", like: str = "") -> str:
        """Path of the editor of a new dashboard: an empty one, or a copy."""
        form = self.form("/admin/dashboards/new", **({"like": like} if like else {}))
        answer = self.post("/admin/dashboards/new", "save", {**form, "name": name})
        assert answer.status_code == 303, answer.text[:5_000]
        return urlsplit(answer.headers["location"]).path

    def row(self, query: str, path: str) -> dict[str, Any]:
        """What is stored of the thing of an editor."""
        found = self.api.get(f"/api/v1/query/{query}", params={"id": path.rpartition("/")[2]}).json()["rows"]
        return dict(found[0])


@pytest.fixture(scope="module")
def admin(instance: Instance) -> Iterator[Admin]:
    """One for all of these."""
    token = instance.token("admin", COMPANY, "--subject", "ada")
    with signed_in(instance, token) as pages, instance.client("admin", COMPANY) as api:
        yield Admin(pages, api)


def test_a_copy_is_changed_looked_at_saved_shared_and_undone(admin: Admin) -> None:
    path = admin.made(like="trading")
    assert admin.row("dashboards", path)["sharing"] == {"audience": "private", "users": []}
    form = admin.form(path)
    moved = admin.post(path, "tile right pnl", form)
    assert moved.status_code == 200
    assert {"pnl", "win_rate"} <= Shown(moved.text).states.keys()  # the preview, by the renderer of all
    draft = {**Form(moved.text).fields, "sharing.audience": "company"}
    looked = admin.post(path, "check", draft)
    assert "What would change" in looked.text
    assert "Sharing › Audience" in looked.text
    assert admin.row("dashboards", path)["version"] == 1
    assert admin.post(path, "save", draft).status_code == 303
    after = admin.row("dashboards", path)
    assert (after["sharing"]["audience"], next(t["layout"]["x"] for t in after["tiles"] if t["id"] == "pnl")) == (
        "company",
        1,
    )
    page = admin.get(path).text
    assert "Undo the last change" in page
    assert "ada (admin)" in page
    undone = admin.post(path, f"version {after['version'] - 1}", admin.form(path))
    assert undone.status_code == 303, undone.text
    again = admin.row("dashboards", path)
    assert again["version"] > after["version"]
    assert admin.post(path, "archive", admin.form(path)).status_code == 303
    assert admin.post(path, "restore", admin.form(path)).status_code == 303
    assert admin.row("dashboards", path)["archived"] is False


def test_a_draft_is_a_read_and_commands_nothing(instance: Instance, admin: Admin) -> None:
    """Whichever button is said to have sent it; and a form that none has sent saves nothing."""
    path = admin.made()
    form = {**admin.form(path), "name": "Drafted"}
    for where, deed in ((path + "/draft", {"do": "save"}), (path + "/draft", {"do": "archive"}), (path, {})):
        shown = admin.send(where, {**form, **deed})
        assert (shown.status_code, Form(shown.text).fields["name"]) == (200, "Drafted")
    assert admin.row("dashboards", path)["version"] == 1
    deadline, actions = time.monotonic() + 60, list[str]()
    while len(actions) < 2 and time.monotonic() < deadline:
        rows = instance.answer("query", "audit_trail", "--company", COMPANY, "--param", "subject=ada")["rows"]
        actions = [row["action"] for row in rows if row["target"].startswith(path + "/draft")]
    assert actions == ["read", "read"]


def test_who_was_slower_sees_both_and_decides(admin: Admin) -> None:
    path = admin.made()
    mine = {**admin.form(path), "name": "Mine"}
    assert admin.post(path, "save", {**mine, "name": "Theirs"}).status_code == 303
    lost = admin.post(path, "save", {**mine, "key": "another-key"})
    assert lost.status_code == 412
    assert "Somebody was faster" in lost.text
    assert re.search(r"<td>Theirs</td><td>Mine</td>", lost.text)
    assert admin.row("dashboards", path)["name"] == "Theirs"
    assert admin.post(path, "save", Form(lost.text).fields).status_code == 303
    assert admin.row("dashboards", path)["name"] == "Mine"


def test_an_alert_rule_and_a_schedule_are_made_by_forms_of_their_commands(admin: Admin) -> None:
    fields = admin.form("/admin/alerts/new")
    fields |= {"name": "Losses", "trigger.watched.key": "total_pnl", "trigger.condition.compare": "below"}
    assert "trigger.condition.direction" not in fields
    other = Form(admin.post("/admin/alerts/new", "redraw", {**fields, "trigger.condition.kind": "change"}).text).fields
    assert {"trigger.condition.direction", "trigger.condition.over_seconds"} <= other.keys()
    with_channel = Form(admin.post("/admin/alerts/new", "add notification.channels", fields).text).fields
    assert with_channel["notification.channels.0.kind"] == "email"
    wrong = admin.post("/admin/alerts/new", "save", {**fields, "trigger.condition.value": "many"})
    assert wrong.status_code == 400
    assert "regex" not in wrong.text
    assert 'id="wrong-trigger.condition.value"' in wrong.text
    saved = admin.post("/admin/alerts/new", "save", {**fields, "trigger.condition.value": "-100"})
    assert saved.status_code == 303, saved.text
    path = urlsplit(saved.headers["location"]).path
    assert admin.row("alert_rules", path)["trigger"]["condition"] == {
        "kind": "threshold",
        "compare": "below",
        "value": "-100",
    }
    told = {**admin.form(path, command="silence"), "for_seconds": "3600", "reason": "maintenance"}
    assert admin.post(path, "save", told, command="silence").status_code == 303
    assert [each["reason"] for each in admin.row("alert_rules", path)["silences"]] == ["maintenance"]
    fields = {**admin.form("/admin/schedules/new"), "name": "Weekly", "report.kind": "executive"}
    drafted = {**fields, "timing.cron": "30 2 1 * *", "timing.time_zone": "Asia/Kolkata"}
    due = admin.post("/admin/schedules/new", "redraw", drafted).text.partition('id="due"')[2].partition("</div>")[0]
    assert "by the clock of Asia/Kolkata" in due
    assert [due.count(each) for each in ("<li>", "02:30 (GMT+05:30)", "21:00 UTC")] == [5, 5, 5]
    assert 'id="due"' not in admin.post("/admin/schedules/new", "redraw", {**drafted, "timing.cron": "soon"}).text
    saved = admin.post("/admin/schedules/new", "save", {**fields, "timing.cron": "0 7 * * mon"})
    assert saved.status_code == 303, saved.text
    path = urlsplit(saved.headers["location"]).path
    assert admin.row("report_schedules", path)["timing"]["cron"] == "0 7 * * mon"
    assert admin.post(path, "disable", admin.form(path)).status_code == 303
    assert admin.row("report_schedules", path)["enabled"] is False


def test_a_company_is_changed_part_by_part(admin: Admin) -> None:
    """Its tier by administrators of all companies alone."""
    form = admin.form("/admin/company/calendar")
    assert form["time_zone"] == "UTC"
    assert admin.post("/admin/company/calendar", "save", {**form, "time_zone": "Mars"}).status_code == 400
    assert admin.post("/admin/company/calendar", "save", {**form, "time_zone": "Asia/Tokyo"}).status_code == 303
    form = admin.form("/admin/company/retention")
    assert (
        admin.post(
            "/admin/company/retention", "save", {**form, "days.key.0": "user-behavior", "days.value.0": "90"}
        ).status_code
        == 303
    )
    (found,) = admin.api.get("/api/v1/query/company_profile").json()["rows"]
    assert (found["calendar"]["time_zone"], found["retention"]) == ("Asia/Tokyo", {"days": {"user-behavior": 90}})
    page = admin.get("/admin/company/tier")
    assert "administrators of all companies" in page.text
    assert admin.post("/admin/company/tier", "save", {**Form(page.text).fields, "tier": "FREE"}).status_code == 403


def test_names_that_mean_harm_are_text_in_every_field(admin: Admin) -> None:
    for name in HOSTILE:
        path = admin.made(name)
        assert admin.form(path)["name"] == name
    for where in (path, "/admin/dashboards", "/admin"):
        page = admin.get(where)
        assert page.status_code == 200
        assert "<img" not in page.text
        assert page.text.count("<script") <= 5


@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [
        ("planets", {}, 404), ("planets/x", {}, 404), ("company/soul", {}, 404), ("alerts/x", {}, 404),
        ("dashboards/00000000-0000-0000-0000-000000000001", {}, 404), ("dashboards/new", {"like": "x"}, 404),
        ("company", {"planet": "mars"}, 400),
    ],
)  # fmt: skip
def test_what_there_is_not_says_so_as_a_page(admin: Admin, path: str, asked: dict[str, str], status: int) -> None:
    answer = admin.get(f"/admin/{path}", **asked)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8"), answer.text


@pytest.fixture(scope="module")
def board(admin: Admin) -> str:
    """Path of the editor of a dashboard that nobody else may see."""
    return admin.made("Closed")


@pytest.mark.parametrize("role", ["viewer", "analyst", "auditor", "engineer", "service", "admin"])
def test_nobody_else_sees_or_changes_anything(instance: Instance, admin: Admin, board: str, role: str) -> None:
    """Neither by another role, nor as an admin of another company."""
    path = board
    token = instance.token("admin", OTHER) if role == "admin" else instance.token(role, COMPANY)
    with signed_in(instance, token) as client:
        for where in ("/admin", "/admin/dashboards", "/admin/company/profile", path):
            assert client.get(where, params={"company": COMPANY}).status_code == 403, where
            if where != "/admin" and where != "/admin/dashboards":
                assert client.post(where, params={"company": COMPANY}, data={"do": "save"}).status_code == 403
        if role == "admin":
            assert client.get(path, params={"company": OTHER}).status_code == 404
            assert client.post(path, params={"company": OTHER}, data={"do": "archive"}).status_code == 404
        assert client.post("/tiles", params={"company": COMPANY}, data={"tile": "{}"}).status_code == 403
    assert admin.row("dashboards", path)["version"] == 1


def test_a_question_is_saved_to_a_dashboard(instance: Instance, admin: Admin) -> None:
    """To a new one, and below what another has; who may not is told who may."""
    asked = {"company": COMPANY, "steps": ["page_view", "click"]}
    page = admin.get("/users/funnel", **asked).text
    tile = json.loads(re.findall(r'name="tile" value="([^"]*)"', page)[0].replace("&#34;", '"'))
    assert tile["params"] == {"steps": "page_view,click"}
    form = {"tile": json.dumps(tile), "title": "Our funnel", "key": "k1", "dashboard": "", "name": "Growth"}
    saved = admin.send("/tiles", form)
    assert saved.status_code == 303, saved.text
    path = urlsplit(saved.headers["location"]).path
    again = admin.send("/tiles", {**form, "key": "k2", "dashboard": path.rpartition("/")[2]})
    assert again.status_code == 303, again.text
    stored = admin.row("dashboards", path)
    assert (stored["name"], [each["title"] for each in stored["tiles"]]) == ("Growth", ["Our funnel"] * 2)
    assert admin.send("/tiles", {**form, "tile": "{"}).status_code == 400
    with signed_in(instance, instance.token("analyst", COMPANY)) as analyst:
        assert "An admin can save this" in analyst.get("/users/funnel", params=asked).text


def test_what_a_tier_closes_says_so(instance: Instance) -> None:
    token = instance.signed("poor", OTHER, roles=[Role.ADMIN], tier=Tier.BASIC)
    with signed_in(instance, token) as client:
        assert "needs a tier with alerts" in client.get("/admin/alerts").text
        assert "needs a tier with branding" in client.get("/admin/company/branding").text
