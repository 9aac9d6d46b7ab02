"""Rate of change: 100 × (close / close `period` bars ago − 1), in percent.

TA-Lib, except that there is no value where that close was 0 (TA-Lib gives 0).
"""

from __future__ import annotations

import numpy as np

from domain.metrics.indicators.bars import Bars, Column
from domain.metrics.indicators.declare import Indicator, Settings, period, whole
from domain.metrics.indicators.ta_lib import ta_lib
from domain.metrics.indicators.windows import without


def roc(bars: Bars, settings: Settings) -> tuple[Column, ...]:
    """ROC."""
    talib = ta_lib()
    length = whole(settings)
    rootless = np.zeros(len(bars), dtype=bool)
    rootless[length:] = bars.close[: max(0, len(bars) - length)] == 0
    return (without(talib.ROC(bars.close, length), rootless),)


ROC = Indicator(
    "roc", "Rate of change", (period(10, least=1),), ("roc",), lambda settings: whole(settings), roc, "TA-Lib ROC"
)
