"""Supertrend (Seban): a trailing stop of multiplier × ATR around the middle of the bar, which turns when it is crossed.

TA-Lib's, with the direction as 1 (rising) or −1 (falling). First value at bar `period`.
"""

from __future__ import annotations

from domain.metrics.indicators.bars import Bars, Column
from domain.metrics.indicators.declare import Indicator, Param, Settings, period, whole
from domain.metrics.indicators.ta_lib import ta_lib
from domain.metrics.indicators.windows import without


def supertrend(bars: Bars, settings: Settings) -> tuple[Column, ...]:
    """The stop and the direction."""
    talib = ta_lib()
    stop, direction = talib.SUPERTREND(bars.high, bars.low, bars.close, whole(settings), float(settings["multiplier"]))
    return stop, without(direction.astype(float), stop != stop)


SUPERTREND = Indicator(
    "supertrend",
    "Supertrend",
    (period(10), Param("multiplier", 3.0, 0.01, 100)),
    ("supertrend", "direction"),
    lambda settings: whole(settings),
    supertrend,
    "TA-Lib SUPERTREND",
)
