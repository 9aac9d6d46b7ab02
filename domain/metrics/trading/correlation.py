"""Pearson's correlation of two series of the same length: cov(x, y) / (sd(x) · sd(y)), from −1 to 1.

Null: no_data, too_few (n < 3: two points always lie on a line), no_dispersion (one of them does not move).
"""

from __future__ import annotations

import numpy as np

from domain.metrics.trading.returns import Returns, deviation
from domain.metrics.value import Reason, Stat, finite

LEAST = 3


def correlation(first: Returns, second: Returns) -> Stat:
    """The correlation of observations that were made together."""
    if first.size < LEAST:
        return Reason.TOO_FEW if first.size else Reason.NO_DATA
    if not deviation(first) or not deviation(second):
        return Reason.NO_DISPERSION
    one, other = first - first.mean(), second - second.mean()
    spread = float(np.sqrt((one @ one) * (other @ other)))
    return finite(min(1.0, max(-1.0, float(one @ other) / spread))) if spread else Reason.NO_DISPERSION
