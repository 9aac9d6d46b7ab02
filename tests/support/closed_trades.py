"""A closed trade, of which a test names what matters to it."""

from __future__ import annotations

from typing import Any

from eventlog.publish.builders import trading_result
from eventlog.publish.event import Event

NOON = 1_760_000_000_000  # 2025-10-09T08:53:20Z


def closed_trade(**members: Any) -> Event:
    """One of acme's user u1: long, at no profit; `members` are put in the place of these."""
    usual: dict[str, Any] = {
        "company_id": "acme",
        "user_id": "u1",
        "trade_id": "t1",
        "account_id": "a1",
        "symbol": "AAPL",
        "side": "long",
        "quantity": 1,
        "entry_price": 100,
        "exit_price": 100,
        "closed_at": NOON,
    }
    return trading_result(**usual | members)
