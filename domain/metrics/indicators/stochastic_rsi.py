"""Stochastic RSI (Chande & Kroll 1994): where the RSI is within its own range of `fast_k` bars, 0 to 100.

%K unsmoothed, %D the mean of `fast_d` of them, as in TA-Lib. No value where the RSI of a bar in the window has none,
or where it does not move in it.
"""

from __future__ import annotations

from domain.metrics.indicators.bars import Bars, Column
from domain.metrics.indicators.declare import Indicator, Settings, period, whole
from domain.metrics.indicators.ta_lib import SMA, ta_lib
from domain.metrics.indicators.windows import any_of_last, moved, without


def stochastic_rsi(bars: Bars, settings: Settings) -> tuple[Column, ...]:
    """%K and %D of the RSI."""
    talib = ta_lib()
    length, fast_k, fast_d = (whole(settings, name) for name in ("period", "fast_k", "fast_d"))
    k, d = talib.STOCHRSI(bars.close, length, fast_k, fast_d, SMA)
    strength = talib.RSI(bars.close, length)
    flat = ~any_of_last(moved(bars.close), length)
    flat[:length] = False  # warm-up is no flat window
    undefined = any_of_last(flat, fast_k) | (talib.MAX(strength, fast_k) == talib.MIN(strength, fast_k))
    return without(k, undefined), without(d, any_of_last(undefined, fast_d))


STOCHASTIC_RSI = Indicator(
    "stochastic_rsi",
    "Stochastic RSI",
    (period(14), period(14, "fast_k"), period(3, "fast_d", 1)),
    ("k", "d"),
    lambda settings: whole(settings) + whole(settings, "fast_k") + whole(settings, "fast_d") - 2,
    stochastic_rsi,
    "TA-Lib STOCHRSI",
)
