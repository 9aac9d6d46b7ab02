"""Normalised average true range: 100 × ATR / close, in percent.

TA-Lib, except that there is no value where the close is 0 (TA-Lib gives 0).
"""

from __future__ import annotations

from domain.metrics.indicators.bars import Bars, Column
from domain.metrics.indicators.declare import Indicator, Settings, period, whole
from domain.metrics.indicators.ta_lib import ta_lib
from domain.metrics.indicators.windows import without


def natr(bars: Bars, settings: Settings) -> tuple[Column, ...]:
    """NATR."""
    talib = ta_lib()
    return (without(talib.NATR(bars.high, bars.low, bars.close, whole(settings)), bars.close == 0),)


NATR = Indicator(
    "natr",
    "Normalised average true range",
    (period(14),),
    ("natr",),
    lambda settings: whole(settings),
    natr,
    "TA-Lib NATR",
)
