"""What is true of every page: it fits every screen, nothing jumps, nothing complains."""

from __future__ import annotations

import pytest

from tests.browser.chromium import Page
from tests.browser.test_pages import PERIOD, complaints, link, pytestmark
from tests.support.instance import Instance
from tests.support.two_months import COMPANY

__all__ = ["pytestmark"]  # without Chromium these are left out as well

DASHBOARDS = tuple(
    f"/dashboards/{name}?company={COMPANY}&{PERIOD}" for name in ("executive", "trading", "users", "system")
)
DRAWN = (
    "document.readyState === 'complete' && (document.querySelector('#live')?.dataset.state ?? 'live') === 'live' &&"
    " [...document.querySelectorAll('.chart')].every((c) => !c.checkVisibility() || c.querySelector('svg, canvas'))"
)
SHIFTS = """
    window.shifted = 0;
    const add = (list) => list.getEntries().forEach((each) => { if (!each.hadRecentInput) shifted += each.value; });
    new PerformanceObserver(add).observe({ type: 'layout-shift', buffered: true });
"""
SCRIPT_BYTES = """
    performance.getEntriesByType('resource').filter((each) => each.name.endsWith('.js'))
        .reduce((sum, each) => sum + each.encodedBodySize, 0)
"""
WIDTHS, MOST_SCRIPT = (390, 1280, 2560), 350 * 1024


@pytest.fixture
def signed(filled: Instance, tab: Page) -> Page:
    """A tab in which an admin of the company is signed in."""
    tab.open(link(filled, COMPANY, "admin", f"/metric/win_rate?company={COMPANY}"))
    tab.until(".who", "admin-of")
    return tab


def opened(filled: Instance, tab: Page, path: str, width: int = 1280, theme: str = "light") -> None:
    """The page with all that it draws."""
    tab.screen(width, 9_000, theme)
    tab.open(filled.addresses["pages"] + path)
    tab.until_true(DRAWN)


def test_every_dashboard_fits_every_screen_and_nothing_jumps(filled: Instance, signed: Page) -> None:
    """Opened on a phone, then turned into larger screens: no scrolling sideways, no shift, no message."""
    with signed.first_runs(SHIFTS):
        for path in DASHBOARDS:
            opened(filled, signed, path, 390)
            assert signed.script("shifted") == 0, path
            assert 0 < signed.script(SCRIPT_BYTES) <= MOST_SCRIPT, path
            for width, theme in zip(WIDTHS, ("light", "dark", "dark"), strict=True):
                signed.screen(width, 9_000, theme)
                assert signed.script("document.documentElement.scrollWidth") <= width, (path, width)
    assert complaints(signed) == []
