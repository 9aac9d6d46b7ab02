"""Observations at equal steps, as the methods take them: whole, finite and of a size that arithmetic bears.

A missing or infinite value refuses the series: a gap is the caller's to fill, by a rule that he states. Magnitudes
above 1e100 are refused too, because their squares would leave the range of numbers; below 1e-100 they count as zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from domain.metrics.value import Reason

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Floats: TypeAlias = "NDArray[np.float64]"

LARGEST, SMALLEST = 1e100, 1e-100
MAD_TO_SD = 1.4826  # of a normal distribution; its mean absolute deviation takes 1.2533
MEAN_TO_SD = 1.2533
ROUNDING = 1e-12  # of the largest value: dispersion below it is the arithmetic's own


def observed(values: Sequence[float] | Floats, minimum: int = 1) -> Floats | Reason:
    """The values as an array of their own; or why they cannot be used."""
    import numpy as np

    series = np.array(values, dtype=np.float64)  # a copy: callers keep what they gave
    if series.size == 0:
        return Reason.NO_DATA
    if not np.isfinite(series).all() or np.abs(series).max() > LARGEST:
        return Reason.NOT_FINITE
    if series.size < minimum:
        return Reason.TOO_FEW
    series[np.abs(series) < SMALLEST] = 0.0
    return series


def spread(values: Floats) -> float:
    """Robust standard deviation around zero, in units of the values.

    From the median of magnitudes, or their mean where most are zero.
    """
    import numpy as np

    sizes = np.abs(values)
    return float(MAD_TO_SD * np.median(sizes)) or float(MEAN_TO_SD * sizes.mean())


def autocorrelations(values: Floats) -> Floats:
    """Correlation of a series with itself at lags 0, 1, … n − 1, biased form; zeros where nothing varies."""
    import numpy as np

    centred = values - values.mean()
    top = float(np.abs(centred).max())
    if top <= ROUNDING * float(np.abs(values).max()):
        return np.zeros(values.size)
    waves = np.fft.rfft(centred / top, 2 * values.size)
    products = np.fft.irfft(waves * np.conj(waves))[: values.size]
    correlations: Floats = products / products[0]
    return correlations


def two_sided(z: float) -> float:
    """Probability that a standard normal is at least this far from zero."""
    return math.erfc(abs(z) / math.sqrt(2))
