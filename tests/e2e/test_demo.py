"""`analytics up --demo`: killed while it loads, stopped and started again, it counts everything once."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter, defaultdict
from decimal import Decimal

import pytest
from trading.trading_signals_pb2 import TradingResult

from app.demo.behaviour import behaviour_events
from app.demo.companies import COMPANIES
from app.demo.sample import EVENTS
from app.demo.trading import trading_events
from tests.architecture.sources import ROOT
from tests.support.instance import Instance

TUTORIAL = ROOT / "docs/tutorial/first-five-minutes.md"
UNTIL = "2026-11-23"  # when the sample that the tutorial tells of ends
BEFORE_NOW = ("--param", f"to={UNTIL}")  # the sample without what happened since


def recounted() -> tuple[dict[str, tuple[int, Decimal]], Counter[str]]:
    """Trades with their profit, and user events, by company, counted one by one."""
    trades: dict[str, tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal()))
    behaviour: Counter[str] = Counter()
    for company in COMPANIES:
        behaviour[company.company_id] = sum(1 for _ in behaviour_events(company))
        for envelope in (event.envelope for event in trading_events(company)):
            if envelope.message_type == "trading_result":
                count, pnl = trades[company.company_id]
                trade = TradingResult.FromString(envelope.payload)
                trades[company.company_id] = count + 1, pnl + Decimal(str(trade.pnl))
    return trades, behaviour


def answered(own: Instance) -> tuple[dict[str, tuple[int, Decimal]], Counter[str]]:
    """The same as the queries answer it."""
    trades, behaviour = {}, Counter[str]()
    for company in (company.company_id for company in COMPANIES):
        (total,) = own.answer("query", "trading_totals", "--company", company, *BEFORE_NOW)["rows"]
        trades[company] = total["total_trades"], Decimal(total["total_pnl"])
        (activity,) = own.answer("query", "user_activity", "--company", company, *BEFORE_NOW)["rows"]
        behaviour[company] = activity["events"]
    return trades, behaviour


def promised(own: Instance) -> list[str]:
    """The figures that the tutorial tells, as the queries answer them."""
    (total,) = own.answer("query", "trading_totals", "--company", "acme", *BEFORE_NOW)["rows"]
    october = ("--param", "by=month", "--param", "from=2026-10-01", "--param", "to=2026-11-01")
    (month,) = own.answer("query", "mrr_movements", "--company", "acme", *october)["rows"]
    lost, fees, recurring = (Decimal(text) for text in (total["total_pnl"], total["total_fees"], month["end_mrr"]))
    return [
        f"{total['total_trades']:,} trades",
        f"{-lost:,} dollars",
        f"{fees:,}",
        f"{recurring:,}",
        f"{EVENTS:,} events",
    ]


def wait_for(own: Instance, text: str, seconds: float = 60.0) -> None:
    """Return once the instance has printed it."""
    deadline = time.monotonic() + seconds
    while text not in own.log.read_text():
        assert time.monotonic() < deadline, own.log.read_text()
        time.sleep(0.05)


@pytest.mark.ci
def test_the_sample_is_loaded_once_whatever_happens(own_instance: Instance) -> None:
    """Killed in the middle, loaded again, started a second time: figures equal a recount, and it keeps moving.

    When it ends is settled by the first start. Three loads of the whole sample: a minute of both cores.
    """
    own = own_instance
    own.launch("--demo", ANALYTICS_DEMO_UNTIL=UNTIL)
    assert own.process is not None
    wait_for(own, "sample events")
    os.kill(own.process.pid, signal.SIGKILL)
    own.process.wait()

    own.start("--demo")  # it knows when the sample ends
    assert "100%" in own.log.read_text()
    assert own.command("projections", "wait", "--timeout", "60").exit_code == 0
    expected = recounted()
    assert answered(own) == expected
    assert [figure for figure in promised(own) if figure not in TUTORIAL.read_text()] == []
    code, seconds = own.stop()
    assert (code, seconds < 5) == (0, True)

    own.start("--demo")
    assert "sample events" not in own.log.read_text()
    assert answered(own) == expected
    first = own.answer("query", "user_activity", "--company", "acme")["rows"][0]["events"]
    time.sleep(2)
    assert own.answer("query", "user_activity", "--company", "acme")["rows"][0]["events"] > first
