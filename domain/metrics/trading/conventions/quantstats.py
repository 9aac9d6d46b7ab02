"""quantstats: trade statistics on days in place of trades, Gaussian value at risk.

Its days with a return of zero are neither won nor lost and are left out of the win rate.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from domain.metrics.trading.kelly import fraction
from domain.metrics.trading.kurtosis import kurtosis
from domain.metrics.trading.max_drawdown import max_drawdown
from domain.metrics.trading.record import of_annual_returns, of_returns
from domain.metrics.trading.returns import Returns, deviation, on_returns, underwater
from domain.metrics.trading.sharpe_ratio import sharpe_ratio
from domain.metrics.trading.skew import skew
from domain.metrics.value import Reason, Stat, has_value, ratio


@on_returns()
def win_rate(returns: Returns) -> Stat:
    """Days above zero / days that are not zero."""
    return ratio(int(np.count_nonzero(returns > 0)), int(np.count_nonzero(returns)))


@on_returns()
def payoff_ratio(returns: Returns) -> Stat:
    """Mean of the days above zero / |mean of the days below|."""
    won, lost = returns[returns > 0], returns[returns < 0]
    if not won.size:
        return Reason.NO_WINS
    return ratio(float(won.mean()), -float(lost.mean())) if lost.size else Reason.NO_LOSSES


@on_returns()
def profit_factor(returns: Returns) -> Stat:
    """Sum of the days above zero / |sum of the days below|."""
    won, lost = float(np.maximum(returns, 0).sum()), -float(np.minimum(returns, 0).sum())
    return ratio(won, lost, Reason.NO_LOSSES)


@on_returns()
def kelly(returns: Returns) -> Stat:
    """W − (1 − W) / payoff, both of days."""
    return fraction(win_rate(returns), payoff_ratio(returns))


@on_returns(least=2)
def var_95(returns: Returns) -> Stat:
    """5 % quantile of the normal with the mean and the deviation of the returns."""
    spread = deviation(returns)
    return NormalDist(float(returns.mean()), spread).inv_cdf(0.05) if spread > 0 else Reason.NO_DISPERSION


@on_returns(least=2)
def cvar_95(returns: Returns) -> Stat:
    """Expected shortfall of that normal: mean − sd × φ(z)/0.05, z its 5 % quantile."""
    standard, spread = NormalDist(), deviation(returns)
    beyond = spread * standard.pdf(standard.inv_cdf(0.05)) / 0.05
    return float(returns.mean()) - beyond if beyond else Reason.NO_DISPERSION


@on_returns(least=2)
def ulcer_index(returns: Returns) -> Stat:
    """Divisor n − 1."""
    return math.sqrt(float(np.square(underwater(returns)[1:]).sum()) / (returns.size - 1))


@on_returns()
def recovery_factor(returns: Returns) -> Stat:
    """|Σr| / |max drawdown|: not compounded, without sign."""
    fall = max_drawdown(returns)
    return ratio(abs(float(returns.sum())), -fall, Reason.NO_DRAWDOWN) if has_value(fall) else fall


@on_returns(least=4)
def probabilistic_sharpe(returns: Returns, annual: int) -> Stat:
    """The excess kurtosis in the place of the kurtosis."""
    sharpe, third, excess = sharpe_ratio(returns, 1), skew(returns), kurtosis(returns)
    if not (has_value(sharpe) and has_value(third) and has_value(excess)):
        return Reason.NO_DISPERSION
    variance = 1 + sharpe * sharpe / 2 - third * sharpe + (excess - 3) / 4 * sharpe * sharpe
    if variance <= 0:
        return Reason.TOO_FEW
    return NormalDist().cdf(sharpe * math.sqrt((returns.size - 1) / variance))


FORMS = {
    "win_rate": of_returns(win_rate),
    "payoff_ratio": of_returns(payoff_ratio),
    "profit_factor": of_returns(profit_factor),
    "kelly": of_returns(kelly),
    "var_95": of_returns(var_95),
    "cvar_95": of_returns(cvar_95),
    "ulcer_index": of_returns(ulcer_index),
    "recovery_factor": of_returns(recovery_factor),
    "probabilistic_sharpe": of_annual_returns(probabilistic_sharpe),
}
