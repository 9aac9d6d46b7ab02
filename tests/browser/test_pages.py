"""Pages in a real browser: signing in, figures that move, keys, screens of every size, names that mean harm.

What takes a browser more than four seconds of processor is `ci`.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from tests.browser.chromium import PATIENCE, PROGRAM, Page
from tests.support.instance import Instance, trade
from tests.support.two_months import COMPANY as FULL

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        PROGRAM is None and "chromium" not in os.environ.get("ANALYTICS_TEST_REQUIRE", "").split(","),
        reason="no Chromium: on Debian, apt-get install chromium",
    ),
]

TRADES = "#tile-trades .figure"
PERIOD = "from=2025-10-01&to=2025-12-01"
PLACE = "location.pathname"


def link(instance: Instance, company: str, role: str = "viewer", path: str = "/") -> str:
    """A sign-in link, as `analytics up` prints it."""
    token = instance.token(role, company, "--subject", f"{role}-of-{company}")
    return f"{instance.addresses['pages']}{path}#token={token}&company={company}"


def trading(company: str) -> str:
    """The trading dashboard of the days that `trade` makes trades on."""
    return f"/dashboards/trading?company={company}&{PERIOD}"


def complaints(tab: Page) -> list[str]:
    """What the console says, but for the page that asks to sign in."""
    return [each for each in tab.complaints if "status of 401" not in each]


def test_a_link_signs_in_and_figures_move_without_a_reload(instance: Instance, tab: Page) -> None:
    """The token leaves the address, no script can read it, and nothing complains."""
    instance.take([trade("pageco", n, pnl=10.0) for n in range(3)])
    tab.open(link(instance, "pageco", path=trading("pageco")))
    tab.until(TRADES, "3")
    tab.until("#live", "Live")
    assert tab.script("location.hash + document.cookie + JSON.stringify(sessionStorage)").count("eyJ") == 0
    tab.script("window.notReloaded = true")
    instance.take([trade("pageco", n, pnl=10.0) for n in range(3, 8)])
    tab.until(TRADES, "8")
    tab.until("#tile-pnl .figure", "80")
    tab.until("#tile-blotter .scroll", "AAPL")
    tab.script("document.querySelector('#tile-distribution details').open = true")  # closed, it was left as it was
    tab.until_true("document.querySelectorAll('#tile-distribution tbody tr').length === 8")
    instance.take([trade("pageco", 8, pnl=-79.9998766)])  # less than a cent is left, and no zero
    tab.until("#tile-pnl .figure", "0.0001234")
    assert tab.script("window.notReloaded") is True
    assert complaints(tab) == []


def test_paused_figures_stay_and_go_on_where_they_are_by_then(instance: Instance, tab: Page) -> None:
    instance.take([trade("pauseco", n) for n in range(2)])
    tab.open(link(instance, "pauseco", path=trading("pauseco")))
    tab.until("#live", "Live")
    tab.until(TRADES, "2")
    tab.press(".")
    tab.until("#live", "Paused")
    instance.take([trade("pauseco", n) for n in range(2, 6)])
    assert "2" in tab.text(TRADES)
    tab.press(".")
    tab.until(TRADES, "6")


SOCKETS = """
    window.sockets = [];
    window.away = false; // whether the server takes no connections
    window.WebSocket = class extends WebSocket {
        constructor(...asked) {
            super(...asked);
            sockets.push(this);
            if (away) this.close();
        }
    };
"""


@pytest.mark.ci
def test_a_page_that_loses_its_connection_says_so_keeps_its_figures_and_goes_on(instance: Instance, tab: Page) -> None:
    instance.take([trade("lostco", n) for n in range(3)])
    with tab.first_runs(SOCKETS):
        tab.open(link(instance, "lostco", path=trading("lostco")))
        tab.until("#live", "Live")
        tab.until(TRADES, "3")
        tab.script("window.notReloaded = away = true; sockets.at(-1).close()")
        tab.until("#live", "Not live")
        tab.until("#badge", "Not live since")
        instance.take([trade("lostco", n) for n in range(3, 8)])
        assert "3" in tab.text(TRADES)
        tab.script("away = false")
        tab.until(TRADES, "8")
        tab.until("#live", "Live")
        tab.until("#badge", "omplete to")
    assert tab.script("notReloaded && sockets.length > 1") is True


@contextmanager
def busy(instance: Instance, company: str, token: str) -> Iterator[None]:
    """A tenant that asks as much as it can, from elsewhere."""
    done, asked = threading.Event(), f"{instance.addresses['read_api']}/api/v1/query/trades?company={company}"

    def ask() -> None:
        with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
            while not done.is_set():
                client.get(asked)

    with ThreadPoolExecutor(8) as pool:
        asking = [pool.submit(ask) for _ in range(8)]
        try:
            yield
        finally:
            done.set()
    assert [each.result() for each in asking] == [None] * 8


def test_what_is_refused_for_a_moment_keeps_the_figures_and_comes_by_itself(instance: Instance, tab: Page) -> None:
    """A panel that is refused says why, beside the figures; a page that is refused is shown as soon as it may be."""
    token = instance.token("viewer", "busyco", "--subject", "viewer-of-busyco", "--tier", "FREE")
    tab.open(f"{instance.addresses['pages']}/dashboards/trading#token={token}&company=busyco")
    tab.until("#live", "Live")
    with busy(instance, "busyco", token):
        tab.script("window.clicks = setInterval(() => document.querySelector('#tile-trades h2 a').click(), 300)")
        tab.until("#panel", "asks for more than")
        tab.script("clearInterval(clicks)")
        tab.until("#tile-trades", "Trades")
        deadline = time.monotonic() + PATIENCE
        while "comes by itself" not in tab.text("main"):
            assert time.monotonic() < deadline, "nothing is refused"
            tab.script("location.reload()")
            time.sleep(0.3)
    tab.until("#tile-trades", "Trades")
    tab.until("#live", "Live")


@pytest.mark.ci
def test_a_number_opens_the_events_behind_it_and_tables_are_sorted_by_their_heads(filled: Instance, tab: Page) -> None:
    tab.open(link(filled, FULL, "analyst", f"/dashboards/trading?company={FULL}&{PERIOD}&panel=pnl"))
    tab.until("#panel .events", "Symbol")
    tab.until("#panel", "events make")
    tab.until("#live", "Live")
    tab.script("document.querySelector('label[for=tab-symbols]').click()")
    tab.until("#tile-symbols", "SPX")
    assert tab.text("#tile-strategies") == ""
    head, cells = "#tile-blotter th[data-name=pnl]", "#tile-blotter td:nth-child(10)"
    values = f"[...document.querySelectorAll('{cells}')].map((cell) => Number(cell.dataset.value))"
    tab.script(f"document.querySelector('{head} button').click()")
    assert tab.script(f"{values}") == sorted(tab.script(values), reverse=True)
    assert tab.script(f"document.querySelector('{head}').ariaSort") == "descending"
    tab.script(f"document.querySelector('{head} button').click()")
    assert tab.script(f"{values}") == sorted(tab.script(values))
    assert complaints(tab) == []


@pytest.mark.ci
def test_the_slider_goes_back_to_the_end_of_a_day(instance: Instance, tab: Page) -> None:
    instance.take([trade("slideco", n) for n in range(3)])
    tab.open(link(instance, "slideco", "analyst", trading("slideco")))
    tab.until(".who", "analyst-of")
    tab.until("output", "now")
    tab.press_at("#slider", "ArrowLeft")
    tab.until_true("location.search.includes('as_of=')")
    tab.until("#badge", "As of")
    assert tab.script("new URLSearchParams(location.search).get('as_of')").endswith("T00:00")
    tab.script("document.querySelector('.status .button').click()")
    tab.until("#live", "Live")


@pytest.mark.ci
def test_a_link_asks_before_it_replaces_who_is_signed_in(instance: Instance, tab: Page) -> None:
    instance.take([trade("secondco", n) for n in range(6)])
    instance.take([trade("firstco", n) for n in range(4)])
    tab.open(link(instance, "firstco", path=trading("firstco")))
    tab.until(TRADES, "4")
    tab.open(link(instance, "secondco", path=trading("firstco")))
    tab.until("#other", "viewer-of-secondco")
    tab.until(TRADES, "4")  # whoever was signed in still is
    tab.script("document.getElementById('other-no').click()")
    assert tab.text("#other") == ""
    tab.open(link(instance, "secondco", path=trading("firstco")))
    tab.until("#other", "viewer-of-secondco")
    tab.script("document.querySelector('#other form').submit()")
    tab.until(TRADES, "6")
    tab.open(instance.addresses["pages"] + trading("firstco"))  # the other tenant is closed to who came now
    tab.until("h1", "Not allowed")


def test_a_bad_token_shows_why_and_no_figures(instance: Instance, tab: Page) -> None:
    tab.open(f"{instance.addresses['pages']}/#token=not.a.token&company=pageco")
    tab.until("[role=alert]", "token")
    assert tab.text(".tiles") == ""


def test_signing_out_takes_the_figures_away(instance: Instance, tab: Page) -> None:
    tab.open(link(instance, "leaveco"))
    tab.until(".who", "viewer-of-leaveco")
    tab.script("document.querySelector('.who button').click()")
    tab.until("h1", "Sign in")
    tab.open(instance.addresses["pages"] + trading("leaveco"))
    tab.until("h1", "Sign in")


@pytest.mark.ci
def test_pages_can_be_walked_by_keyboard_alone(instance: Instance, tab: Page) -> None:
    instance.take([trade("keysco", n) for n in range(3)])
    tab.open(link(instance, "keysco", path=f"/dashboards/executive?company=keysco&{PERIOD}"))
    tab.until("#live", "Live")
    tab.press("?")
    tab.until("#help", "Explain a number")
    tab.press("Escape")
    tab.press("/")
    tab.until("#search-found", "Monthly recurring revenue")
    tab.press(*"win rate")
    tab.until_true("document.querySelector('#search-found li').innerText.startsWith('Win rate')")
    tab.press("Enter")
    tab.until("h2", "Win rate")
    assert tab.script(PLACE) == "/metric/win_rate"
    tab.press("g", "t")
    tab.until("h1", "Trading")
    tab.until("#live", "Live")
    tab.press_at("#tile-win_rate .figure a", "Enter")
    tab.until("#panel", "winning trades / all trades")
    assert "analytics query key_figure" in tab.text("#panel")
    assert "panel=win_rate" in tab.script("location.search")
    tab.press("Escape")
    tab.until_true("document.getElementById('panel').hidden")
    assert tab.script("document.activeElement.dataset.panel") == "win_rate"
    assert complaints(tab) == []


@pytest.mark.ci
def test_the_picker_of_a_market_changes_its_tiles_alone_and_a_wheel_zooms(filled: Instance, tab: Page) -> None:
    tab.open(link(filled, FULL, path=f"/dashboards/trading?company={FULL}&{PERIOD}"))
    tab.until("#live", "Live")
    tab.script("window.notReloaded = true; document.querySelector('#tile-price').scrollIntoView()")
    for name, value in (("market", "SPX"), ("indicator", "bollinger")):
        field = f"document.querySelector('.picker').elements.{name}"
        tab.script(f"{field}.value = '{value}'; {field}.dispatchEvent(new Event('change', {{ bubbles: true }}))")
        tab.until_true(f"location.search.includes('{name}={value}')")
    tab.until("#tile-indicator figcaption", "Upper")
    tab.until_true("!!document.querySelector('#tile-price .chart svg')")
    labels = "document.querySelector('#tile-price .chart svg').textContent"
    before = tab.script(labels)
    tab.wheel("#tile-price .chart", -480)
    tab.until_true(f"{labels} !== {json.dumps(before)}")
    assert tab.script("notReloaded && document.querySelector('.picker').elements.market.value") == "SPX"
    tab.until("#live", "Live")
    assert complaints(tab) == []


def test_a_dashboard_can_be_read_without_scripts(filled: Instance, tab: Page) -> None:
    tab.open(link(filled, FULL))
    tab.until(".who", "viewer-of")
    tab.scripts(run=False)
    tab.open(f"{filled.addresses['pages']}/dashboards/trading?company={FULL}&{PERIOD}")
    tab.until("#tile-win_rate .figure", "%")
    tab.until("#tile-blotter", "AAPL")
    tab.until(".status", "Not live")
    tab.until("#tile-equity figcaption", "Equity by day")


HOSTILE = ("<img src=x onerror=document.title='harmed'>", "\u202eevil\u202c", "n" * 300, "🦊" * 20, "</script><script>")


def test_names_that_mean_harm_are_text(instance: Instance, tab: Page) -> None:
    instance.take([trade("hostileco", n, strategy=name) for n, name in enumerate(HOSTILE)])
    tab.screen(390)
    tab.open(link(instance, "hostileco", path=trading("hostileco")))
    tab.until("#live", "Live")
    tab.until("#tile-strategies", "<img src=x")
    assert "harmed" not in str(tab.script("document.title"))
    assert tab.script("document.querySelectorAll('.tile img').length") == 0
    for width in (390, 1280, 2560):
        tab.screen(width)
        assert tab.script("document.documentElement.scrollWidth") <= width
    assert complaints(tab) == []
