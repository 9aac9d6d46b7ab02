"""A growth lead builds a funnel that answers as it is built, and saves it to a dashboard."""

from __future__ import annotations

import pytest

from tests.browser.chromium import Page
from tests.browser.test_pages import pytestmark  # noqa: F401 (the marks of a browser)
from tests.browser.walks.walk import Walk
from tests.support.instance import Instance
from tests.support.two_months import happened

COMPANY = "funnelco"  # of this file alone: what is saved here stays
TITLE = "Funnel: page_view → click"
COLUMNS = ("step", "name", "users", "rate")


@pytest.mark.ci
def test_a_funnel_is_built_and_saved_to_a_dashboard(instance: Instance, tab: Page) -> None:
    """By keys alone; the dashboard shows the figures that the builder showed."""
    instance.take([line for line in happened(COMPANY) if line["message_type"] == "user_event"])
    walk = Walk(instance, tab, COMPANY, "admin")
    walk.begin(f"/users/funnel?company={COMPANY}")
    tab.until("h1", "Funnel")
    for step in ("page_view", "click"):
        tab.press_at(f'.chips [value="steps add {step}"]', "Enter")
        tab.until_true(f"location.search.includes('steps={step}')")
    tab.until("#tile-funnel h2", TITLE)
    tab.until_true("document.querySelector('.chart svg') !== null")
    built = walk.same("funnel", "funnel", *COLUMNS, steps="page_view,click")
    assert int(built[0]["users"]) >= int(built[1]["users"]) > 0
    tab.press_at(".saving button", "Enter")
    tab.until("h1", TITLE)
    tab.until_true("location.pathname.startsWith('/dashboards/')")
    assert walk.same(tab.script("document.querySelector('.tile').dataset.id"), "funnel", *COLUMNS,
                     steps="page_view,click") == built  # fmt: skip
    walk.end()
