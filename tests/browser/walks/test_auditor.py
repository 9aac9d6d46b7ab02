"""An auditor goes from a number to its event, and from that to its proof."""

from __future__ import annotations

import pytest

from tests.browser.chromium import Page
from tests.browser.test_pages import PERIOD, pytestmark  # noqa: F401 (the marks of a browser)
from tests.browser.walks.walk import Walk
from tests.support.instance import Instance
from tests.support.two_months import COMPANY

NARROW = "document.documentElement.scrollWidth <= 390"
PROOF = """
    const again = () => fetch(document.querySelector('#proof').href)
        .then((answer) => (answer.ok ? answer.json() : null))
        .then((proof) => (proof ? (window.proof = proof) : setTimeout(again, 500)));
    again();
"""


@pytest.mark.ci
def test_from_a_number_to_its_event_to_its_proof(filled: Instance, tab: Page) -> None:
    """On a phone."""
    tab.screen(390)
    walk = Walk(filled, tab, COMPANY, "auditor")
    walk.begin(f"/dashboards/trading?company={COMPANY}&{PERIOD}&panel=pnl")
    tab.until_true("document.querySelector('#panel [data-share]') !== null")
    share = tab.text("#panel [data-share]")
    event = tab.script("document.querySelector('#panel [data-share]').dataset.share")
    walk.press("#panel a[href^='/audit/events/']")
    tab.until("#became", "It counts.")
    tab.until("#envelope", event)
    tab.until("#changed", "trading")
    tab.until("#changed", f"total_pnl {share}")
    assert tab.script(NARROW) is True
    walk.end()
    tab.script(PROOF)  # again, until its block is sealed and signed
    tab.until_true("window.proof?.offset !== undefined")
    assert tab.script("decodeURIComponent(location.pathname).endsWith(`=${proof.offset}`)") is True
    walk.press("nav.sub a[href^='/audit/verification']")
    walk.press("main form button")
    tab.until("#verdict", "Verified")
    tab.until_true(NARROW)  # the page comes anew while it verifies
