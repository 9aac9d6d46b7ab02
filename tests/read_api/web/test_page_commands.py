"""Forms of pages are commands: taken for whoever is signed in, from our own pages alone, and on record."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.support.instance import Instance
from tests.support.pages import signed_in

COMPANY, OTHER = "formco", "otherformco"
WITHIN = 30.0  # seconds until what was noted is folded
BODY = json.dumps({"name": "Desk <b>", "sharing": {"audience": "company"}})


@pytest.fixture
def browser(instance: Instance) -> Iterator[httpx.Client]:
    """What a browser sends from a page of the instance in which an admin of the company is signed in."""
    with signed_in(instance, instance.token("admin", COMPANY, "--subject", "form-admin")) as client:
        yield client


def boards(instance: Instance, company: str = COMPANY, **params: str) -> list[dict[str, object]]:
    """The company's dashboards as an admin lists them."""
    with instance.client("admin", company) as api:
        found: list[dict[str, object]] = api.get("/api/v1/query/dashboards", params=params).json()["rows"]
    return found


def test_a_form_is_a_command_that_lists_show_at_once(instance: Instance, browser: httpx.Client) -> None:
    made = browser.post("/commands/dashboard.create", data={"body": BODY, "key": "k-1", "next": "/dashboards/system"})
    assert (made.status_code, made.headers["location"]) == (303, "/dashboards/system"), made.text
    assert browser.post("/commands/dashboard.create", data={"body": BODY, "key": "k-1"}).status_code == 303
    (board,) = boards(instance)  # a second press of the button does nothing
    assert board["name"] == "Desk <b>"
    page = {"Referer": f"{browser.base_url}/dashboards/system?company=formco"}
    stale = browser.post("/commands/dashboard.archive", data={"id": str(board["id"]), "version": "7"}, headers=page)
    assert (stale.status_code, stale.headers["content-type"]) == (412, "text/html; charset=utf-8")
    assert "version 7 was expected" in stale.text
    assert 'href="/dashboards/system?company=formco"' in stale.text  # back to where the form is
    gone = browser.post("/commands/dashboard.archive", data={"id": str(board["id"]), "version": "1"})
    assert gone.status_code == 303
    assert [row["archived"] for row in boards(instance)] == [True]
    asked = ("--company", COMPANY, "--param", "subject=form-admin", "--param", "action=command")
    target, deadline = f"commands/dashboard.archive: {board['id']}", time.monotonic() + WITHIN
    wanted, found = {(target, "refused"), (target, "ok")}, set[tuple[str, str]]()
    while not wanted <= found and time.monotonic() < deadline:
        found = {(row["target"], row["outcome"]) for row in instance.answer("query", "audit_trail", *asked)["rows"]}
    assert wanted <= found


@pytest.mark.parametrize("origin", ["null", "https://evil.example"])
def test_no_page_of_others_commands_anything(instance: Instance, browser: httpx.Client, origin: str) -> None:
    form = {"body": BODY}
    refused = browser.post("/commands/dashboard.create", data=form, headers={"Origin": origin})
    assert refused.status_code == 403
    bearer = {"Authorization": f"Bearer {instance.token('admin', COMPANY)}"}
    assert browser.post("/commands/dashboard.create", data=form, headers=bearer).status_code == 401


@pytest.mark.parametrize("role", ["viewer", "analyst", "auditor", "engineer", "service"])
def test_a_form_gives_nobody_more_than_their_role(instance: Instance, browser: httpx.Client, role: str) -> None:
    """And an admin nothing of another company."""
    theirs = browser.post("/commands/dashboard.create", data={"body": BODY, "company": OTHER})
    assert theirs.status_code == 403
    with signed_in(instance, instance.token(role, OTHER)) as own:
        assert own.post("/commands/dashboard.create", data={"body": "no JSON"}).status_code == 403
    assert boards(instance, OTHER) == []


@pytest.mark.parametrize(
    ("name", "form", "status"),
    [
        ("dashboard.create", {"body": "{"}, 400), ("dashboard.create", {"body": '{"name": 7}'}, 400),
        ("dashboard.vanish", {"id": ""}, 404),
        ("dashboard.archive", {"id": "x"}, 400), ("dashboard.archive", {"id": ""}, 400),
        ("dashboard.archive", {"id": "00000000-0000-0000-0000-000000000001", "version": "9" * 5_000}, 400),
        ("dashboard.create", {"body": BODY, "more": "1"}, 400), ("dashboard.create", {"body": BODY, "key": "\n"}, 400),
    ],
)  # fmt: skip
def test_a_form_that_means_nothing_says_so_as_a_page(
    browser: httpx.Client, name: str, form: dict[str, str], status: int
) -> None:
    answer = browser.post(f"/commands/{name}", data=form)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8"), answer.text


def test_a_body_that_is_no_form_is_refused(browser: httpx.Client) -> None:
    assert browser.post("/commands/dashboard.create", json={}).status_code == 415
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert browser.post("/commands/dashboard.create", content=b"body=%ff%fe", headers=kind).status_code == 400
