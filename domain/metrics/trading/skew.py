"""Sample skewness of the returns: √(n(n−1))/(n−2) × m₃/m₂^1.5 (adjusted Fisher–Pearson, as pandas).

Null: no_data, too_few (n < 3), no_dispersion.
"""

from __future__ import annotations

import math

from domain.metrics.trading.moments import standardised
from domain.metrics.trading.returns import Returns, on_returns
from domain.metrics.value import Reason, Stat


@on_returns(least=3)
def skew(returns: Returns) -> Stat:
    """√(n(n−1))/(n−2) × m₃/m₂^1.5."""
    moments, n = standardised(returns), returns.size
    return Reason.NO_DISPERSION if moments is None else math.sqrt(n * (n - 1)) / (n - 2) * moments[0]
