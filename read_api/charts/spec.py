"""The parts that specifications of Vega-Lite are put together of.

Rows come as the query answers them (money as text, days as text): what a chart needs of them it computes itself, so
that a page hands it new rows as they are. The data set is called `rows`; who draws the chart gives it, and the size.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

Spec = dict[str, Any]
ROWS = "rows"
DIGITS = ",.15~r"  # an amount to its last digit, in which a double holds no more than fifteen
DAY, YEAR, MINUTE = timedelta(days=1), timedelta(days=366), timedelta(minutes=1)
DAY_MINUTES = 24 * 60
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"


def spec(transform: Sequence[Spec], **parts: Any) -> Spec:
    """A chart of those rows, as large as its place."""
    return {
        "$schema": SCHEMA,
        "data": {"name": ROWS},
        "width": "container",
        "height": "container",
        "autosize": {"type": "fit", "contains": "padding"},
        "transform": list(transform),
        **parts,
    }


def computed(expression: str, name: str) -> Spec:
    """A column that is computed of the others of its row."""
    return {"calculate": expression, "as": name}


def number(name: str, to: str, sign: str = "") -> Spec:
    """A column as a number, null where there is none."""
    return computed(f"isValid(datum['{name}']) ? {sign}toNumber(datum['{name}']) : null", to)


def instant(name: str, to: str) -> Spec:
    """A column of days, months or moments as time."""
    return computed(f"toDate(datum['{name}'])", to)


def on_clocks(drawn: Spec, name: str, rows: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> Spec:
    """The chart with a column of moments as the clocks of a zone show them, on the axis that is drawn as UTC."""
    plain = instant(name, "")["calculate"]
    days = [datetime.fromisoformat(row[name]).date() for row in rows if row.get(name)]
    offset = _offset(plain, zone, min(days), max(days))
    shown = f"isValid(datum['{name}']) ? {plain} + ({offset}) : null"
    steps = [{**step, "calculate": shown} if step.get("calculate") == plain else step for step in drawn["transform"]]
    return {**drawn, "transform": steps}


@lru_cache(1_000)
def _offset(at: str, zone: ZoneInfo, first: date, last: date) -> str:
    """An expression for what clocks are ahead of UTC at a moment of these days, or of the year after: milliseconds."""
    day = datetime(first.year, first.month, first.day, tzinfo=UTC) - DAY
    end = datetime(last.year, last.month, last.day, tzinfo=UTC) + YEAR
    expression, known = "", _ahead(day, zone)
    while day < end:
        day += DAY
        if (ahead := _ahead(day, zone)) != known:
            changed = bisect_left(range(DAY_MINUTES), True, key=lambda m: _ahead(day - DAY + m * MINUTE, zone) != known)
            at_ms = round((day - DAY + changed * MINUTE).timestamp() * 1000)
            expression += f"{at} < {at_ms} ? {known} : "
            known = ahead
    return f"{expression}{known}"


def _ahead(at: datetime, zone: ZoneInfo) -> int:
    return round((at.astimezone(zone).utcoffset() or timedelta()).total_seconds() * 1000)


def time_axis(name: str) -> Spec:
    """Time from left to right, in UTC as all days are."""
    return {"field": name, "type": "temporal", "scale": {"type": "utc"}, "title": None, "axis": {"grid": False}}


def amount(name: str, title: str | None = None, text: str = "~s", *, zero: bool = True) -> Spec:
    """A measure, from below to above."""
    scale = {"zero": zero, "nice": True}
    return {
        "field": name,
        "type": "quantitative",
        "title": title,
        "axis": {"format": text, "tickCount": 4},
        "scale": scale,
    }


def tips(*columns: tuple[str, str, str | None]) -> list[Spec]:
    """What is shown where the pointer is: column, title, and a form.

    That is the form of a number, `utc` for a day, `minute` for a moment, None for a text.
    """
    return [_tip(*column) for column in columns]


def _tip(name: str, title: str, text: str | None) -> Spec:
    if text is None:
        return {"field": name, "type": "nominal", "title": title}
    if text == "utc":
        return {"field": name, "type": "temporal", "title": title, "format": "%Y-%m-%d", "timeUnit": "utcyearmonthdate"}
    if text == "minute":
        unit = "utcyearmonthdatehoursminutes"
        return {"field": name, "type": "temporal", "title": title, "format": "%Y-%m-%d %H:%M", "timeUnit": unit}
    return {"field": name, "type": "quantitative", "title": title, "format": text}
