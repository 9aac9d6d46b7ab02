"""Tail ratio: |95 % quantile| / |5 % quantile| of the returns, linear interpolation.

Null: no_data, zero_denominator. Confirmed by empyrical, quantstats.
"""

from __future__ import annotations

from domain.metrics.trading.returns import Returns, on_returns, quantile
from domain.metrics.value import Stat, ratio


@on_returns()
def tail_ratio(returns: Returns) -> Stat:
    """|q95| / |q05|."""
    return ratio(abs(quantile(returns, 0.95)), abs(quantile(returns, 0.05)))
