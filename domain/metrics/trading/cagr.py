"""Compound annual growth: W^(A/n) − 1, W = Π(1 + r) over n returns, a fraction.

A year is A returns (empyrical, quantstats, the annualised return of backtesting.py), not 365.25 days. A total loss
(W = 0) is −1. Null: no_data, ruin (the equity fell below zero on the way), not_finite.
"""

from __future__ import annotations

import numpy as np

from domain.metrics.trading.returns import Returns, growth, on_returns
from domain.metrics.value import Reason, Stat


@on_returns()
def cagr(returns: Returns, annual: int) -> Stat:
    """W^(A/n) − 1."""
    grown = growth(returns)
    if float(grown.min()) < 0:
        return Reason.RUIN
    return float(np.power(grown[-1], annual / returns.size)) - 1
