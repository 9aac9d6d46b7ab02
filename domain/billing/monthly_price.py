"""MRR of one subscription: its charge as a share of a month, exact, in whole twelfths of a trillionth of the currency.

Charge = unit amount × quantity × (1 − discount), rounded half even to trillionths. A month's share of it is year/12,
quarter/3, week×52/12, day×365/12; an interval of n units has one n-th of that. Twelfths make every n = 1 exact, and
every n that divides; only what is left of a twelfth of a trillionth (a month's share of "every 7 months") is rounded,
half even, once for each change of terms.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from domain.decimals import ONE, half_even

ALL_OF_IT = 100 * ONE  # 100 %, in trillionths of a percent
CHARGES_IN_TWELVE_MONTHS = {"day": 365, "week": 52, "month": 12, "quarter": 4, "year": 1}


class Price(msgspec.Struct, frozen=True, gc=False):
    """What is charged, how often. Amount, quantity and discount (in percent) are whole trillionths."""

    unit_amount: int = 0
    quantity: int = ONE
    discount_pct: int = 0
    interval: str = "month"
    interval_count: int = 1


@lru_cache(maxsize=65_536)  # customers share few prices, and every fold of a history asks for each of its prices
def monthly(price: Price) -> int:
    """The price as MRR in twelfths of a trillionth."""
    return half_even(charge(price) * CHARGES_IN_TWELVE_MONTHS[price.interval], price.interval_count)


def charge(price: Price) -> int:
    """What one billing interval costs, in trillionths. A discount above 100 % counts as 100 %."""
    remaining = max(0, ALL_OF_IT - price.discount_pct)
    return half_even(price.unit_amount * price.quantity * remaining, ONE * ALL_OF_IT)
