"""A trader finds the worst hour of a strategy, the trades of that hour, and what one of them cost."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.browser.chromium import Page
from tests.browser.test_pages import pytestmark  # noqa: F401 (the marks of a browser)
from tests.browser.walks.walk import Walk
from tests.support.instance import Instance
from tests.support.two_months import COMPANY

PERIOD = {"from": "2025-10-01", "to": "2025-12-01"}


@pytest.mark.ci
def test_a_trader_finds_the_worst_hour_of_a_strategy(filled: Instance, tab: Page) -> None:
    """Four pages of a company of two months."""
    walk = Walk(filled, tab, COMPANY, "analyst")
    walk.begin(f"/dashboards/trading?company={COMPANY}&from={PERIOD['from']}&to={PERIOD['to']}")
    walk.live()
    league = walk.same("strategies", "trading_league", "strategy", "total_pnl", by="strategy", **PERIOD)
    strategy = next(row["strategy"] for row in reversed(league) if row["strategy"])
    walk.follow("strategies", "strategy", strategy)
    walk.chosen(strategy=strategy)
    (pnl,) = walk.answer("key_figure", key="total_pnl", strategy=strategy, **PERIOD)
    assert walk.figure("pnl") == pnl["value"] == next(r["total_pnl"] for r in league if r["strategy"] == strategy)

    tab.script("document.querySelector('#tile-hours details').open = true")
    for _ in range(2):  # the worst first
        walk.press("#tile-hours th[data-name=total_pnl] button")
    worst = walk.table("hours")[0]
    hours = walk.answer("trading_time", strategy=strategy, **PERIOD)
    assert Decimal(worst["total_pnl"]) == min(Decimal(row["total_pnl"]) for row in hours)
    walk.follow("hours", "entry_hour", worst["entry_hour"])
    walk.chosen(strategy=strategy, entry_hour=worst["entry_hour"])
    tab.script(f"document.querySelector('.filters select[name=weekday]').value = {worst['weekday']!r}")
    tab.script("document.getElementById('controls').requestSubmit()")
    walk.chosen(weekday=worst["weekday"])

    hour = {"strategy": strategy, "entry_hour": worst["entry_hour"], "weekday": worst["weekday"], **PERIOD}
    trades = walk.same("blotter", "trades", "closed_at", "strategy", "pnl", order="newest", **hour)
    assert len(trades) == int(worst["total_trades"])
    assert sum(Decimal(row["pnl"]) for row in trades) == Decimal(worst["total_pnl"]) == Decimal(walk.figure("pnl"))

    walk.press("#tile-pnl .figure a")
    tab.until("#panel .events", "Symbol")
    shares = tab.script("[...document.querySelectorAll('#panel [data-share]')].map((cell) => cell.innerText)")
    assert sorted(map(Decimal, shares)) == sorted(Decimal(row["pnl"]) for row in trades)
    walk.end()


@pytest.mark.ci
def test_a_mark_of_a_chart_leads_to_what_it_stands_for(filled: Instance, tab: Page) -> None:
    """A click into the heat map is a look at that hour and weekday."""
    walk = Walk(filled, tab, COMPANY, "analyst")
    walk.begin(f"/dashboards/trading?company={COMPANY}&from={PERIOD['from']}&to={PERIOD['to']}")
    walk.live()
    tab.script("document.querySelector('#tile-hours').scrollIntoView()")
    tab.until_true("document.querySelector('#tile-hours .mark-rect path') !== null")
    tab.click("#tile-hours .mark-rect path")
    tab.until_true("['entry_hour', 'weekday'].every((name) => new URLSearchParams(location.search).has(name))")
    walk.live()
    asked = tab.script("Object.fromEntries(new URLSearchParams(location.search))")
    walk.same("blotter", "trades", "closed_at", "pnl", order="newest", **{**asked, "company": COMPANY})
    walk.end()
