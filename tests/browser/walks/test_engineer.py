"""An engineer rebuilds a projection, compares it with the live one, switches to it, and back."""

from __future__ import annotations

import pytest

from tests.browser.chromium import Page
from tests.browser.test_pages import pytestmark  # noqa: F401 (the marks of a browser)
from tests.browser.walks.walk import Walk
from tests.support.instance import Instance

COMPANY, PAID = "engineeredco", "29.5"


@pytest.mark.ci
def test_an_engineer_rebuilds_compares_switches_and_switches_back(instance: Instance, tab: Page) -> None:
    """On a phone; the page follows the rebuild by itself, and answers are the same from either version."""
    paid = {"customer_id": "c1", "invoice_id": "i1", "kind": "succeeded", "amount": PAID, "currency": "USD"}
    event = {"message_type": "payment", "event_id": COMPANY, "company_id": COMPANY, "timestamp": 1_760_000_000_000}
    instance.take([{**event, "payload": paid}])
    tab.screen(390)
    walk = Walk(instance, tab, COMPANY, "engineer")
    walk.begin("/engine/projections/payments")
    tab.until("#again", "made beside the live one")
    before = int(tab.script("document.querySelector('tr.here').dataset.version"))
    walk.press("#again form button")
    tab.until(".did", "is begun")
    tab.until_true("document.querySelector('section[id^=version-]') !== null")
    new = int(tab.script("document.querySelector('section[id^=version-]').id.split('-')[1]"))
    walk.press(f"#version-{new} a")
    tab.until("#compared", "The same")
    assert tab.script("document.documentElement.scrollWidth <= 390") is True
    reader = Walk(instance, tab, COMPANY, "viewer")
    for verb, version, words in (
        ("switch", new, "read from"),
        ("switch", before, "read from"),
        ("drop", new, "dropped"),
    ):
        field = f"document.querySelector('#version-{version} input[value={verb}]')"
        tab.until_true(f"{field} !== null")
        tab.script(f"{field}.form.confirm.value = 'payments@{version}'; {field}.form.reason.value = 'a rehearsal'")
        tab.script(f"{field}.form.requestSubmit()")
        tab.until(".did", words)
        assert float(reader.answer("payment_totals")[0]["amount"]) == float(PAID)
    assert int(tab.script("document.querySelector('tr.here').dataset.version")) == before
    walk.end()
