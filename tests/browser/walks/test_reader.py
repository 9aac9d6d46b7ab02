"""Somebody takes a dashboard along as a report: by keys alone, on a phone, to its file and its proof."""

from __future__ import annotations

import pytest

from tests.browser.chromium import Page
from tests.browser.test_pages import PERIOD, pytestmark  # noqa: F401 (the marks of a browser)
from tests.browser.walks.walk import Walk
from tests.support.instance import Instance
from tests.support.two_months import COMPANY

FETCHED = """
    window.fetched = null;
    fetch(document.querySelector('#download').href).then((answer) => answer.json()).then((each) => (fetched = each));
"""


@pytest.mark.ci
def test_a_dashboard_is_taken_along_as_a_report(filled: Instance, tab: Page) -> None:
    """The link fills the form in; the page waits for the report by itself."""
    walk = Walk(filled, tab, COMPANY, "viewer")
    walk.begin(f"/dashboards/users?company={COMPANY}&{PERIOD}")
    tab.screen(390)
    tab.until_true("document.querySelector('#as-report') !== null")
    tab.press_at("#as-report", "Enter")
    tab.until("h1", "Reports")
    assert tab.script("document.querySelector('[name=of]').selectedOptions[0].text") == "Dashboard Users"
    tab.press_at("[name=format]", "J")
    tab.press_at("#new [name=title]", *"Mine", "Enter")
    tab.until("h1", "Mine")
    tab.until("[data-report]", "Ready")
    assert tab.script("document.documentElement.scrollWidth") <= 390
    tab.script(FETCHED)
    tab.until_true("window.fetched !== null")
    assert tab.script("[fetched.title, fetched.kind]") == ["Mine", "custom"]
    assert "analytics report verify" in tab.text("#proof")
    tab.press("g", "r")
    tab.until("#reports", "Mine")
    walk.end()
