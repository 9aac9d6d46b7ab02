"""Sharpe ratio: mean(r − rf_p) / sd(r) × √A, sd with ddof 1, rf_p = (1 + rf)^(1/A) − 1 (Sharpe 1994).

`risk_free` is a yearly rate, 0 by default. Null: no_data, too_few (n < 2), no_dispersion (all equal, or
sd ≤ 10⁻¹²×|mean|). Confirmed by empyrical, quantstats, ffn.
"""

from __future__ import annotations

import math

from domain.metrics.trading.returns import Returns, deviation, on_returns, per_day, per_spread
from domain.metrics.value import Stat, has_value


@on_returns(least=2)
def sharpe_ratio(returns: Returns, annual: int, risk_free: float = 0.0) -> Stat:
    """Mean excess / sd × √A."""
    excess = returns - per_day(risk_free, annual)
    ratio = per_spread(float(excess.mean()), deviation(excess))
    return ratio * math.sqrt(annual) if has_value(ratio) else ratio
