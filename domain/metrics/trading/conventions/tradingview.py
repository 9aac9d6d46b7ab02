"""TradingView's strategy report: Sharpe and Sortino of monthly returns, not annualised, risk-free 2 % a year.

(mean monthly return − rf/12) / deviation; the deviation of Sortino is √(Σ min(0, r)²/N). Its pages do not say which
standard deviation Sharpe uses; the population's (N) is taken, as in its downside deviation. A month that is not over
counts as it stands.
"""

from __future__ import annotations

import numpy as np

from domain.metrics.trading.periodic_returns import periodic_returns
from domain.metrics.trading.record import TradingRecord
from domain.metrics.trading.returns import Returns, flat, on_returns, per_spread
from domain.metrics.trading.sortino_ratio import downside_deviation
from domain.metrics.value import Reason, Stat, has_value

RISK_FREE_A_MONTH = 0.02 / 12


@on_returns(least=2)
def sharpe_ratio(monthly: Returns) -> Stat:
    """(mean − rf/12) / population deviation."""
    if flat(monthly):
        return Reason.NO_DISPERSION
    return per_spread(float(monthly.mean()) - RISK_FREE_A_MONTH, float(monthly.std()))


@on_returns(least=2)
def sortino_ratio(monthly: Returns) -> Stat:
    """(mean − rf/12) / downside deviation."""
    downside = downside_deviation(monthly)
    return (float(monthly.mean()) - RISK_FREE_A_MONTH) / downside if downside else Reason.NO_DOWNSIDE


def monthly_returns(record: TradingRecord) -> Returns | Reason:
    """The returns of the months of the series."""
    if isinstance(record.daily.returns, Reason):
        return record.daily.returns
    months = [value for value in periodic_returns(record.daily.returns, record.daily.days, "month").values()]
    return np.array([value if has_value(value) else np.inf for value in months], dtype=np.float64)


FORMS = {
    "sharpe_ratio": lambda record: sharpe_ratio(monthly_returns(record)),
    "sortino_ratio": lambda record: sortino_ratio(monthly_returns(record)),
}
