"""BG/NBD: buyers buy at random at a rate of their own and may stop for good after any purchase.

Fader, Hardie & Lee (2005): rates vary over buyers as gamma(r, α), the probability of stopping as beta(a, b). The
expectation is computed in Euler's form of their hypergeometric function, which keeps its size at any frequency.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from domain.insights.likelihood import most_likely
from domain.insights.purchases import Buyer, columns, usable
from domain.insights.series import Floats
from domain.metrics.value import Reason

MINIMUM = 50  # buyers
REPEATERS = 20  # of them with a repeat purchase: four parameters from fewer are a guess
AT_ONE = 1e-6  # a = 1 is a removable gap of the expectation


class BgNbd(msgspec.Struct, frozen=True):
    """The fitted parameters, and how well they explain the histories."""

    r: float
    alpha: float  # in units of time
    a: float
    b: float
    log_likelihood: float

    def p_alive(self, sample: Sequence[Buyer]) -> Floats:
        """Probability that each buyer has not stopped; 1 without repeats, because only a purchase can be the last."""
        x, recency, age, _ = columns(sample)
        return 1 / (1 + self._odds_of_stopped(x, recency, age))

    def expected_purchases(self, sample: Sequence[Buyer], time: float) -> Floats:
        """Repeat purchases that each buyer will make in the next `time` units."""
        x, recency, age, _ = columns(sample)
        a = self.a if abs(self.a - 1) > AT_ONE else 1 + AT_ONE
        rest = (self.alpha + age) / (self.alpha + age + time)
        while_alive = (a + self.b + x - 1) / (a - 1) * (1 - self._unspent(a, x, rest))
        expected: Floats = while_alive / (1 + self._odds_of_stopped(x, recency, age))
        return expected

    def _unspent(self, a: float, x: Floats, rest: Floats) -> Floats:
        """Share of the purchases until the buyer stops that lies beyond the time; rest = (α + T) / (α + T + time)."""
        import numpy as np
        from scipy.special import hyp2f1  # type: ignore[import-untyped]  # the library carries no types

        whole = a + self.b + x - 1
        with np.errstate(all="ignore"):  # each form overflows where the other does not
            euler = rest ** (a - 1) * hyp2f1(whole - x - self.r, a - 1, whole, 1 - rest)
            gauss = rest ** (self.r + x) * hyp2f1(self.r + x, self.b + x, whole, 1 - rest)
        share = np.where(np.isfinite(euler), euler, gauss)
        return np.where(np.isfinite(share), share, 0.0)  # neither: so frequent and so fickle that he stops before

    def _odds_of_stopped(self, x: Floats, recency: Floats, age: Floats) -> Floats:
        import numpy as np

        later = np.log((self.alpha + age) / (self.alpha + recency))
        logs = np.log(self.a) - np.log(self.b + np.maximum(x, 1) - 1) + (self.r + x) * later
        return np.where(x > 0, np.exp(np.minimum(logs, 700.0)), 0.0)  # e^700 is as certain as numbers get


def fit_bg_nbd(sample: Sequence[Buyer]) -> BgNbd | Reason:
    """The model of highest likelihood."""
    import numpy as np

    refused = refusal(sample)
    if refused:
        return refused
    x, recency, age, _ = columns(sample)
    scale = float(age.max())
    rows, counts = np.unique(np.column_stack((x, recency / scale, age / scale)), axis=0, return_counts=True)
    fit = most_likely(lambda free: float(counts @ _log_likelihoods(free, *rows.T)) / len(sample), (0.5, 0.2, 1.0, 2.0))
    if isinstance(fit, Reason):
        return fit
    r, alpha, a, b = fit[0], fit[1] * scale, fit[2], fit[3]
    likelihood = float(_log_likelihoods(np.array((r, alpha, a, b)), x, recency, age).sum())
    return BgNbd(r, alpha, a, b, likelihood)


def refusal(sample: Sequence[Buyer]) -> Reason | None:
    """Why no model of repeat purchases can be fitted to these buyers, if so."""
    if not sample:
        return Reason.NO_DATA
    if not usable(sample):
        return Reason.NOT_FINITE
    repeaters = sum(buyer.frequency > 0 for buyer in sample)
    return Reason.TOO_FEW if len(sample) < MINIMUM or repeaters < REPEATERS else None


def _log_likelihoods(parameters: Floats, x: Floats, recency: Floats, age: Floats) -> Floats:
    import numpy as np
    from scipy.special import gammaln

    r, alpha, a, b = parameters
    buying = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    staying = gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
    alive = -(r + x) * np.log(alpha + age)
    stopped = np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + recency)
    total: Floats = buying + staying + np.where(x > 0, np.logaddexp(alive, stopped), alive)
    return total
