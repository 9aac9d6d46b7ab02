"""Time-weighted return of the whole series: W − 1, W = Π(1 + r), a fraction.

Null: no_data. Confirmed by empyrical, quantstats, backtesting.py.
"""

from __future__ import annotations

from domain.metrics.trading.returns import Returns, on_returns
from domain.metrics.value import Stat


@on_returns()
def cumulative_return(returns: Returns) -> Stat:
    """Π(1 + r) − 1."""
    return float((1 + returns).prod()) - 1
