"""Expected shortfall, 95 %, historical: mean of the returns at or below `var_95`; a return (negative = loss).

Null: no_data. Confirmed by empyrical, quantstats (method=historical).
"""

from __future__ import annotations

from domain.metrics.trading.returns import Returns, on_returns, quantile
from domain.metrics.value import Stat


@on_returns()
def cvar_95(returns: Returns) -> Stat:
    """Mean of r ≤ VaR."""
    tail = returns[returns <= quantile(returns, 0.05)]
    # the interpolation may round to just below the smallest return
    return float(tail.mean()) if tail.size else float(returns.min())
