"""The parts that specifications of Vega-Lite are put together of.

Rows come as the query answers them (money as text, days as text): what a chart needs of them it computes itself, so
that a page hands it new rows as they are. The data set is called `rows`; who draws the chart gives it, and the size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Spec = dict[str, Any]
ROWS = "rows"
DIGITS = ",.15~r"  # an amount to its last digit, in which a double holds no more than fifteen
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
    """What is shown where the pointer is: column, title, and the form of a number, `utc` for a day, None for a text."""
    return [_tip(*column) for column in columns]


def _tip(name: str, title: str, text: str | None) -> Spec:
    if text is None:
        return {"field": name, "type": "nominal", "title": title}
    if text == "utc":
        return {"field": name, "type": "temporal", "title": title, "format": "%Y-%m-%d", "timeUnit": "utcyearmonthdate"}
    return {"field": name, "type": "quantitative", "title": title, "format": text}
