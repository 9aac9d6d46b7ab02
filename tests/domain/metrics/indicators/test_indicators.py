"""Indicators: the oracle on real bars, every prefix, flat markets, warm-up, and what is refused."""

from __future__ import annotations

import csv
import math
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Invalid, NotFound
from domain.metrics.indicators.bars import Bars
from domain.metrics.indicators.catalogue import INDICATORS, Values, compute
from tests.domain.metrics.oracles import oracle
from tests.support.examples import examples

ROOT = Path(__file__).parents[4]
AAPL = ROOT / "app" / "demo" / "data" / "aapl_ohlcv.csv"
ORACLE = oracle("ta_aapl.json")["indicators"]
HOUR = 3_600_000

# the oracle's name → indicator, settings, output
NAMED: dict[str, tuple[str, dict[str, Any], str]] = {
    "SMA_20": ("sma", {"period": 20}, "sma"),
    "EMA_20": ("ema", {"period": 20}, "ema"),
    "WMA_20": ("wma", {"period": 20}, "wma"),
    "DEMA_20": ("dema", {"period": 20}, "dema"),
    "TEMA_20": ("tema", {"period": 20}, "tema"),
    "KAMA_10": ("kama", {"period": 10}, "kama"),
    "RMA_14": ("rma", {"period": 14}, "rma"),
    "RSI_14": ("rsi", {}, "rsi"),
    "MACD_12_26_9": ("macd", {}, "macd"),
    "MACDsignal_12_26_9": ("macd", {}, "signal"),
    "MACDhist_12_26_9": ("macd", {}, "histogram"),
    "MACD_plain": ("macd_plain", {}, "macd"),
    "MACD_plain_signal": ("macd_plain", {}, "signal"),
    "BB_upper_20_2": ("bollinger", {}, "upper"),
    "BB_middle_20_2": ("bollinger", {}, "middle"),
    "BB_lower_20_2": ("bollinger", {}, "lower"),
    "STDDEV_20": ("stddev", {}, "stddev"),
    "TRANGE": ("true_range", {}, "true_range"),
    "ATR_14": ("atr", {}, "atr"),
    "NATR_14": ("natr", {}, "natr"),
    "STOCH_K_14_3": ("stochastic", {}, "k"),
    "STOCH_D_14_3_3": ("stochastic", {}, "d"),
    "STOCHRSI_K_14_14": ("stochastic_rsi", {}, "k"),
    "STOCHRSI_D_14_14_3": ("stochastic_rsi", {}, "d"),
    "ADX_14": ("adx", {}, "adx"),
    "PLUS_DI_14": ("adx", {}, "plus_di"),
    "MINUS_DI_14": ("adx", {}, "minus_di"),
    "CCI_20": ("cci", {}, "cci"),
    "WILLR_14": ("williams_r", {}, "williams_r"),
    "ROC_10": ("roc", {}, "roc"),
    "MOM_10": ("momentum", {}, "momentum"),
    "TRIX_15": ("trix", {}, "trix"),
    "AROON_UP_14": ("aroon", {}, "up"),
    "AROON_DOWN_14": ("aroon", {}, "down"),
    "ULTOSC_7_14_28": ("ultimate_oscillator", {}, "ultimate_oscillator"),
    "SAR_002_02": ("parabolic_sar", {}, "parabolic_sar"),
    "OBV": ("obv", {}, "obv"),
    "AD": ("ad", {}, "ad"),
    "ADOSC_3_10": ("adosc", {}, "adosc"),
    "VWAP_cumulative": ("vwap", {}, "vwap"),
    "VWAP_monthly_anchor": ("anchored_vwap", {"anchor": "month"}, "vwap"),
    "DONCHIAN_upper_20": ("donchian", {}, "upper"),
    "DONCHIAN_lower_20": ("donchian", {}, "lower"),
    "SUPERTREND_10_3": ("supertrend", {}, "supertrend"),
    "LINREG_14": ("linreg", {}, "linreg"),
}


def aapl() -> Bars:
    """The daily bars that the oracle was made from."""
    with AAPL.open() as lines:
        rows = list(csv.DictReader(lines))
    starts = [int(datetime.fromisoformat(row["date"] + "T00:00:00+00:00").timestamp() * 1000) for row in rows]
    return Bars.of(
        starts,
        open=[float(row["Open"]) for row in rows],
        high=[float(row["High"]) for row in rows],
        low=[float(row["Low"]) for row in rows],
        close=[float(row["Close"]) for row in rows],
        volume=[float(row["Volume"]) for row in rows],
    )


def bars_of(closes: list[float], reach: float = 0.0, volume: float = 10.0) -> Bars:
    """Hourly bars with these closes, as far above as below them."""
    return Bars.of(
        range(0, HOUR * len(closes), HOUR),
        open=closes,
        high=[close + reach for close in closes],
        low=[close - reach for close in closes],
        close=closes,
        volume=[volume] * len(closes),
    )


BARS = aapl()


@pytest.mark.parametrize("name", sorted(ORACLE))
def test_indicators_are_those_of_the_oracle(name: str) -> None:
    """Every bar, warm-up included, within the part of the largest value that the oracle allows."""
    key, chosen, output = NAMED[name]
    expected, got = ORACLE[name], compute(key, BARS, chosen)[output]
    first, values = expected["first_index"], expected["values"]
    allowed = expected["rel_to_max"] * max(abs(value) for value in values)
    assert got[:first] == [None] * first
    assert len(got) - first == len(values)
    assert all(
        value is not None and abs(value - wanted) <= allowed for value, wanted in zip(got[first:], values, strict=True)
    )


def complete(outputs: dict[str, Values]) -> int:
    """The first bar at which every output has a value."""
    return next(i for i, row in enumerate(zip(*outputs.values(), strict=True)) if None not in row)


@pytest.mark.parametrize("key", sorted(INDICATORS))
def test_warm_up_is_as_long_as_the_catalogue_says(key: str) -> None:
    """With the defaults and with periods one longer: all outputs are there at that bar, and not before."""
    indicator = INDICATORS[key]
    longer = {param.name: param.default + 1 for param in indicator.params if isinstance(param.default, int)}
    for chosen in ({}, longer):
        assert complete(dict(compute(key, BARS, chosen))) == indicator.warm_up(indicator.settings(chosen))


PRICES = st.floats(1, 1000, allow_nan=False)


@st.composite
def markets(draw: st.DrawFn) -> Bars:
    """Bars of a made-up market: real ranges, some flat stretches, some bars without volume."""
    closes = draw(st.lists(PRICES | st.just(100.0), min_size=1, max_size=120))
    reach = draw(st.lists(st.floats(0, 5) | st.just(0.0), min_size=len(closes), max_size=len(closes)))
    volume = draw(st.lists(st.integers(0, 10**6), min_size=len(closes), max_size=len(closes)))
    return Bars.of(
        range(0, 7 * HOUR * len(closes), 7 * HOUR),
        open=closes,
        high=[close + up for close, up in zip(closes, reach, strict=True)],
        low=[close - down for close, down in zip(closes, reach, strict=True)],
        close=closes,
        volume=volume,
    )


@pytest.mark.parametrize("key", sorted(INDICATORS))
@settings(max_examples=examples(15))
@given(bars=markets(), data=st.data())
def test_fed_bar_by_bar_or_whole_the_values_are_the_same(key: str, bars: Bars, data: st.DataObject) -> None:
    """The values of the first bars do not change, not in one bit, when others follow."""
    count = data.draw(st.integers(0, len(bars)))
    whole, part = compute(key, bars), compute(key, bars.first(count))
    assert {output: values[:count] for output, values in whole.items()} == part


def test_bar_by_bar_on_real_prices_every_indicator_is_the_same() -> None:
    """Each of 150 bars, computed when it was the last one."""
    whole = {key: compute(key, BARS.first(150)) for key in INDICATORS}
    for count in range(1, 151):
        bars = BARS.first(count)
        for key in INDICATORS:
            last = {output: values[-1] for output, values in compute(key, bars).items()}
            assert last == {output: values[count - 1] for output, values in whole[key].items()}, key


@pytest.mark.parametrize(
    "key", ["rsi", "stochastic", "stochastic_rsi", "williams_r", "cci", "mfi", "adx", "ultimate_oscillator"]
)
def test_a_flat_market_has_no_value_where_the_formula_divides_zero_by_zero(key: str) -> None:
    """Sixty bars at one price."""
    assert all(set(values) == {None} for values in compute(key, bars_of([5.0] * 60)).values())


def test_a_flat_window_has_no_rsi_and_a_moving_one_has() -> None:
    """Twenty rising bars, twenty flat ones, one that falls."""
    closes = [100.0 + i for i in range(20)] + [119.0] * 20 + [118.0]
    strength = compute("rsi", bars_of(closes))["rsi"]
    assert strength[14:20] == [100.0] * 6
    assert strength[32] == 100.0  # the last rise is 13 bars back, within the 14 changes of the window
    assert strength[33:40] == [None] * 7
    assert strength[40] is not None
    assert strength[40] < 100


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_is_refused_with_its_place(bad: float) -> None:
    """One NaN would poison every later value of a moving average."""
    with pytest.raises(Invalid, match="open of bar 1 is not a number"):
        bars_of([1.0, bad, 2.0])


def test_columns_of_other_lengths_are_refused() -> None:
    """A bar has one of each."""
    with pytest.raises(Invalid, match="high has 1 values for 2 bars"):
        Bars.of([0, 1], open=[1, 1], high=[1], low=[1, 1], close=[1, 1], volume=[1, 1])


@pytest.mark.parametrize(
    ("key", "chosen", "message"),
    [
        ("sma", {"period": 0}, "period is not within 2 and 10000: 0"),
        ("sma", {"period": "long"}, "period is not a number: long"),
        ("sma", {"length": 3}, "sma has no parameter length"),
        ("anchored_vwap", {"anchor": "minute"}, "anchor is not one of day, week, month, year: minute"),
        ("supertrend", {"multiplier": math.nan}, "multiplier is not within"),
        ("sma", {"period": math.inf}, "period is not a number: inf"),
    ],
)
def test_wrong_parameters_are_refused(key: str, chosen: dict[str, Any], message: str) -> None:
    """With the name of the parameter and what it may be."""
    with pytest.raises(Invalid, match=message):
        compute(key, BARS.first(5), chosen)


def test_an_unknown_indicator_is_not_found() -> None:
    """The message names those that there are."""
    with pytest.raises(NotFound, match="no indicator is called 'magic'"):
        compute("magic", BARS)


@settings(max_examples=examples(15))
@given(closes=st.lists(st.floats(-1e308, 1e308), max_size=60), volume=st.floats(0, 1e308))
@pytest.mark.parametrize("key", sorted(INDICATORS))
def test_any_finite_bars_give_finite_values_or_null(key: str, closes: list[float], volume: float) -> None:
    """Nothing raises, nothing is NaN or infinite, every bar has a place."""
    outputs = compute(key, bars_of(closes, volume=volume))
    assert all(len(values) == len(closes) for values in outputs.values())
    assert all(value is None or math.isfinite(value) for values in outputs.values() for value in values)


def test_keltner_is_the_ema_and_twice_the_atr() -> None:
    """Recounted from the two that it is made of."""
    channel, average = compute("keltner", BARS), compute("ema", BARS)["ema"]
    reach = compute("atr", BARS, {"period": 10})["atr"]
    for i in (25, 100, 1866):
        middle, width = average[i], reach[i]
        assert middle is not None
        assert width is not None
        assert channel["middle"][i] == middle
        assert channel["upper"][i] == pytest.approx(middle + 2 * width, rel=1e-14)
        assert channel["lower"][i] == pytest.approx(middle - 2 * width, rel=1e-14)


def test_ichimoku_draws_its_leading_spans_where_they_were_known() -> None:
    """By hand, at bar 200: middles of ranges that ended 26 bars before."""
    cloud = compute("ichimoku", BARS)

    def middle(end: int, length: int) -> float:
        window = slice(end - length + 1, end + 1)
        return float(BARS.high[window].max() + BARS.low[window].min()) / 2

    assert cloud["conversion"][200] == pytest.approx(middle(200, 9), rel=1e-14)
    assert cloud["base"][200] == pytest.approx(middle(200, 26), rel=1e-14)
    assert cloud["leading_a"][200] == pytest.approx((middle(174, 9) + middle(174, 26)) / 2, rel=1e-14)
    assert cloud["leading_b"][200] == pytest.approx(middle(174, 52), rel=1e-14)
    assert cloud["lagging"][200] == BARS.close[200]


def test_mfi_is_the_share_of_flow_on_rising_bars() -> None:
    """Typical prices 1, 2, 3, 2 and volumes 10: flows 20 + 30 up, 20 down in the window of 3 changes."""
    values = compute("mfi", bars_of([1.0, 2.0, 3.0, 2.0]), {"period": 3})["mfi"]
    assert values == [None, None, None, pytest.approx(100 * 50 / 70)]


def test_anchored_vwap_begins_anew_on_mondays() -> None:
    """1970-01-05 was a Monday; three bars before it, two from it on."""
    day = 24 * HOUR
    bars = Bars.of(
        [1 * day, 2 * day, 3 * day, 4 * day, 5 * day],
        **{name: [1.0, 2.0, 3.0, 10.0, 20.0] for name in ("open", "high", "low", "close")},
        volume=[1, 1, 2, 1, 3],
    )
    values = compute("anchored_vwap", bars, {"anchor": "week"})["vwap"]
    assert values == [1.0, 1.5, 2.25, 10.0, 17.5]


def test_before_the_first_volume_there_is_no_vwap() -> None:
    """Not zero, which is a price."""
    bars = bars_of([1.0, 2.0], volume=0.0)
    assert compute("vwap", bars)["vwap"] == [None, None]


def test_supertrend_turns_with_the_price() -> None:
    """A rise, then a fall below the stop."""
    closes = [100.0 + i for i in range(30)] + [129.0 - 4 * i for i in range(1, 20)]
    direction = compute("supertrend", bars_of(closes, reach=1.0))["direction"]
    assert direction[:10] == [None] * 10
    assert direction[29] == 1.0
    assert direction[-1] == -1.0


def test_the_catalogue_has_all_that_is_promised() -> None:
    """Every indicator of the specification."""
    promised = (
        "sma ema wma dema tema kama rsi macd bollinger stddev true_range atr natr stochastic stochastic_rsi adx cci "
        "williams_r roc momentum trix aroon ultimate_oscillator parabolic_sar obv ad adosc mfi vwap anchored_vwap "
        "keltner donchian supertrend linreg ichimoku"
    )
    assert set(promised.split()) <= set(INDICATORS)
    assert np.all([indicator.title and indicator.source for indicator in INDICATORS.values()])


def test_computing_an_indicator_loads_no_data_frames() -> None:
    """TA-Lib's package would load Polars and Pandas where they are installed; afterwards both can still be loaded."""
    code = (
        "import sys; from domain.metrics.indicators.ta_lib import ta_lib; ta_lib(); "
        "print(sorted({'talib', 'polars', 'pandas'} & set(sys.modules))); import polars"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert process.stdout == "['talib']\n"
