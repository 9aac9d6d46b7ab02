"""The catalogue of indicators, and the one way to compute them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from domain.errors import NotFound
from domain.metrics.indicators.adx import ADX
from domain.metrics.indicators.bars import Bars, Column
from domain.metrics.indicators.cci import CCI
from domain.metrics.indicators.declare import Indicator, Settings
from domain.metrics.indicators.donchian import DONCHIAN
from domain.metrics.indicators.from_ta_lib import ROWS
from domain.metrics.indicators.ichimoku import ICHIMOKU
from domain.metrics.indicators.keltner import KELTNER
from domain.metrics.indicators.macd_plain import MACD_PLAIN
from domain.metrics.indicators.mfi import MFI
from domain.metrics.indicators.natr import NATR
from domain.metrics.indicators.roc import ROC
from domain.metrics.indicators.rsi import RSI
from domain.metrics.indicators.stochastic import STOCHASTIC
from domain.metrics.indicators.stochastic_rsi import STOCHASTIC_RSI
from domain.metrics.indicators.supertrend import SUPERTREND
from domain.metrics.indicators.ultimate_oscillator import ULTIMATE_OSCILLATOR
from domain.metrics.indicators.vwap import ANCHORED_VWAP, VWAP
from domain.metrics.indicators.williams_r import WILLIAMS_R
from domain.suggestion import LONGEST, did_you_mean

WITH_REASONS = (
    *(RSI, STOCHASTIC, STOCHASTIC_RSI, ADX, CCI, WILLIAMS_R, ROC, ULTIMATE_OSCILLATOR, NATR, MFI, MACD_PLAIN),
    *(VWAP, ANCHORED_VWAP, KELTNER, DONCHIAN, SUPERTREND, ICHIMOKU),
)
INDICATORS: Mapping[str, Indicator] = MappingProxyType({each.key: each for each in (*ROWS, *WITH_REASONS)})
Values = list[float | None]


def compute(key: str, bars: Bars, values: Settings = MappingProxyType({})) -> Mapping[str, Values]:
    """Each output of an indicator, one value a bar; null in the warm-up and where there is none.

    Raises NotFound for a key that is none, Invalid for parameters that are none or out of bounds.
    """
    indicator = INDICATORS.get(key)
    if indicator is None:
        near = did_you_mean(key, INDICATORS)
        raise NotFound(
            f"no indicator is called {key[:LONGEST]!r}{near}",
            suggested_actions=[f"one of {', '.join(sorted(INDICATORS))}"],
        )
    settings = indicator.settings(values)
    if not len(bars):
        return {output: [] for output in indicator.outputs}
    with np.errstate(all="ignore"):
        columns = indicator.compute(bars, settings)
    return {output: _nulls(column) for output, column in zip(indicator.outputs, columns, strict=True)}


def _nulls(column: Column) -> Values:
    finite = np.isfinite(column).tolist()
    return [value if there else None for value, there in zip(column.tolist(), finite, strict=True)]
