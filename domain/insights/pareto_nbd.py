"""Pareto/NBD: as BG/NBD, but a buyer may stop at any moment, not only after a purchase.

Schmittlein, Morrison & Colombo (1987), in the form of Fader & Hardie (2005): buying rates vary as gamma(r, α), rates of
stopping as gamma(s, β). Kept beside BG/NBD because a buyer without repeats can have stopped here, there he cannot.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from domain.insights.bg_nbd import refusal
from domain.insights.likelihood import most_likely
from domain.insights.purchases import Buyer, columns
from domain.metrics.value import Reason

if TYPE_CHECKING:
    from domain.insights.series import Floats

AT_ONE = 1e-6  # s = 1 is a removable gap of the expectation


class ParetoNbd(msgspec.Struct, frozen=True):
    """The fitted parameters, and how well they explain the histories."""

    r: float
    alpha: float  # in units of time
    s: float
    beta: float  # in units of time
    log_likelihood: float

    def p_alive(self, sample: Sequence[Buyer]) -> Floats:
        """Probability that each buyer has not stopped."""
        import numpy as np

        x, recency, age, _ = columns(sample)
        alive, stopped = _log_parts(np.array((self.r, self.alpha, self.s, self.beta)), x, recency, age)
        return 1 / (1 + np.exp(np.minimum(stopped - alive, 700.0)))

    def expected_purchases(self, sample: Sequence[Buyer], time: float) -> Floats:
        """Repeat purchases that each buyer will make in the next `time` units."""
        x, _, age, _ = columns(sample)
        s = self.s if abs(self.s - 1) > AT_ONE else 1 + AT_ONE
        rate = (self.r + x) * (self.beta + age) / ((self.alpha + age) * (s - 1))
        left = 1 - ((self.beta + age) / (self.beta + age + time)) ** (s - 1)
        return rate * left * self.p_alive(sample)


def fit_pareto_nbd(sample: Sequence[Buyer]) -> ParetoNbd | Reason:
    """The model of highest likelihood."""
    import numpy as np

    refused = refusal(sample)
    if refused:
        return refused
    x, recency, age, _ = columns(sample)
    scale = float(age.max())
    rows, counts = np.unique(np.column_stack((x, recency / scale, age / scale)), axis=0, return_counts=True)
    found = most_likely(
        lambda free: float(counts @ _log_likelihoods(free, *rows.T)) / len(sample), (0.5, 0.2, 0.5, 0.3)
    )
    if isinstance(found, Reason):
        return found
    r, alpha, s, beta = found[0], found[1] * scale, found[2], found[3] * scale
    return ParetoNbd(r, alpha, s, beta, float(_log_likelihoods(np.array((r, alpha, s, beta)), x, recency, age).sum()))


def _log_likelihoods(parameters: Floats, x: Floats, recency: Floats, age: Floats) -> Floats:
    import numpy as np
    from scipy.special import gammaln  # type: ignore[import-untyped]  # the library carries no types

    r, alpha, s, beta = parameters
    buying = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    total: Floats = buying + np.logaddexp(*_log_parts(parameters, x, recency, age))
    return total


def _log_parts(parameters: Floats, x: Floats, recency: Floats, age: Floats) -> tuple[Floats, Floats]:
    """Logarithms of the two ways to such a history: still alive, stopped after the last purchase."""
    import numpy as np

    r, alpha, s, beta = parameters
    alive = -(r + x) * np.log(alpha + age) - s * np.log(beta + age)
    at_last, at_end = (_log_tail(parameters, x, time) for time in (recency, age))
    gone = np.maximum(-np.expm1(np.minimum(at_end - at_last, 0.0)), 1e-300)
    return alive, np.log(s) - np.log(r + s + x) + at_last + np.log(gone)


def _log_tail(parameters: Floats, x: Floats, time: Floats) -> Floats:
    """Logarithm of ₂F₁(r+s+x, ·; r+s+x+1; |α−β|/(max+t)) / (max+t)^(r+s+x), Euler's form, which stays small."""
    import numpy as np
    from scipy.special import hyp2f1

    r, alpha, s, beta = parameters
    whole = r + s + x
    second = s + 1 if alpha >= beta else r + x
    larger = max(alpha, beta) + time
    z = abs(alpha - beta) / larger
    log_series = (1 - second) * np.log1p(-z) + np.log(hyp2f1(1.0, whole + 1 - second, whole + 1, z))
    tail: Floats = log_series - whole * np.log(larger)
    return tail
