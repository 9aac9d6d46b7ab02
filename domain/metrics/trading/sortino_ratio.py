"""Sortino ratio: mean(r − rf_p) / downside deviation × √A.

Downside deviation = √(Σ min(r − rf_p, 0)² / n) over **all** n returns (Sortino & Price 1994), not the standard
deviation of the negative ones. Null: no_data, too_few (n < 2), no_downside. Confirmed by empyrical, quantstats, ffn.
"""

from __future__ import annotations

import math

import numpy as np

from domain.metrics.trading.returns import Returns, on_returns, per_day
from domain.metrics.value import Reason, Stat, ratio


@on_returns(least=2)
def sortino_ratio(returns: Returns, annual: int, risk_free: float = 0.0) -> Stat:
    """Mean excess / downside deviation × √A."""
    excess = returns - per_day(risk_free, annual)
    downside = downside_deviation(excess)
    return ratio(float(excess.mean()) * math.sqrt(annual), downside, Reason.NO_DOWNSIDE)


def downside_deviation(excess: Returns) -> float:
    """√(Σ min(x, 0)² / n)."""
    return math.sqrt(float(np.square(np.minimum(excess, 0)).mean()))
