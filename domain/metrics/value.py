"""The value of a statistic: a number, or the reason why there is none. Never NaN, infinity or a number that means "no".

A statistic returns `Stat`; whoever shows it asks `has_value` first. Reasons are a closed set, because answers, pages
and scripts rely on their texts.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TypeGuard


class Reason(StrEnum):
    """Why a statistic has no value."""

    NO_DATA = "no_data"  # nothing was observed
    TOO_FEW = "too_few"  # fewer observations than the statistic needs
    NOT_AGREED = "not_agreed"  # the company itself has not agreed to be compared with others
    NO_DISPERSION = "no_dispersion"  # all observations are the same
    NO_TRADES = "no_trades"
    NO_WINS = "no_wins"
    NO_LOSSES = "no_losses"
    NO_DOWNSIDE = "no_downside"  # no return below the target
    NO_DRAWDOWN = "no_drawdown"
    NO_EQUITY = "no_equity"  # neither account values nor flows are known, so there is nothing to take a percentage of
    RUIN = "ruin"  # the equity reached zero or less
    NOT_REPORTED = "not_reported"  # no trade carries what the statistic reads (risk, excursion, entry time, price)
    MIXED_CURRENCIES = "mixed_currencies"  # amounts are of several currencies, and what is asked is told of one alone
    NO_RATE = "no_rate"  # amounts are of several currencies, and no rate of exchange holds for one of their days
    NO_REPORTING_CURRENCY = "no_reporting_currency"  # amounts are of several currencies, and the company has set none
    ZERO_DENOMINATOR = "zero_denominator"  # the quantity divided by is zero
    NOT_FINITE = "not_finite"  # the arithmetic left the range of numbers
    NO_FIT = "no_fit"  # the observations do not determine the parameters of the model


Stat = float | Reason


def has_value(stat: Stat) -> TypeGuard[float]:
    """Whether there is a value."""
    return not isinstance(stat, Reason)


def ratio(numerator: float, denominator: float, reason: Reason = Reason.ZERO_DENOMINATOR) -> Stat:
    """The quotient; `reason` where the denominator is zero, NOT_FINITE where it overflowed (not a quotient of 0)."""
    if not denominator:
        return reason
    return finite(numerator / denominator) if math.isfinite(denominator) else Reason.NOT_FINITE


def finite(value: float) -> Stat:
    """The value as a plain float; NOT_FINITE for NaN and infinity."""
    return float(value) if math.isfinite(value) else Reason.NOT_FINITE
