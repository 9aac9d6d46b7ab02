"""Gamma–Gamma: what a buyer spends at a time, drawn towards the mean of all the more, the fewer purchases he has made.

Fader & Hardie (2013): amounts of one buyer vary as gamma(p, ν), ν over buyers as gamma(q, v). Assumes that amounts do
not depend on how often somebody buys; their correlation is shown beside the result.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from domain.insights.likelihood import most_likely
from domain.insights.purchases import Buyer, columns, usable
from domain.insights.series import Floats
from domain.metrics.value import Reason, Stat, finite

MINIMUM = 20  # buyers with a repeat purchase of some amount


class GammaGamma(msgspec.Struct, frozen=True):
    """The fitted parameters; v in units of money."""

    p: float
    q: float
    v: float
    log_likelihood: float

    def expected_value(self, sample: Sequence[Buyer]) -> Floats | Reason:
        """Amount of a future purchase of each buyer, in the money that the values are in."""
        x, _, _, value = columns(sample)
        if self.q <= 1:
            return Reason.NOT_FINITE
        return self.p * (self.v + x * value) / (self.p * x + self.q - 1)


def fit_gamma_gamma(sample: Sequence[Buyer]) -> GammaGamma | Reason:
    """The model of highest likelihood, from buyers who repeated and paid."""
    import numpy as np

    if not sample:
        return Reason.NO_DATA
    if not usable(sample):
        return Reason.NOT_FINITE
    x, _, _, value = columns([buyer for buyer in sample if buyer.frequency > 0 and buyer.value > 0])
    if x.size < MINIMUM:
        return Reason.TOO_FEW
    scale = float(value.mean())
    if float(np.ptp(value)) <= 1e-9 * scale:
        return Reason.NO_DISPERSION
    fit = most_likely(lambda free: float(_log_likelihoods(free, x, value / scale).mean()), (2.0, 2.0, 1.0))
    if isinstance(fit, Reason):
        return fit
    p, q, v = fit[0], fit[1], fit[2] * scale
    return GammaGamma(p, q, v, float(_log_likelihoods(np.array((p, q, v)), x, value).sum()))


def value_correlation(sample: Sequence[Buyer]) -> Stat:
    """Of frequency and amount among buyers who repeated and paid; Gamma–Gamma assumes it to be near zero."""
    import numpy as np

    x, _, _, value = columns([buyer for buyer in sample if buyer.frequency > 0 and buyer.value > 0])
    if x.size < MINIMUM:
        return Reason.TOO_FEW
    if np.ptp(x) == 0 or np.ptp(value) <= 1e-9 * value.max():
        return Reason.NO_DISPERSION
    return finite(float(np.corrcoef(x, value)[0, 1]))


def _log_likelihoods(parameters: Floats, x: Floats, value: Floats) -> Floats:
    import numpy as np
    from scipy.special import gammaln  # type: ignore[import-untyped]  # the library carries no types

    p, q, v = parameters
    sizes = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
    total: Floats = sizes + (p * x - 1) * np.log(value) + p * x * np.log(x) - (p * x + q) * np.log(x * value + v)
    return total
