"""What buyers will still bring: purchases by BG/NBD, amounts by Gamma–Gamma, discounted month by month."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from domain.insights.bg_nbd import MINIMUM, BgNbd, fit_bg_nbd
from domain.insights.finding import Basis, Finding, Kind
from domain.insights.gamma_gamma import GammaGamma, fit_gamma_gamma, value_correlation
from domain.insights.purchases import Buyer
from domain.metrics.value import Reason, Stat

METHOD = "BG/NBD for purchases, Gamma–Gamma for amounts, by maximum likelihood; discounted at the end of each month"
MONTH = 4.345  # weeks: 365 days / 12 / 7, as the literature rounds it


class BuyerValue(msgspec.Struct, frozen=True):
    """What one buyer is expected to bring within the horizon."""

    key: str
    p_alive: float
    purchases: float
    value: float  # of one purchase
    lifetime_value: float  # discounted


class LifetimeValue(Finding, frozen=True, tag=Kind.LIFETIME_VALUE.value):
    """The models and what they say of each buyer, in the order given."""

    months: int
    monthly_discount: float
    purchases: BgNbd
    amounts: GammaGamma
    value_correlation: Stat  # of frequency and amount; far from zero, amounts are misjudged
    total: float
    buyers: tuple[BuyerValue, ...]


def lifetime_value(
    sample: Sequence[Buyer], months: int = 12, monthly_discount: float = 0.01, month: float = MONTH
) -> LifetimeValue | Reason:
    """Of buyers whose times are in weeks (or in the unit that `month` is given in)."""
    purchases, amounts = fit_bg_nbd(sample), fit_gamma_gamma(sample)
    if isinstance(purchases, Reason):
        return purchases
    if isinstance(amounts, Reason):
        return amounts
    values = valued(purchases, amounts, sample, months, monthly_discount, month)
    if isinstance(values, Reason):
        return values
    basis = Basis(METHOD, 1, len(sample), MINIMUM)
    total, correlation = sum(buyer.lifetime_value for buyer in values), value_correlation(sample)
    return LifetimeValue(basis, months, monthly_discount, purchases, amounts, correlation, total, values)


def valued(
    purchases: BgNbd,
    amounts: GammaGamma,
    sample: Sequence[Buyer],
    months: int,
    monthly_discount: float,
    month: float = MONTH,
) -> tuple[BuyerValue, ...] | Reason:
    """The same from fitted models, also for buyers whom they were not fitted on."""
    import numpy as np

    value = amounts.expected_value(sample)
    if isinstance(value, Reason):
        return value
    if months < 1 or monthly_discount <= -1:
        return Reason.TOO_FEW
    until = [np.zeros(len(sample)), *(purchases.expected_purchases(sample, month * (m + 1)) for m in range(months))]
    discounted = sum((until[m] - until[m - 1]) / (1 + monthly_discount) ** m for m in range(1, months + 1)) * value
    if not np.isfinite(discounted).all():
        return Reason.NOT_FINITE
    rows = zip(sample, purchases.p_alive(sample), until[-1], value, discounted, strict=True)
    return tuple(BuyerValue(buyer.key, *map(float, numbers)) for buyer, *numbers in rows)
