"""Relative strength index (Wilder 1978): 100 × average gain / (average gain + average loss), Wilder's smoothing.

TA-Lib, except that a flat window, whose last `period` changes are all zero, has no value: TA-Lib gives 0 for 0/0, and
after a move only the memory of older bars. First value at bar `period`.
"""

from __future__ import annotations

from domain.metrics.indicators.bars import Bars, Column
from domain.metrics.indicators.declare import Indicator, Settings, period, whole
from domain.metrics.indicators.ta_lib import ta_lib
from domain.metrics.indicators.windows import any_of_last, moved, without


def rsi(bars: Bars, settings: Settings) -> tuple[Column, ...]:
    """RSI of the closes."""
    talib = ta_lib()
    length = whole(settings)
    return (without(talib.RSI(bars.close, length), ~any_of_last(moved(bars.close), length)),)


RSI = Indicator(
    "rsi", "Relative strength index", (period(14),), ("rsi",), lambda settings: whole(settings), rsi, "TA-Lib RSI"
)
