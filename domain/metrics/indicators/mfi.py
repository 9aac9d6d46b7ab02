"""Money flow index: 100 × flow on rising bars / flow on rising and falling bars, flow = typical price × volume.

TA-Lib, except that a window without any flow has no value (TA-Lib gives 0). First value at bar `period`.
"""

from __future__ import annotations

from domain.metrics.indicators.bars import Bars, Column
from domain.metrics.indicators.declare import Indicator, Settings, period, whole
from domain.metrics.indicators.ta_lib import ta_lib
from domain.metrics.indicators.windows import any_of_last, moved, without


def mfi(bars: Bars, settings: Settings) -> tuple[Column, ...]:
    """MFI."""
    talib = ta_lib()
    length = whole(settings)
    flowed = moved(bars.typical) & (bars.volume != 0)
    values = talib.MFI(bars.high, bars.low, bars.close, bars.volume, length)
    return (without(values, ~any_of_last(flowed, length)),)


MFI = Indicator("mfi", "Money flow index", (period(14),), ("mfi",), lambda settings: whole(settings), mfi, "TA-Lib MFI")
