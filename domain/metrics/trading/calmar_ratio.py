"""Calmar ratio: CAGR / |maximum drawdown|, both over the whole series.

Null: the reason of `cagr`, no_drawdown. Confirmed by empyrical, quantstats, backtesting.py.
"""

from __future__ import annotations

from domain.metrics.trading.cagr import cagr
from domain.metrics.trading.max_drawdown import max_drawdown
from domain.metrics.trading.returns import Returns, on_returns
from domain.metrics.value import Reason, Stat, has_value, ratio


@on_returns()
def calmar_ratio(returns: Returns, annual: int) -> Stat:
    """CAGR / |max drawdown|."""
    fall, grown = max_drawdown(returns), cagr(returns, annual)
    if not has_value(fall):
        return fall
    if not fall:
        return Reason.NO_DRAWDOWN
    return ratio(grown, -fall) if has_value(grown) else grown
