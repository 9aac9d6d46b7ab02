"""MACD whose two averages are seeded each on its own: EMA(fast) − EMA(slow), and the EMA of that as the signal.

TA-Lib's MACD (`macd`) starts both at the slow one's first bar; after some hundred bars they agree. Written here because
most charts draw this one. The histogram is MACD − signal.
"""

from __future__ import annotations

from domain.metrics.indicators.bars import Bars, Column
from domain.metrics.indicators.declare import Indicator, Settings, period, whole
from domain.metrics.indicators.ta_lib import ta_lib


def macd_plain(bars: Bars, settings: Settings) -> tuple[Column, ...]:
    """MACD, signal, histogram."""
    talib = ta_lib()
    line = talib.EMA(bars.close, whole(settings, "fast")) - talib.EMA(bars.close, whole(settings, "slow"))
    signal = talib.EMA(line, whole(settings, "signal"))
    return line, signal, line - signal


MACD_PLAIN = Indicator(
    "macd_plain",
    "MACD, averages seeded apart",
    (period(12, "fast"), period(26, "slow"), period(9, "signal", 1)),
    ("macd", "signal", "histogram"),
    lambda settings: max(whole(settings, "fast"), whole(settings, "slow")) + whole(settings, "signal") - 2,
    macd_plain,
    "Appel; EMA of TA-Lib",
)
