"""Stochastic oscillator (Lane): raw %K = 100 × (close − lowest low) / (highest high − lowest low) of `fast_k` bars.

%K is the mean of `slow_k` raw values, %D the mean of `slow_d` %K. TA-Lib, with 14, 3, 3 (its own default is 5, 3, 3).
No value where a window in it has no range: TA-Lib gives 0 for 0/0.
"""

from __future__ import annotations

from domain.metrics.indicators.bars import Bars, Column
from domain.metrics.indicators.declare import Indicator, Settings, period, whole
from domain.metrics.indicators.ta_lib import SMA, ta_lib
from domain.metrics.indicators.windows import any_of_last, without


def stochastic(bars: Bars, settings: Settings) -> tuple[Column, ...]:
    """%K and %D."""
    talib = ta_lib()
    fast, slow_k, slow_d = (whole(settings, name) for name in ("fast_k", "slow_k", "slow_d"))
    k, d = talib.STOCH(bars.high, bars.low, bars.close, fast, slow_k, SMA, slow_d, SMA)
    rangeless = any_of_last(talib.MAX(bars.high, fast) == talib.MIN(bars.low, fast), slow_k)
    return without(k, rangeless), without(d, any_of_last(rangeless, slow_d))


STOCHASTIC = Indicator(
    "stochastic",
    "Stochastic oscillator",
    (period(14, "fast_k"), period(3, "slow_k", 1), period(3, "slow_d", 1)),
    ("k", "d"),
    lambda settings: whole(settings, "fast_k") + whole(settings, "slow_k") + whole(settings, "slow_d") - 3,
    stochastic,
    "TA-Lib STOCH",
)
