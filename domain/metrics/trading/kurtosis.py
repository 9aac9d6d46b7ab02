"""Sample excess kurtosis of the returns: (n−1)/((n−2)(n−3)) × ((n+1)(m₄/m₂² − 3) + 6), as pandas; a normal has 0.

Null: no_data, too_few (n < 4), no_dispersion.
"""

from __future__ import annotations

from domain.metrics.trading.moments import standardised
from domain.metrics.trading.returns import Returns, on_returns
from domain.metrics.value import Reason, Stat


@on_returns(least=4)
def kurtosis(returns: Returns) -> Stat:
    """G₂, zero of a normal."""
    moments, n = standardised(returns), returns.size
    if moments is None:
        return Reason.NO_DISPERSION
    return (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * (moments[1] - 3) + 6)
