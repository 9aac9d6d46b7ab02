"""Donchian channel: highest high and lowest low of `period` bars, the current one included, and their middle."""

from __future__ import annotations

from domain.metrics.indicators.bars import Bars, Column
from domain.metrics.indicators.declare import Indicator, Settings, period, whole
from domain.metrics.indicators.ta_lib import ta_lib


def donchian(bars: Bars, settings: Settings) -> tuple[Column, ...]:
    """Upper, middle, lower."""
    talib = ta_lib()
    length = whole(settings)
    upper, lower = talib.MAX(bars.high, length), talib.MIN(bars.low, length)
    return upper, (upper + lower) / 2, lower


DONCHIAN = Indicator(
    "donchian",
    "Donchian channel",
    (period(20),),
    ("upper", "middle", "lower"),
    lambda settings: whole(settings) - 1,
    donchian,
    "Donchian; MAX and MIN of TA-Lib",
)
