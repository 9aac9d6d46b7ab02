"""What is true of every page: it fits every screen, nothing jumps or complains, a keyboard is enough, no barriers."""

from __future__ import annotations

import os
import re
from itertools import product
from pathlib import Path

import pytest

from domain.access.rights import Role
from tests.browser.chromium import Page
from tests.browser.test_pages import PERIOD, complaints, link, pytestmark
from tests.support.instance import Instance, trade
from tests.support.two_months import COMPANY

__all__ = ["pytestmark"]  # without Chromium these are left out as well

AXE = Path(".venv/axe/node_modules/axe-core/axe.min.js")
DASHBOARDS = tuple(
    f"/dashboards/{name}?company={COMPANY}&{PERIOD}" for name in ("executive", "trading", "users", "system")
)
PAGES = (
    *DASHBOARDS,
    f"/dashboards/executive?company={COMPANY}&{PERIOD}&panel=mrr",
    f"/dashboards/person?company={COMPANY}&user_id=u1&{PERIOD}",
    f"/users/funnel?company={COMPANY}",
    f"/metric/win_rate?company={COMPANY}",
    f"/metric/total_pnl/events?company={COMPANY}",
    f"/pipeline?company={COMPANY}",
    f"/reports?company={COMPANY}",
    f"/users/paths?company={COMPANY}",
    f"/users/retention?company={COMPANY}",
    *(f"/audit{page}?company={COMPANY}" for page in ("", "/trail", "/verification", "/replay")),
    *(f"/engine{page}?company={COMPANY}" for page in ("", "/projections/trading", "/quarantine")),
    *(f"/admin{page}?company={COMPANY}" for page in ("", "/dashboards", "/alerts", "/schedules", "/company")),
    *(f"/admin/{section}/new?company={COMPANY}" for section in ("alerts", "schedules")),
    f"/admin/dashboards/new?company={COMPANY}&like=users",
)
DRAWN = (
    "document.readyState === 'complete' && (document.querySelector('#live')?.dataset.state ?? 'live') === 'live' &&"
    " [...document.querySelectorAll('.chart')].every((c) => !c.checkVisibility() || c.querySelector('svg, canvas'))"
)
STATUS = "performance.getEntriesByType('navigation')[0].responseStatus"
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
SERIOUS = ("serious", "critical")
LOOK = """
    window.barriers = null;
    axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => {
        barriers = violations.map(({ id, impact, nodes }) => [id, impact, ...nodes.slice(0, 3).map((n) => n.html)]);
    });
"""


@pytest.fixture
def signed(filled: Instance, tab: Page) -> Page:
    """A tab in which somebody is signed in who may see every page of the company."""
    token = filled.signed("everybody", COMPANY, roles=[Role.ADMIN, Role.AUDITOR, Role.ENGINEER])
    tab.open(f"{filled.addresses['pages']}/metric/win_rate?company={COMPANY}#token={token}&company={COMPANY}")
    tab.until(".who", "everybody")
    return tab


def opened(filled: Instance, tab: Page, path: str, width: int = 1280, theme: str = "light") -> None:
    """The page with all that it draws."""
    tab.screen(width, 9_000, theme)
    tab.open(filled.addresses["pages"] + path)
    tab.until_true(DRAWN)
    assert tab.script(STATUS) == 200, path  # a refusal has no barriers either


def fits(tab: Page, path: str) -> None:
    """The page that is open, on screens of every size and in both themes: nothing scrolls sideways."""
    for width, theme in product(WIDTHS, ("light", "dark")):
        tab.screen(width, 9_000, theme)
        assert tab.script("document.documentElement.scrollWidth") <= width, (path, width, theme)


@pytest.mark.ci
def test_every_page_fits_every_screen_and_nothing_jumps(filled: Instance, signed: Page) -> None:
    """Opened on a phone, then turned into larger screens: no scrolling sideways, no shift, no message.

    A minute, so this runs in CI.
    """
    with signed.first_runs(SHIFTS):
        for path in PAGES:
            opened(filled, signed, path, 390)
            assert signed.script("shifted") == 0, path
            assert 0 < signed.script(SCRIPT_BYTES) <= MOST_SCRIPT, path
            fits(signed, path)
    assert complaints(signed) == []


GERMAN = re.compile(r"-?\d{1,3}(\.\d{3})*(,\d+)?( %| ms|/s)?")  # 1.234,50
GERMAN_DAY = re.compile(r"\d\d\.\d\d\.\d{4}(, \d\d:\d\d:\d\d)?")
WRITTEN = """
    [...document.querySelectorAll('.figure a[data-value], .tile td[data-value], .tile th[data-value]')].map((each) => {
        const head = each.closest('table')?.tHead.rows[0].cells[each.cellIndex];
        return [(head ?? each).dataset.kind, each.dataset.value, each.textContent];
    })
"""
ANEW = """
    window.tables = [...document.querySelectorAll('.tile:not([data-refreshed]) table')];
    window.shown = () => tables.map((table) => [...table.querySelectorAll('tbody > tr > *')].map((c) => c.textContent));
    window.before = shown();
    tables.forEach((table) => table.querySelectorAll('tbody > tr > *').forEach((each) => (each.dataset.value = '?')));
    [1, 2, 3].forEach(() => tables.forEach((table) => table.querySelector('thead .sort')?.click()));
"""


@pytest.mark.ci
@pytest.mark.parametrize("language", ["de-DE", "en-US"])
def test_numbers_and_times_are_written_as_their_reader_does(filled: Instance, signed: Page, language: str) -> None:
    """Every figure and cell of the dashboards, and what scripts write into tables is what the server wrote.

    Half a minute each, so this runs in CI.
    """
    signed.language(f"{language},{language[:2]};q=0.9")
    counted = {"money": 0, "day": 0, "moment": 0, "fraction": 0}
    for path in DASHBOARDS:
        opened(filled, signed, path, 390)
        assert signed.script("document.documentElement.dataset.locale") == language
        for kind, value, text in signed.script(WRITTEN):
            if language == "de-DE" and value and kind in counted:
                counted[kind] += 1
                form = GERMAN_DAY if kind in ("day", "moment") else GERMAN
                assert form.fullmatch(text.replace("\xa0", " ")), (path, kind, value, text)
        signed.script(ANEW)
        assert signed.script("shown()") == signed.script("before"), path
        assert signed.script("document.documentElement.scrollWidth") <= 390, path
    assert language != "de-DE" or all(counted.values())
    assert complaints(signed) == []


@pytest.mark.ci
@pytest.mark.skipif(
    not AXE.exists() and "axe" not in os.environ.get("ANALYTICS_TEST_REQUIRE", "").split(","),
    reason="no axe-core: make check fetches it with npm",
)
def test_no_page_has_barriers(filled: Instance, signed: Page) -> None:
    """axe-core, both themes, every page: two minutes, so this runs in CI after `make test`."""
    axe = AXE.read_text()
    for path in PAGES:
        for theme in ("light", "dark"):
            opened(filled, signed, path, 1280, theme)
            signed.script(axe)
            signed.script(LOOK)
            signed.until_true("window.barriers !== null")
            found = signed.script("barriers")
            assert [each for each in found if each[1] in SERIOUS] == [], (path, theme)


REACHABLE = "a[href], button, input, select, summary, [tabindex='0']"
SKIPPED = "[tabindex='-1'], :disabled, [type=hidden], dialog *, [type=radio]:not(:checked)"
WALK = f"""
    window.left = [...document.querySelectorAll(`{REACHABLE}`)];
    left = left.filter((each) => !each.matches(`{SKIPPED}`) && each.checkVisibility());
    window.unseen = [];
    document.addEventListener('focusin', ({{ target }}) => {{
        left = left.filter((each) => each !== target);
        const style = getComputedStyle(target);
        if (!target.matches('.tab') && style.outlineStyle === 'none') unseen.push(target.outerHTML.slice(0, 100));
    }});
    document.activeElement?.blur();
    left.length;
"""


NEVER = "left.filter((each) => each.isConnected)"  # what new figures have replaced meanwhile cannot be reached


@pytest.mark.ci
def test_every_page_can_be_walked_by_keyboard(filled: Instance, signed: Page) -> None:
    """Tab reaches all that can be pressed, and what has the focus shows it; a minute, so this runs in CI."""
    for path in PAGES:
        opened(filled, signed, path)
        steps = signed.script(WALK)
        for _ in range(2 * steps + 20):  # what scrolls is stopped at as well
            signed.press("Tab")
            if signed.script(f"{NEVER}.length") == 0:
                break
        assert signed.script(f"{NEVER}.map((each) => each.outerHTML.slice(0, 120))") == [], path
        assert signed.script("unseen") == [], path


@pytest.mark.ci
@pytest.mark.parametrize("events", [0, 1, 10_000])
def test_pages_of_companies_with_nothing_one_event_and_very_many(instance: Instance, tab: Page, events: int) -> None:
    """To publish ten thousand trades takes a while: this runs in CI after `make test`."""
    company = f"sized{events}"
    if events:
        instance.take([trade(company, n, strategy=f"s{n % 700}", symbol=f"S{n % 50}") for n in range(events)])
    tab.screen(390, 9_000)
    tab.open(link(instance, company, "admin", f"/metric/win_rate?company={company}"))
    tab.until(".who", "admin-of")
    for name in ("executive", "trading", "users", "system"):
        opened(instance, tab, f"/dashboards/{name}?company={company}&{PERIOD}", 390)
        fits(tab, name)
        assert tab.script("document.querySelectorAll('.tile[data-state=failed]').length") == 0, name
        empty = tab.script("[...document.querySelectorAll('.words')].filter((each) => !each.innerText.trim()).length")
        assert empty == 0, name
    assert complaints(tab) == []
