"""Indicators: technical indicators on the bars of a symbol, and the list of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import UNSET, UnsetType, field

from domain.events.catalogue import INTERVALS
from projections.engine.query.answer_row import AnswerRow, Rows
from projections.engine.query.composed import Composed, Part
from projections.engine.query.packed_columns import bounded
from projections.engine.query.params import FROM, TO, Param, read_choice, read_whole
from projections.engine.query.request import Request
from projections.market_bars import LAST, length

MOST_BARS = 100_000
LEAD = 500  # intervals before `from` whose bars are read, so that averages have settled
MOST_LEAD = 10_000
PRICES = ("open", "high", "low", "close", "volume")


class Setting(AnswerRow, kw_only=True):
    """A setting of an indicator: its default, and its choices or bounds."""

    name: str
    default: float | str
    choices: list[str] = field(default_factory=list)
    least: float | UnsetType = UNSET
    most: float | UnsetType = UNSET


class IndicatorEntry(AnswerRow, kw_only=True):
    """An indicator: what it takes, what it gives, and where its formula is from."""

    indicator: str
    title: str
    params: list[Setting]
    outputs: list[str]
    source: str


def read_settings(text: str) -> dict[str, str]:
    """Settings of an indicator: name=value, comma-separated.

    Raises ValueError for anything else, and for a name given twice.
    """
    pairs = [pair.partition("=") for pair in text.split(",") if pair]
    wrong = [name for name, equals, value in pairs if not (name and equals and value)]
    if wrong or len({name for name, _, _ in pairs}) < len(pairs):
        raise ValueError(f"{text!r} is no list of name=value, each once")
    return {name: value for name, _, value in pairs}


def bars(request: Request) -> Mapping[str, Part]:
    """The bars of the period, and before it those of the lead."""
    params = {name: request.get(name) for name in ("symbol", "interval")}
    if (end := request.get("to")) is not None:
        params["to"] = end.isoformat()
    if (begin := request.get("from")) is not None:
        params["from"] = (begin - _lead(request)).isoformat()
    if (last := request.get(LAST.name)) is not None:
        params[LAST.name] = str(last)
    return {"bars": Part("market_bars", params)}


def _lead(request: Request) -> timedelta:
    """How long before the period to begin; what sums up from a beginning begins with the period itself."""
    from domain.metrics.indicators.catalogue import INDICATORS

    if request.get("from").year < 1971:  # there is nothing before
        return timedelta(0)
    indicator = INDICATORS.get(request.get("indicator"))
    sums_up = indicator is not None and indicator.warm_up(indicator.settings(request.get("params", {}))) == 0
    bars: int = request.get("lead", 0 if sums_up else LEAD)
    return bars * length(request.get("interval"))


def values(request: Request, rows: Mapping[str, Rows]) -> Rows:
    """A row a bar of the period: each output of the indicator, null in the warm-up.

    Raises LimitExceeded for too many bars, NotFound for an indicator that there is not, Invalid for its settings.
    """
    from domain.metrics.indicators.bars import Bars
    from domain.metrics.indicators.catalogue import compute

    priced = rows["bars"]
    bounded(len(priced), MOST_BARS, "bars")
    starts = [datetime.fromisoformat(row["start"]) for row in priced]
    columns = {name: [float(row[name]) for row in priced] for name in PRICES}
    bars = Bars.of((round(start.timestamp() * 1000) for start in starts), **columns)
    outputs = compute(request.get("indicator"), bars, request.get("params", {}))
    begin = request.get("from")
    shown = [place for place, start in enumerate(starts) if begin is None or start >= begin]
    return [{"start": priced[i]["start"], **{name: column[i] for name, column in outputs.items()}} for i in shown]


def listed(_request: Request, _rows: Mapping[str, Rows]) -> list[IndicatorEntry]:
    """A row an indicator: its settings with defaults and bounds, its outputs, its source."""
    from domain.metrics.indicators.catalogue import INDICATORS

    return [
        IndicatorEntry(
            indicator=key,
            title=each.title,
            params=[_setting(param) for param in each.params],
            outputs=list(each.outputs),
            source=each.source,
        )
        for key, each in sorted(INDICATORS.items())
    ]


def _setting(param: Any) -> Setting:
    if param.choices:
        return Setting(name=param.name, default=param.default, choices=list(param.choices))
    return Setting(name=param.name, default=param.default, least=param.least, most=param.most)


INDICATOR = Composed(
    "indicator",
    "A technical indicator on the bars of one symbol; null in its warm-up.",
    (
        Param("symbol", "the instrument", required=True),
        Param("interval", f"length of a bar: {', '.join(INTERVALS)}", read_choice(*INTERVALS), required=True),
        Param("indicator", "its key, out of the query indicators", required=True),
        Param("params", "its settings as name=value, comma-separated; defaults for the others", read_settings),
        FROM,
        TO,
        LAST,
        Param(
            "lead",
            f"intervals before `from` that are read to warm up, {LEAD} by default; 0 for what has no warm-up",
            read_whole(0, MOST_LEAD),
        ),
    ),
    bars,
    values,
    dict[str, Any],  # `start`, and each output of the indicator under its name
    slow=True,
    open_to_members=True,
)
INDICATORS_LISTED = Composed(
    "indicators",
    "The technical indicators there are, with their settings, outputs and sources.",
    (),
    lambda _request: {},
    listed,
    IndicatorEntry,
    slow=True,
    open_to_members=True,
)
