"""Keltner channels (Raschke's form): EMA of the closes ± multiplier × average true range (Wilder's smoothing).

Defaults 20, 10, 2. Not TA-Lib's KC, whose middle is an average of the typical price.
"""

from __future__ import annotations

from domain.metrics.indicators.bars import Bars, Column
from domain.metrics.indicators.declare import Indicator, Param, Settings, period, whole
from domain.metrics.indicators.ta_lib import ta_lib


def keltner(bars: Bars, settings: Settings) -> tuple[Column, ...]:
    """Upper, middle, lower."""
    talib = ta_lib()
    middle = talib.EMA(bars.close, whole(settings))
    reach = float(settings["multiplier"]) * talib.ATR(bars.high, bars.low, bars.close, whole(settings, "atr_period"))
    return middle + reach, middle, middle - reach


KELTNER = Indicator(
    "keltner",
    "Keltner channels",
    (period(20), period(10, "atr_period"), Param("multiplier", 2.0, 0.01, 100)),
    ("upper", "middle", "lower"),
    lambda settings: max(whole(settings) - 1, whole(settings, "atr_period")),
    keltner,
    "Raschke; EMA and ATR of TA-Lib",
)
