"""Probability that the true Sharpe ratio is above a benchmark, given length, skew and tails of the series.

Bailey & López de Prado, "The Sharpe ratio efficient frontier" (2012):
Φ((SR − SR*) × √(n−1) / √(1 − γ₃·SR + (γ₄−1)/4·SR²)), SR and SR* per period, γ₃ the sample skew, γ₄ = excess kurtosis
+ 3 (quantstats puts the excess in γ₄'s place). `benchmark` is a yearly Sharpe ratio, 0 by default.
Null: no_data, too_few (n < 4, or so few that the estimated variance of SR is not positive), no_dispersion.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from domain.metrics.trading.kurtosis import kurtosis
from domain.metrics.trading.returns import Returns, on_returns
from domain.metrics.trading.sharpe_ratio import sharpe_ratio
from domain.metrics.trading.skew import skew
from domain.metrics.value import Reason, Stat, has_value


@on_returns(least=4)
def probabilistic_sharpe(returns: Returns, annual: int, benchmark: float = 0.0) -> Stat:
    """P(true Sharpe > benchmark)."""
    sharpe, third, excess = sharpe_ratio(returns, 1), skew(returns), kurtosis(returns)
    if not has_value(sharpe):
        return sharpe
    if not has_value(third):
        return third
    if not has_value(excess):
        return excess
    variance = 1 - third * sharpe + (excess + 2) / 4 * sharpe * sharpe
    if variance <= 0:
        return Reason.TOO_FEW
    return NormalDist().cdf((sharpe - benchmark / math.sqrt(annual)) * math.sqrt((returns.size - 1) / variance))
