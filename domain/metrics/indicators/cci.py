"""Commodity channel index (Lambert 1980): (typical − mean) / (0.015 × mean absolute deviation) of `period` bars.

TA-Lib, except that a window whose typical price does not move has no value (TA-Lib gives 0, or what rounding left).
"""

from __future__ import annotations

from domain.metrics.indicators.bars import Bars, Column
from domain.metrics.indicators.declare import Indicator, Settings, period, whole
from domain.metrics.indicators.ta_lib import ta_lib
from domain.metrics.indicators.windows import without


def cci(bars: Bars, settings: Settings) -> tuple[Column, ...]:
    """CCI of the typical price."""
    talib = ta_lib()
    length = whole(settings)
    still = talib.MAX(bars.typical, length) == talib.MIN(bars.typical, length)
    return (without(talib.CCI(bars.high, bars.low, bars.close, length), still),)


CCI = Indicator(
    "cci",
    "Commodity channel index",
    (period(20),),
    ("cci",),
    lambda settings: whole(settings) - 1,
    cci,
    "TA-Lib CCI",
)
