"""An admin makes a dashboard, shares it with the company, and undoes that."""

from __future__ import annotations

import pytest

from tests.browser.chromium import Page
from tests.browser.test_pages import pytestmark  # noqa: F401 (the marks of a browser)
from tests.browser.walks.walk import Walk
from tests.support.instance import Instance, trade

COMPANY = "editorco"  # of this file alone: what is saved here stays
X = "tiles.0.layout.x"


def field(walk: Walk, name: str, value: str) -> None:
    """Write into a field of the editor."""
    walk.tab.until_true(f"!!document.querySelector('#edit')?.elements['{name}']")
    walk.tab.script(f"document.querySelector('#edit').elements['{name}'].value = '{value}'")


def saved(walk: Walk) -> None:
    """Press save, and see that it is: as another version."""
    version = "document.querySelector('#edit')?.elements.version.value"
    before = walk.tab.script(version)
    walk.tab.press_at("#save", "Enter")
    walk.tab.until_true(f"![undefined, '{before}'].includes({version})")
    walk.tab.until("#main", "Saved.")


@pytest.mark.ci
def test_an_admin_makes_a_dashboard_shares_it_and_undoes(instance: Instance, tab: Page) -> None:
    """By keys: a tile is added and moved, the company sees it with its figure, and then no more."""
    instance.take([trade(COMPANY, n) for n in range(3)])
    walk, viewer = Walk(instance, tab, COMPANY, "admin"), Walk(instance, tab, COMPANY, "viewer")
    walk.begin(f"/admin/dashboards/new?company={COMPANY}")
    field(walk, "name", "Trades")
    tab.press_at("#tile-add", "Enter")
    tab.press_at("[data-handle]", "ArrowRight")
    tab.until_true(f"document.querySelector('#edit').elements['{X}'].value === '1'")
    assert tab.script("document.activeElement.matches('[data-handle]')") is True
    saved(walk)
    tab.until_true("!location.pathname.endsWith('/new')")
    board = str(tab.script("location.pathname")).rpartition("/")[2]

    field(walk, "sharing.audience", "company")
    saved(walk)
    tab.sign_out()
    viewer.begin(f"/dashboards/{board}?company={COMPANY}")
    (trades,) = viewer.answer("key_figure", key="total_trades")
    assert viewer.figure("tile-1") == str(trades["value"])

    tab.sign_out()
    walk.begin(f"/admin/dashboards/{board}?company={COMPANY}")
    tab.until(".history button", "Undo the last change")
    tab.press_at(".history button", "Enter")
    tab.until_true("document.querySelector('#edit')?.elements['sharing.audience'].value === 'private'")
    assert tab.script(f"document.querySelector('#edit').elements['{X}'].value") == "1"
    tab.screen(390)
    assert tab.script("document.documentElement.scrollWidth") <= 390
    walk.end()
    tab.sign_out()
    tab.open(f"{instance.addresses['pages']}/dashboards/{board}?company={COMPANY}")
    viewer.begin(f"/dashboards/trading?company={COMPANY}")
    tab.open(f"{instance.addresses['pages']}/dashboards/{board}?company={COMPANY}")
    tab.until("h1", "Not")
