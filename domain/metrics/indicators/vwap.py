"""Volume-weighted average price: Σ typical price × volume / Σ volume, over all bars or since an anchor.

Anchors are the beginnings of UTC days, weeks (Monday), months and years by the bars' start. Sums begin anew in each
period, so that a bar's value does not depend on rounding in earlier ones. No value before the first volume.
"""

from __future__ import annotations

import numpy as np

from domain.metrics.indicators.bars import Bars, Column
from domain.metrics.indicators.declare import Indicator, Param, Settings

ANCHORS = {"day": "D", "week": "W", "month": "M", "year": "Y"}
THURSDAY_TO_MONDAY = 3 * 86_400_000  # numpy counts weeks from 1970-01-01, a Thursday


def vwap(bars: Bars, settings: Settings) -> tuple[Column, ...]:
    """VWAP over all bars."""
    return (_weighted(bars.typical, bars.volume),)


def anchored_vwap(bars: Bars, settings: Settings) -> tuple[Column, ...]:
    """VWAP since the last anchor."""
    anchor = str(settings["anchor"])
    start = bars.start + (THURSDAY_TO_MONDAY if anchor == "week" else 0)
    periods = start.astype("datetime64[ms]").astype(f"datetime64[{ANCHORS[anchor]}]")
    edges = np.flatnonzero(periods[1:] != periods[:-1]) + 1
    parts = zip(np.split(bars.typical, edges), np.split(bars.volume, edges), strict=True)
    return (np.concatenate([_weighted(price, volume) for price, volume in parts]),)


def _weighted(price: Column, volume: Column) -> Column:
    """Running Σ price × volume / Σ volume; NaN while there is no volume."""
    with np.errstate(all="ignore"):
        traded = np.cumsum(volume)
        return np.where(traded > 0, np.cumsum(price * volume) / traded, np.nan)


VWAP = Indicator(
    "vwap", "Volume-weighted average price", (), ("vwap",), lambda settings: 0, vwap, "Berkowitz et al. 1988"
)
ANCHORED_VWAP = Indicator(
    "anchored_vwap",
    "Anchored VWAP",
    (Param("anchor", "month", choices=tuple(ANCHORS)),),
    ("vwap",),
    lambda settings: 0,
    anchored_vwap,
    "the same since the beginning of a period",
)
