"""Omega ratio: Σ max(r − t, 0) / Σ max(t − r, 0), t a return per day, 0 by default (Keating & Shadwick 2002).

Null: no_data, no_downside. Confirmed by empyrical, quantstats.
"""

from __future__ import annotations

import numpy as np

from domain.metrics.trading.returns import Returns, on_returns
from domain.metrics.value import Reason, Stat, ratio


@on_returns()
def omega_ratio(returns: Returns, target: float = 0.0) -> Stat:
    """Gains above the target / losses below it."""
    above = returns - target
    lost = -float(np.minimum(above, 0).sum())
    return ratio(float(np.maximum(above, 0).sum()), lost, Reason.NO_DOWNSIDE)
