"""Ultimate oscillator (Williams 1985): buying pressure over true range of three windows, weighted 4, 2, 1, 0 to 100.

TA-Lib, except that there is no value where the shortest window had no range (TA-Lib leaves its part out).
"""

from __future__ import annotations

import numpy as np

from domain.metrics.indicators.bars import Bars, Column
from domain.metrics.indicators.declare import Indicator, Settings, period, whole
from domain.metrics.indicators.ta_lib import ta_lib
from domain.metrics.indicators.windows import any_of_last, without


def ultimate_oscillator(bars: Bars, settings: Settings) -> tuple[Column, ...]:
    """UO."""
    talib = ta_lib()
    lengths = [whole(settings, name) for name in ("short", "medium", "long")]
    prices = (bars.high, bars.low, bars.close)
    ranged = np.nan_to_num(talib.TRANGE(*prices)) > 0
    return (without(talib.ULTOSC(*prices, *lengths), ~any_of_last(ranged, min(lengths))),)


ULTIMATE_OSCILLATOR = Indicator(
    "ultimate_oscillator",
    "Ultimate oscillator",
    (period(7, "short"), period(14, "medium"), period(28, "long")),
    ("ultimate_oscillator",),
    lambda settings: max(whole(settings, name) for name in ("short", "medium", "long")),
    ultimate_oscillator,
    "TA-Lib ULTOSC",
)
