"""`analytics up --demo`: killed while it loads, started again, stopped and started once more, it counts everything once."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter, defaultdict
from decimal import Decimal

import pytest
from trading.trading_signals_pb2 import TradingResult

from app.demo.companies import COMPANIES
from app.demo.sample import sample
from tests.support.instance import Instance

BEFORE_NOW = ("--param", "to=2026-11-23")  # the sample without what happened since


def recounted() -> tuple[dict[str, tuple[int, Decimal]], Counter[str]]:
    """Trades with their profit, and user events, by company, counted one by one."""
    trades: dict[str, tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal()))
    behaviour: Counter[str] = Counter()
    for event in sample():
        envelope = event.envelope
        if envelope.message_type == "trading_result":
            count, pnl = trades[envelope.company_id]
            trade = TradingResult.FromString(envelope.payload)
            trades[envelope.company_id] = count + 1, pnl + Decimal(str(trade.pnl))
        behaviour[envelope.company_id] += envelope.message_type == "user_event"
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


def wait_for(own: Instance, text: str, seconds: float = 60.0) -> None:
    """Return once the instance has printed it."""
    deadline = time.monotonic() + seconds
    while text not in own.log.read_text():
        assert time.monotonic() < deadline, own.log.read_text()
        time.sleep(0.05)


@pytest.mark.slow
def test_the_sample_is_loaded_once_whatever_happens(own_instance: Instance) -> None:
    """Killed in the middle, loaded again, started a second time: figures equal a recount, and it keeps moving."""
    own = own_instance
    own.launch("--demo")
    assert own.process is not None
    wait_for(own, "sample events")
    os.kill(own.process.pid, signal.SIGKILL)
    own.process.wait()

    own.start("--demo")
    assert "100%" in own.log.read_text()
    assert own.command("projections", "wait", "--timeout", "60").exit_code == 0
    expected = recounted()
    assert answered(own) == expected
    code, seconds = own.stop()
    assert (code, seconds < 5) == (0, True)

    own.start("--demo")
    assert "sample events" not in own.log.read_text()
    assert answered(own) == expected
    first = own.answer("query", "user_activity", "--company", "acme")["rows"][0]["events"]
    time.sleep(2)
    assert own.answer("query", "user_activity", "--company", "acme")["rows"][0]["events"] > first
