"""Average directional index with +DI and −DI (Wilder 1978), from 0 to 100, Wilder's smoothing.

TA-Lib, except that there is no value as long as no bar had a range (TA-Lib gives 0 for 0/0). The DIs begin at bar
`period`, the ADX at 2 × `period` − 1.
"""

from __future__ import annotations

import numpy as np

from domain.metrics.indicators.bars import Bars, Column
from domain.metrics.indicators.declare import Indicator, Settings, period, whole
from domain.metrics.indicators.ta_lib import ta_lib
from domain.metrics.indicators.windows import without


def adx(bars: Bars, settings: Settings) -> tuple[Column, ...]:
    """ADX, +DI, −DI."""
    talib = ta_lib()
    length = whole(settings)
    prices = (bars.high, bars.low, bars.close)
    still = np.cumsum(np.nan_to_num(talib.TRANGE(*prices)) > 0) == 0
    lines = (talib.ADX(*prices, length), talib.PLUS_DI(*prices, length), talib.MINUS_DI(*prices, length))
    return tuple(without(line, still) for line in lines)


ADX = Indicator(
    "adx",
    "Average directional index",
    (period(14),),
    ("adx", "plus_di", "minus_di"),
    lambda settings: 2 * whole(settings) - 1,
    adx,
    "TA-Lib ADX, PLUS_DI, MINUS_DI",
)
