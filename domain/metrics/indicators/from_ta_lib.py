"""The indicators that are a function of TA-Lib as it is: one row each.

A row names the function, the columns it reads, its parameters in the order of its arguments, its outputs and its
warm-up. Formulas are in TA-Lib's documentation; what they are called there is the source.
"""

from __future__ import annotations

from collections.abc import Callable

from domain.metrics.indicators.bars import Bars, Column
from domain.metrics.indicators.declare import Indicator, Param, Settings, period, whole
from domain.metrics.indicators.ta_lib import ta_lib

CLOSE, RANGE, PRICES = ("close",), ("high", "low"), ("high", "low", "close")
FLOW = ("high", "low", "close", "volume")


def lag(settings: Settings) -> int:
    """One bar less than the period."""
    return whole(settings) - 1


def _row(
    key: str,
    title: str,
    function: str,
    columns: tuple[str, ...],
    params: tuple[Param, ...],
    warm_up: Callable[[Settings], int],
    outputs: tuple[str, ...] = (),
    fixed: tuple[float, ...] = (),
) -> Indicator:
    """`fixed` are further arguments of the function after its parameters."""

    def compute(bars: Bars, settings: Settings) -> tuple[Column, ...]:
        setup = [getattr(bars, column) for column in columns]
        result = getattr(ta_lib(), function)(*setup, *(settings[param.name] for param in params), *fixed)
        return result if isinstance(result, tuple) else (result,)

    return Indicator(key, title, params, outputs or (key,), warm_up, compute, f"TA-Lib {function}")


ROWS = (
    _row("sma", "Simple moving average", "SMA", CLOSE, (period(20),), lag),
    _row("ema", "Exponential moving average, seeded with an SMA", "EMA", CLOSE, (period(20),), lag),
    _row("wma", "Linearly weighted moving average", "WMA", CLOSE, (period(20),), lag),
    _row("dema", "Double exponential moving average", "DEMA", CLOSE, (period(20),), lambda setup: 2 * lag(setup)),
    _row("tema", "Triple exponential moving average", "TEMA", CLOSE, (period(20),), lambda setup: 3 * lag(setup)),
    _row("kama", "Kaufman's adaptive moving average", "KAMA", CLOSE, (period(10),), whole),
    _row("rma", "Wilder's moving average, seeded with an SMA", "RMA", CLOSE, (period(14),), lag),
    _row(
        "macd",
        "Moving average convergence and divergence",
        "MACD",
        CLOSE,
        (period(12, "fast"), period(26, "slow"), period(9, "signal", 1)),
        lambda setup: max(whole(setup, "fast"), whole(setup, "slow")) + whole(setup, "signal") - 2,
        ("macd", "signal", "histogram"),
    ),
    _row(
        "bollinger",
        "Bollinger bands, population deviation",
        "BBANDS",
        CLOSE,
        (period(20), Param("up", 2.0, 0, 100), Param("down", 2.0, 0, 100)),
        lag,
        ("upper", "middle", "lower"),
        fixed=(0,),
    ),
    _row("stddev", "Standard deviation of the population", "STDDEV", CLOSE, (period(20),), lag, fixed=(1.0,)),
    _row("true_range", "True range", "TRANGE", PRICES, (), lambda setup: 1),
    _row("atr", "Average true range, Wilder's smoothing", "ATR", PRICES, (period(14),), whole),
    _row("momentum", "Momentum", "MOM", CLOSE, (period(10, least=1),), whole),
    _row(
        "trix",
        "Rate of change of a triple EMA, in percent",
        "TRIX",
        CLOSE,
        (period(15),),
        lambda setup: 3 * whole(setup) - 2,
    ),
    _row("aroon", "Aroon", "AROON", RANGE, (period(14),), whole, ("down", "up")),
    _row(
        "parabolic_sar",
        "Parabolic stop and reverse",
        "SAR",
        RANGE,
        (Param("acceleration", 0.02, 0, 10), Param("maximum", 0.2, 0, 10)),
        lambda setup: 1,
    ),
    _row("obv", "On-balance volume, beginning with the first volume", "OBV", ("close", "volume"), (), lambda setup: 0),
    _row("ad", "Accumulation and distribution", "AD", FLOW, (), lambda setup: 0),
    _row(
        "adosc",
        "Chaikin oscillator of accumulation and distribution",
        "ADOSC",
        FLOW,
        (period(3, "fast"), period(10, "slow")),
        lambda setup: max(whole(setup, "fast"), whole(setup, "slow")) - 1,
    ),
    _row("linreg", "End of a linear regression", "LINEARREG", CLOSE, (period(14),), lag),
)
