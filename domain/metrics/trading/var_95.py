"""Value at risk, 95 %, historical: the 5 % quantile of the returns, linear interpolation; a return (negative = loss).

Null: no_data. Confirmed by numpy, pandas, empyrical, DuckDB quantile_cont.
"""

from __future__ import annotations

from domain.metrics.trading.returns import Returns, on_returns, quantile
from domain.metrics.value import Stat


@on_returns()
def var_95(returns: Returns) -> Stat:
    """5 % quantile."""
    return quantile(returns, 0.05)
