"""Sessions of the pages: begun with a token, carried by a cookie that no script reads, ended here by signing out."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.support.instance import Instance

COMPANY, OTHER = "signco", "othersignco"
PAGE = "/metric/mrr"
DASHBOARD = "/dashboards/trading"
WITHIN = 30.0  # seconds until what was noted is folded


@pytest.fixture
def browser(instance: Instance) -> Iterator[httpx.Client]:
    """What a browser sends from a page of the instance, signed out; it follows nothing by itself."""
    where = instance.addresses["pages"]
    with httpx.Client(base_url=where, headers={"Origin": where}, timeout=120) as client:
        yield client


def sign_in(browser: httpx.Client, token: str, **form: str) -> httpx.Response:
    """The answer to the form."""
    return browser.post("/sign-in", data={"token": token, **form})


def test_a_token_is_exchanged_for_a_cookie_that_pages_take_and_the_api_does_not(
    instance: Instance, browser: httpx.Client
) -> None:
    token = instance.token("viewer", COMPANY)
    assert (refused := browser.get(PAGE)).status_code == 401
    assert "Sign in" in refused.text
    begun = sign_in(browser, token, next=PAGE)
    assert (begun.status_code, begun.headers["location"]) == (303, PAGE)
    (cookie,) = begun.headers.get_list("set-cookie")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert token not in cookie
    shown = browser.get(PAGE)
    assert (shown.status_code, shown.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert token not in shown.text
    assert browser.get(f"/api/v1/query/trades?company={COMPANY}").status_code == 401
    bearer = {"Authorization": f"Bearer {token}"}
    assert browser.get(PAGE, headers=bearer).status_code == 401  # either would be a guess
    browser.cookies.clear()
    assert browser.get(PAGE, headers=bearer).status_code == 401


def test_signing_out_ends_the_session_here_whoever_kept_the_cookie(instance: Instance, browser: httpx.Client) -> None:
    sign_in(browser, instance.token("viewer", COMPANY))
    kept = dict(browser.cookies)
    left = browser.post("/sign-out")
    assert left.status_code == 303
    assert "Max-Age=0" in left.headers["set-cookie"]
    browser.cookies.update(kept)
    assert browser.get(PAGE).status_code == 401
    assert live_answer(instance, browser, kept) == "error"


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://127.0.0.1:1"])
def test_no_page_of_others_signs_anybody_in_or_out(
    instance: Instance, browser: httpx.Client, origin: str | None
) -> None:
    sign_in(browser, instance.token("viewer", COMPANY))
    kept = dict(browser.cookies)
    headers = {} if origin is None else {"Origin": origin}
    with httpx.Client(base_url=browser.base_url, cookies=kept, timeout=120) as elsewhere:
        assert elsewhere.post("/sign-out", headers=headers).status_code == 403
        form = {"token": instance.token("viewer", OTHER)}
        assert elsewhere.post("/sign-in", data=form, headers=headers).status_code == 403
    assert browser.get(PAGE).status_code == 200
    assert live_answer(instance, browser, kept, origin or "") == "error"


def test_a_page_follows_live_figures_by_its_cookie(instance: Instance, browser: httpx.Client) -> None:
    sign_in(browser, instance.token("viewer", COMPANY))
    assert live_answer(instance, browser, dict(browser.cookies)) == "welcome"
    assert live_answer(instance, browser, {}) == "error"


def live_answer(instance: Instance, browser: httpx.Client, cookies: dict[str, str], origin: str | None = None) -> str:
    """The type of the first message to somebody who says nothing but that they have a session."""
    address = instance.addresses["read_api"].replace("http", "ws") + "/api/v1/live"
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}
    asked = None if origin == "" else Origin(origin or str(browser.headers["origin"]))
    with connect(address, additional_headers=headers, origin=asked) as socket:
        socket.send('{"type": "token"}')
        try:
            return str(json.loads(socket.recv(timeout=60))["type"])
        except ConnectionClosed:
            return "closed"


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:x", ""]
)
def test_a_form_goes_on_to_this_service_alone(instance: Instance, browser: httpx.Client, elsewhere: str) -> None:
    assert sign_in(browser, instance.token("viewer", COMPANY), next=elsewhere).headers["location"] == "/"


def test_a_bad_token_gets_the_way_in_with_the_reason(browser: httpx.Client) -> None:
    answer = sign_in(browser, "not.a.token")
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert 'role="alert"' in answer.text


def test_a_session_shows_its_own_companies_alone(instance: Instance, browser: httpx.Client) -> None:
    sign_in(browser, instance.token("viewer", COMPANY))
    refused = browser.get(DASHBOARD, params={"company": OTHER})
    assert refused.status_code == 403
    assert refused.headers["content-type"] == "text/html; charset=utf-8"
    assert browser.get("/metric/mrr", params={"company": OTHER}).status_code == 403


def test_a_new_sign_in_ends_the_session_before_it(instance: Instance, browser: httpx.Client) -> None:
    sign_in(browser, instance.token("viewer", COMPANY))
    before = dict(browser.cookies)
    sign_in(browser, instance.token("viewer", OTHER))
    with httpx.Client(base_url=browser.base_url, cookies=before, timeout=120) as old:
        assert old.get("/search.json").status_code == 401


def test_who_signs_in_reads_and_signs_out_is_on_record(instance: Instance, browser: httpx.Client) -> None:
    subject = "signed-on-record"
    sign_in(browser, instance.token("viewer", COMPANY, "--subject", subject))
    browser.get(PAGE)
    browser.post("/sign-out")
    asked = ("--company", COMPANY, "--param", f"subject={subject}")
    deadline = time.monotonic() + WITHIN
    while len(rows := instance.answer("query", "audit_trail", *asked)["rows"]) < 3 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert [(row["action"], row["target"], row["outcome"]) for row in rows] == [
        ("sign_in", "pages", "ok"),
        ("read", PAGE, "ok"),
        ("sign_out", "pages", "ok"),
    ]


@pytest.mark.parametrize("role", ["viewer", "analyst", "admin", "auditor", "engineer"])
def test_each_role_has_a_first_page(instance: Instance, browser: httpx.Client, role: str) -> None:
    sign_in(browser, instance.token(role, COMPANY))
    first = browser.get("/").headers["location"]
    assert first == f"{'/engine' if role == 'engineer' else '/dashboards/executive'}?company={COMPANY}"
