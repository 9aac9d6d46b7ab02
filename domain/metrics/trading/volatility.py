"""Annualised standard deviation of the returns: sd (ddof 1) × √A, a fraction. Exactly 0 where all are equal.

Null: no_data, too_few (n < 2). Confirmed by empyrical, quantstats.
"""

from __future__ import annotations

import math

from domain.metrics.trading.returns import Returns, deviation, on_returns
from domain.metrics.value import Stat


@on_returns(least=2)
def volatility(returns: Returns, annual: int) -> Stat:
    """sd × √A."""
    return deviation(returns) * math.sqrt(annual)
