"""Central moments of returns, scaled by the largest deviation so that no power overflows."""

from __future__ import annotations

import numpy as np

from domain.metrics.trading.returns import NEGLIGIBLE, Returns, flat


def standardised(returns: Returns) -> tuple[float, float] | None:
    """Third and fourth standardised moment (population: m₃/m₂^1.5, m₄/m₂²); None where nothing is dispersed."""
    if flat(returns):
        return None
    mean = float(returns.mean())
    apart = returns - mean
    widest = float(np.abs(apart).max())
    if widest <= NEGLIGIBLE * abs(mean):
        return None
    apart = apart / widest
    squares = np.square(apart)
    second = float(squares.mean())
    return float((squares * apart).mean()) / second**1.5, float(np.square(squares).mean()) / second**2
