"""An executive finds out why MRR moved: the month, its movements, what drove them, a customer, their payments."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.browser.chromium import Page
from tests.browser.test_pages import pytestmark  # noqa: F401 (the marks of a browser)
from tests.browser.walks.walk import Walk
from tests.support.instance import Instance
from tests.support.two_months import COMPANY

ALL = {"from": "2025-10-01", "to": "2025-12-01"}
MONTH = {"from": "2025-10-01", "to": "2025-11-01"}


@pytest.mark.ci
def test_an_executive_finds_why_mrr_moved(filled: Instance, tab: Page) -> None:
    """Six pages of a company of two months."""
    walk = Walk(filled, tab, COMPANY, "analyst")
    walk.begin(f"/dashboards/executive?company={COMPANY}&from={ALL['from']}&to={ALL['to']}")
    walk.live()
    (mrr,) = walk.answer("key_figure", key="mrr", **ALL)
    assert walk.figure("mrr") == mrr["value"]

    months = walk.same("movements", "mrr_movements", "month", "start_mrr", "new_mrr", "end_mrr", by="month", **ALL)
    moved = max(months, key=lambda row: abs(Decimal(row["end_mrr"]) - Decimal(row["start_mrr"])))
    walk.follow("movements", "month", moved["month"])
    walk.chosen(period="2025-10")
    (net_new,) = walk.answer("key_figure", key="net_new_mrr", **MONTH)
    assert walk.figure("net_new") == net_new["value"]
    assert Decimal(net_new["value"]) == Decimal(moved["end_mrr"]) - Decimal(moved["start_mrr"])

    (driven,) = walk.answer("drivers", metric="mrr", by="plan", **MONTH)
    effects = {row["segment"]: row["effect"] for row in walk.table("moved")}
    assert effects == {each["segment"]: each["effect"] for each in driven["finding"]["contributions"]}
    assert "MRR" in tab.text("#tile-findings") or tab.text("#tile-findings .words")

    movers = walk.same("movers", "customer_mrr", "customer_id", "start_mrr", "end_mrr", order="moved", **MONTH)
    assert sum(Decimal(row["end_mrr"]) - Decimal(row["start_mrr"]) for row in movers) == Decimal(net_new["value"])
    customer = movers[0]["customer_id"]
    walk.follow("movers", "customer_id", customer)
    tab.until("h1 code", customer)
    walk.chosen(customer_id=customer, period="2025-10")
    walk.same("subscriptions", "subscriptions", "subscription_id", "plan", customer_id=customer, **MONTH)
    (paid,) = walk.answer("key_figure", key="gross_revenue", customer_id=customer, **MONTH)
    assert walk.figure("paid") == paid["value"]

    walk.press("#tile-paid .figure a")
    tab.until("#panel .events", "Customer ID")
    events = tab.script("[...document.querySelectorAll('#panel .events tbody tr')].map((row) => row.innerText)")
    shares = [event.split("\t")[1] for event in events if "Kind succeeded" in event]  # others are beside them
    assert sum(Decimal(share.removesuffix(" USD").replace(",", "")) for share in shares) == Decimal(paid["value"]) > 0
    assert all(f"Customer ID {customer}" in event for event in events)
    walk.end()
