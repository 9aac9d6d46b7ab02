"""Tail ratio: |95 % quantile| / |5 % quantile| of the returns, linear interpolation.

Null: no_data, zero_denominator. Confirmed by empyrical, quantstats.
"""

from __future__ import annotations

import numpy as np

from domain.metrics.trading.returns import Returns, on_returns
from domain.metrics.value import Stat, ratio


@on_returns()
def tail_ratio(returns: Returns) -> Stat:
    """|q95| / |q05|."""
    low, high = np.quantile(returns, [0.05, 0.95])
    return ratio(abs(float(high)), abs(float(low)))
