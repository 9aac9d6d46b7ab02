"""Returns of calendar months or years: Π(1 + r) − 1 over the days of each, fractions.

A period without returns is not listed. Keys are "2026-11" or "2026".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from domain.metrics.trading.calendars import Days
from domain.metrics.trading.returns import Returns
from domain.metrics.value import Reason, Stat, finite


def periodic_returns(
    returns: Returns | Reason, days: Days, by: Literal["month", "year"], first_month: int = 1
) -> Mapping[str, Stat]:
    """The return of each month or year; `days` is the day of each return, ascending.

    Years begin with the first month, and are called by the calendar year in which they end.
    """
    if isinstance(returns, Reason) or not returns.size:
        return {}
    periods = days.astype("datetime64[D]").astype("datetime64[M]")
    if by == "year":
        periods = (periods + (13 - first_month) % 12).astype("datetime64[Y]")
    first = np.flatnonzero(np.append(True, periods[1:] != periods[:-1]))
    with np.errstate(all="ignore"):
        grown = np.multiply.reduceat(1 + returns, first) - 1
    return {str(period): finite(value) for period, value in zip(periods[first], grown.tolist(), strict=True)}
