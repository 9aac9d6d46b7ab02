"""The page of each API in a real browser: it opens without a complaint, and what is sent from it is answered."""

from __future__ import annotations

from tests.browser.chromium import Page
from tests.browser.test_pages import pytestmark
from tests.support.instance import Instance, trade

__all__ = ["pytestmark"]  # without Chromium it is left out as well

READY = "document.readyState === 'complete' && location.pathname === '/api'"


def send(tab: Page, operation: str, token: str, **fields: str) -> None:
    """Paste a token, fill the fields of an operation in, and send it."""
    here = f"document.getElementById({operation!r})"
    tab.script(f"{here}.open = true; document.getElementById('token').value = {token!r}")
    for name, text in fields.items():
        tab.script(f"{here}.querySelector('form').elements[{name!r}].value = {text!r}")
    tab.script(f"{here}.querySelector('form button').click()")


def outcome(operation: str, part: str = "outcome") -> str:
    """Where the page says what became of an operation."""
    return f"[id='{operation}'] > .{part}"


def test_a_question_and_a_command_are_asked_from_the_pages_of_their_apis(instance: Instance, tab: Page) -> None:
    instance.take([trade("tryco", n) for n in range(3)])
    tab.screen(390)
    tab.open(f"{instance.addresses['read_api']}/api")
    tab.until_true(READY)
    tab.script("document.getElementById('find').value = 'trading_totals'")
    tab.script("document.getElementById('find').dispatchEvent(new Event('input'))")
    assert 0 < tab.script("document.querySelectorAll('.operation:not([hidden])').length") < 10
    asked = "get/api/v1/query/trading_totals"
    send(tab, asked, instance.token("viewer", "tryco"), by="symbol")
    tab.until(outcome(asked), "200 OK")
    tab.until(outcome(asked, "answer"), '"symbol": "AAPL"')
    tab.until(outcome(asked, "answer"), "trading_totals?by=symbol")
    assert "eyJ" not in tab.text(outcome(asked, "answer"))
    assert tab.script("document.documentElement.scrollWidth <= 390") is True
    assert tab.complaints == []
    tab.open(f"{instance.addresses['command_api']}/api")
    tab.until_true(READY)
    named = "post/api/v1/company/profile"
    body = '{"name": "Tried"}'
    tab.script(f"document.getElementById({named!r}).querySelector('textarea').value = {body!r}")
    send(tab, named, instance.token("admin", "tryco"), dry_run="true")
    tab.until(outcome(named), "200 OK")
    tab.until(outcome(named, "answer"), '"dry_run": true')
    assert tab.complaints == []
