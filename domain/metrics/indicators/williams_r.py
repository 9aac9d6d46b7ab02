"""Williams %R: −100 × (highest high − close) / (highest high − lowest low) of `period` bars, −100 to 0.

TA-Lib, except that a window without range has no value (TA-Lib gives 0).
"""

from __future__ import annotations

from domain.metrics.indicators.bars import Bars, Column
from domain.metrics.indicators.declare import Indicator, Settings, period, whole
from domain.metrics.indicators.ta_lib import ta_lib
from domain.metrics.indicators.windows import without


def williams_r(bars: Bars, settings: Settings) -> tuple[Column, ...]:
    """%R."""
    talib = ta_lib()
    length = whole(settings)
    rangeless = talib.MAX(bars.high, length) == talib.MIN(bars.low, length)
    return (without(talib.WILLR(bars.high, bars.low, bars.close, length), rangeless),)


WILLIAMS_R = Indicator(
    "williams_r",
    "Williams %R",
    (period(14),),
    ("williams_r",),
    lambda settings: whole(settings) - 1,
    williams_r,
    "TA-Lib WILLR",
)
