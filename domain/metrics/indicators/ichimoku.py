"""Ichimoku kinkō hyō (Hosoda): middles of the range of 9, 26 and 52 bars, two of them drawn 26 bars ahead.

Outputs are aligned with the bar at which they are drawn: the leading spans of a bar are those computed `displacement`
bars before it, so none looks ahead. The lagging span is the close, to be drawn `displacement` bars back; at its own
bar it is simply the close.
"""

from __future__ import annotations

import numpy as np

from domain.metrics.indicators.bars import Bars, Column
from domain.metrics.indicators.declare import Indicator, Settings, period, whole
from domain.metrics.indicators.ta_lib import ta_lib

PARAMS = ("conversion", "base", "span_b", "displacement")


def ichimoku(bars: Bars, settings: Settings) -> tuple[Column, ...]:
    """Conversion, base, leading span A, leading span B, lagging span."""
    talib = ta_lib()
    short, medium, long, ahead = (whole(settings, name) for name in PARAMS)
    conversion, base, slow = (talib.MIDPRICE(bars.high, bars.low, length) for length in (short, medium, long))
    return conversion, base, _later((conversion + base) / 2, ahead), _later(slow, ahead), bars.close.copy()


def _later(column: Column, bars: int) -> Column:
    moved = np.full(column.size, np.nan)
    moved[bars:] = column[: max(0, column.size - bars)]
    return moved


def _warm_up(settings: Settings) -> int:
    short, medium, long, ahead = (whole(settings, name) for name in PARAMS)
    return max(short, medium, long) - 1 + ahead


ICHIMOKU = Indicator(
    "ichimoku",
    "Ichimoku",
    (period(9, "conversion"), period(26, "base"), period(52, "span_b"), period(26, "displacement", 0)),
    ("conversion", "base", "leading_a", "leading_b", "lagging"),
    _warm_up,
    ichimoku,
    "Hosoda; MIDPRICE of TA-Lib",
)
