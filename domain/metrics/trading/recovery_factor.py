"""How often the largest drawdown was earned: cumulative return / |maximum drawdown|; negative where money was lost.

Signed, unlike quantstats'. The form for accounts without equity divides money by money.
Null: no_data, no_drawdown.
"""

from __future__ import annotations

from domain.metrics.trading.cumulative_return import cumulative_return
from domain.metrics.trading.max_drawdown import max_drawdown
from domain.metrics.trading.max_drawdown_money import max_drawdown_money
from domain.metrics.trading.returns import Returns, on_returns
from domain.metrics.trading.whole import Whole, total
from domain.metrics.value import Reason, Stat, has_value, ratio


@on_returns()
def recovery_factor(returns: Returns) -> Stat:
    """Cumulative return / |max drawdown|."""
    earned, fall = cumulative_return(returns), max_drawdown(returns)
    if not has_value(earned):
        return earned
    return ratio(earned, -fall, Reason.NO_DRAWDOWN) if has_value(fall) else fall


def recovery_factor_money(pnl: Whole) -> Stat:
    """Total P&L / |max drawdown in money|, a plain number; both in trillionths."""
    return ratio(total(pnl), -max_drawdown_money(pnl), Reason.NO_DRAWDOWN if pnl.size else Reason.NO_DATA)
