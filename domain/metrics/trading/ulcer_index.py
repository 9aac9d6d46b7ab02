"""Ulcer index: root mean square of the drawdowns of all days, a fraction; divisor n (Martin 1987, there in percent).

Null: no_data.
"""

from __future__ import annotations

import math

import numpy as np

from domain.metrics.trading.returns import Returns, on_returns, underwater
from domain.metrics.value import Stat


@on_returns()
def ulcer_index(returns: Returns) -> Stat:
    """√(Σ drawdown² / n)."""
    return math.sqrt(float(np.square(underwater(returns)[1:]).mean()))
