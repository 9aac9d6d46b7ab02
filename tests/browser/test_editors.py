"""Editors in a real browser: a funnel answers as it is built and is saved, a dashboard is changed by keyboard alone."""

from __future__ import annotations

import pytest

from tests.browser.chromium import Page
from tests.browser.test_pages import complaints, link, pytestmark  # noqa: F401 (the marks of a browser)
from tests.support.instance import Instance
from tests.support.two_months import happened

COMPANY = "editorco"  # of this file alone: what is saved here stays
TITLE = "Funnel: page_view → click"


@pytest.mark.ci
def test_a_funnel_answers_as_it_is_built_and_is_saved_to_a_dashboard_that_is_changed(
    instance: Instance, tab: Page
) -> None:
    """By keys: steps are added, the tile is saved, moved in the editor of its dashboard, and that is undone."""
    instance.take([line for line in happened(COMPANY) if line["message_type"] == "user_event"])
    tab.open(link(instance, COMPANY, "admin", f"/users/funnel?company={COMPANY}"))
    tab.until("h1", "Funnel")
    for step in ("page_view", "click"):
        tab.script(f"document.querySelector('.chips [value=\"steps add {step}\"]').focus()")
        tab.press("Enter")
        tab.until_true(f"location.search.includes('steps={step}')")
    tab.until("#tile-funnel h2", TITLE)
    tab.until_true("document.querySelector('.chart svg') !== null")
    tab.script("document.querySelector('.saving button').focus()")
    tab.press("Enter")
    tab.until("h1", TITLE)
    tab.until_true("location.pathname.startsWith('/dashboards/')")
    board = str(tab.script("location.pathname")).rpartition("/")[2]
    tab.open(f"{instance.addresses['pages']}/admin/dashboards/{board}?company={COMPANY}")
    tab.until_true("document.querySelector('[data-handle]') !== null && document.readyState === 'complete'")
    tab.script("document.querySelector('[data-handle]').focus()")
    tab.press("ArrowRight")
    tab.until_true("document.querySelector('#edit [name=\"tiles.0.layout.x\"]').value === '1'")
    assert tab.script("document.activeElement.matches('[data-handle]')") is True
    tab.script("document.getElementById('save').focus()")
    tab.press("Enter")
    tab.until("[role=status]", "Saved.")
    tab.script("document.querySelector('.history button').focus()")
    tab.press("Enter")
    tab.until_true("document.querySelector('#edit [name=\"tiles.0.layout.x\"]')?.value === '0'")
    tab.screen(390)
    assert tab.script("document.documentElement.scrollWidth") <= 390
    assert complaints(tab) == []
