"""How many will renew: the shifted beta-geometric model of contracts that end or go on at each renewal.

Fader & Hardie (2007): every customer has a probability of leaving at a renewal, which varies over customers as
beta(α, β). Those likely to leave go first, so that the renewal rate of a cohort rises with its age, without anybody
becoming more loyal; a straight extrapolation of early churn is far too gloomy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from domain.insights.finding import Basis, Finding, Kind
from domain.insights.likelihood import most_likely
from domain.insights.series import Floats
from domain.insights.survival import conditional_churn
from domain.metrics.value import Reason, Stat

METHOD = "shifted beta-geometric by maximum likelihood"
CUSTOMERS = 20
PERIODS = 3  # counts: two renewals for two parameters


class Retention(Finding, frozen=True, tag=Kind.RETENTION.value):
    """The fitted parameters; S(t) = B(α, β + t) / B(α, β) after t renewals."""

    alpha: float
    beta: float
    log_likelihood: float

    def at(self, renewals: float) -> float:
        """Share of the cohort that is there after so many renewals."""
        log = math.lgamma(self.beta + renewals) - math.lgamma(self.alpha + self.beta + renewals)
        return math.exp(log - math.lgamma(self.beta) + math.lgamma(self.alpha + self.beta))

    def renewal_rate(self, renewal: int) -> float:
        """Share of those who reach the n-th renewal and pass it, n from 1."""
        return (self.beta + renewal - 1) / (self.alpha + self.beta + renewal - 1)

    def churn_within(self, time: float, horizon: float) -> Stat:
        """P(churn in (time, time + horizon] | alive at time), in renewals."""
        return conditional_churn(self.at(time), self.at(time + horizon))


class Life(NamedTuple):
    """How long a customer stayed, whether that is over, and how long ago it began; in one unit."""

    lasted: float
    over: bool
    followed: float


def alive_after(lives: Sequence[Life], period: float) -> list[int]:
    """How many of one cohort were there at its start and after each period.

    The cohort are those whose lives began as many periods ago as `CUSTOMERS` of them did, so that nobody is missing.
    """
    followed = sorted((life.followed for life in lives), reverse=True)
    periods = int(followed[CUSTOMERS - 1] // period) if len(lives) >= CUSTOMERS else 0
    cohort = [life for life in lives if life.followed >= periods * period]
    return [sum(not life.over or life.lasted > number * period for life in cohort) for number in range(periods + 1)]


def retention(alive: Sequence[int]) -> Retention | Reason:
    """From the customers of one cohort who are there at the start of each period; the first number is the cohort."""
    if not alive or alive[0] <= 0:
        return Reason.NO_DATA
    if any(later > earlier or later < 0 for earlier, later in pairwise(alive)):
        return Reason.NOT_FINITE  # nobody comes back within a cohort of contracts
    if len(alive) < PERIODS or alive[0] < CUSTOMERS:
        return Reason.TOO_FEW
    if alive[-1] == alive[0]:
        return Reason.NO_DISPERSION  # nobody left: any late enough churn explains it
    fit = most_likely(lambda free: _log_likelihood(free, alive) / alive[0], (1.0, 1.0))
    if isinstance(fit, Reason):
        return fit
    alpha, beta = fit
    basis = Basis(METHOD, 1, alive[0], CUSTOMERS)
    return Retention(basis, alpha, beta, _log_likelihood(fit, alive))


def _log_likelihood(parameters: Floats | tuple[float, ...], alive: Sequence[int]) -> float:
    """Of those who left at each renewal, ln P(T = t) = ln B(α + 1, β + t − 1) − ln B(α, β); of those still there S."""
    alpha, beta = (float(parameter) for parameter in parameters)
    total, survive = 0.0, 0.0  # ln S(t) so far
    for renewal, (earlier, later) in enumerate(pairwise(alive), start=1):
        whole = alpha + beta + renewal - 1
        if earlier > later:
            total += (earlier - later) * (survive + math.log(alpha / whole))
        survive += math.log((beta + renewal - 1) / whole)
    return total + alive[-1] * survive
