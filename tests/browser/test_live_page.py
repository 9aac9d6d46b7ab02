"""The live page in a real browser: figures move when events come in, and it says what is wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.browser.chromium import PROGRAM, Page, page
from tests.support.instance import Instance, trade

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        PROGRAM is None and "chromium" not in os.environ.get("ANALYTICS_TEST_REQUIRE", "").split(","),
        reason="no Chromium: on Debian, apt-get install chromium",
    ),
]

TRADES, BADGE = "#tile-trades [data-figure]", "#freshness"
LEFT = "closed before the connection is established"  # what a page complains about that another test left early


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """One browser for all tests of this file."""
    with page(tmp_path_factory.mktemp("browser") / "profile") as opened:
        yield opened


def link(instance: Instance, token: str, company: str) -> str:
    return f"{instance.addresses['pages']}/#token={token}&company={company}"


def test_figures_move_without_a_reload_and_nothing_complains(instance: Instance, tab: Page) -> None:
    instance.take([trade("pageco", n, pnl=10.0) for n in range(3)])
    tab.script("sessionStorage.clear()")
    tab.open(link(instance, instance.token("viewer", "pageco"), "pageco"))
    tab.until(TRADES, "3")
    tab.script("window.notReloaded = true")
    instance.take([trade("pageco", n, pnl=10.0) for n in range(3, 8)])
    tab.until(TRADES, "8")
    tab.until("#tile-pnl [data-figure]", "80")
    assert tab.script("window.notReloaded") is True
    assert tab.script("location.hash") == ""  # the token does not stay in the address
    assert [told for told in tab.complaints if LEFT not in told] == []


def test_a_link_asks_before_it_replaces_who_is_signed_in(instance: Instance, tab: Page) -> None:
    instance.take([trade("secondco", n) for n in range(6)])
    instance.take([trade("firstco", n) for n in range(4)])
    tab.script("sessionStorage.clear()")
    tab.open(link(instance, instance.token("viewer", "firstco"), "firstco"))
    tab.until(TRADES, "4")
    tab.open(link(instance, instance.token("viewer", "secondco"), "secondco"))
    tab.until("#replace", "another token")
    tab.until(TRADES, "4")  # whoever was signed in still is
    tab.script("document.getElementById('replace-no').click()")
    assert tab.text("#replace") == ""
    tab.open(link(instance, instance.token("viewer", "secondco"), "secondco"))
    tab.until("#replace", "another token")
    tab.script("document.getElementById('replace-yes').click()")
    tab.until(TRADES, "6")


def test_a_bad_token_shows_why_and_no_figures(instance: Instance, tab: Page) -> None:
    tab.script("sessionStorage.clear()")
    tab.open(link(instance, "not.a.token", "pageco"))
    tab.until("#sign-in-error", "token")
    assert tab.text("#figures") == ""
    assert tab.text("#sign-in").startswith("Sign in")


def test_signing_out_takes_the_figures_away(instance: Instance, tab: Page) -> None:
    instance.take([trade("leaveco", n) for n in range(4)])
    tab.script("sessionStorage.clear()")
    tab.open(link(instance, instance.token("viewer", "leaveco"), "leaveco"))
    tab.until(TRADES, "4")
    tab.script("document.getElementById('sign-out').click()")
    tab.until(BADGE, "signed out")
    assert tab.text("#figures") == ""
