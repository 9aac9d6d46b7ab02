"""The charts of a tile, by its kind: specifications of Vega-Lite over its rows as the query answers them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from domain.company_calendar import UTC_CALENDAR, week_start, zone_of
from domain.configuration.company import Calendar
from read_api.charts import special
from read_api.charts.columns import MOMENT, MONEY, TIMES, kind_of, label
from read_api.charts.shapes import ALONG, CURRENCY, Rows, Shape, currency_of, shape_of
from read_api.charts.spec import DIGITS, Spec, amount, computed, instant, number, on_clocks, spec, time_axis, tips


class Chart(NamedTuple):
    """One chart: what it shows in words, and its specification."""

    title: str
    spec: Spec


Draw = Callable[[Rows, Shape], Spec]


def charts_of(
    kind: str, query: str, params: Mapping[str, str], rows: Rows, calendar: Calendar = UTC_CALENDAR
) -> tuple[Chart, ...]:
    """The charts of a tile, one below the other; none for kinds that are no charts and rows that cannot be drawn.

    `calendar`: by whose clocks and weeks time is drawn, but for bars of a market, which are UTC.
    """
    if not rows:
        return ()
    if (own := special.charts_of(kind, query, rows, week_start(calendar))) is not None:
        return tuple(_with_currency(Chart(*each), rows) for each in own)
    draw, shape = KINDS.get(kind), shape_of(query, rows)
    if draw is None or shape is None:
        return ()
    drawn, along = draw(rows, shape), kind_of(shape.along, [row.get(shape.along) for row in rows[:50]])
    if along == MOMENT:
        drawn = on_clocks(drawn, shape.along, rows, zone_of(calendar))
    chart = Chart(_title(shape, params), drawn)
    in_money = any(kind_of(name, [row.get(name) for row in rows[:50]]) == MONEY for name in shape.measures)
    return (_with_currency(chart, rows) if in_money else chart,)


def _with_currency(chart: Chart, rows: Rows) -> Chart:
    """The chart with the currency of its amounts in its title and in its tips."""
    currency = currency_of(rows)
    if not isinstance(currency, str) or not currency:
        return chart
    layers = [chart.spec, *chart.spec.get("layer", ())]
    for tip in (layer["encoding"]["tooltip"] for layer in layers if "tooltip" in layer.get("encoding", {})):
        tip += tips((CURRENCY, "Currency", None))
    return Chart(f"{chart.title}, in {currency}", chart.spec)


def _title(shape: Shape, params: Mapping[str, str]) -> str:
    measures = " and ".join(label(name) for name in shape.measures)
    by = f", by {label(shape.series).lower()}" if shape.series else ""
    return f"{measures} by {label(shape.along).lower()}{by}"


def _along(rows: Rows, shape: Shape) -> tuple[Spec, Spec, str]:
    """The transformation and the axis of the column that runs along, and how its tip is written."""
    kind = kind_of(shape.along, [row.get(shape.along) for row in rows[:50]])
    if kind in TIMES or (shape.along in ALONG and isinstance(rows[0].get(shape.along), str)):
        return instant(shape.along, "x"), time_axis("x"), "minute" if kind == MOMENT else "utc"
    axis = {"field": "x", "type": "ordinal", "title": label(shape.along), "sort": None, "axis": {"labelAngle": 0}}
    return computed(f"datum['{shape.along}']", "x"), axis, ""


def _series(rows: Rows, shape: Shape, mark: Spec) -> Spec:
    """Measures along something, each a line, area or bar; told apart by colour and, as lines, by dash."""
    x, axis, tip = _along(rows, shape)
    if len(shape.measures) > 1:
        names = [label(name) for name in shape.measures]
        parts = [number(name, called) for name, called in zip(shape.measures, names, strict=True)]
        transform, series = [x, *parts, {"fold": names, "as": ["series", "y"]}], "series"
    else:
        transform, series = [x, number(shape.measures[0], "y")], shape.series
    called = label(shape.measures[0]) if len(shape.measures) == 1 else None
    encoding: Spec = {
        "x": axis,
        "y": amount("y", called, zero=mark["type"] != "line"),
        "tooltip": tips(("x", label(shape.along), tip or None), ("y", called or "Value", DIGITS)),
    }
    if series:
        encoding["color"] = {"field": series, "type": "nominal"}
        encoding["tooltip"] += tips((series, label(series), None))
        if mark["type"] == "line":
            encoding["strokeDash"] = {"field": series, "type": "nominal"}
    return spec(transform, mark=mark, encoding=encoding)


def _line(rows: Rows, shape: Shape) -> Spec:
    return _series(rows, shape, {"type": "line", "strokeWidth": 1.75, "clip": True, "point": len(rows) < 3})


def _area(rows: Rows, shape: Shape) -> Spec:
    mark = {"type": "area", "line": {"strokeWidth": 1.5}, "opacity": 0.85, "fillOpacity": 0.18, "clip": True}
    return _series(rows, shape, mark)


def _bar(rows: Rows, shape: Shape) -> Spec:
    """Bars side by side along time, else one below the other, so that long names have a place."""
    if _along(rows, shape)[2]:
        return _series(rows, shape, {"type": "bar"})
    measure = label(shape.measures[0])
    encoding = {
        "y": {"field": shape.along, "type": "nominal", "title": None, "sort": None, "axis": {"labelLimit": 140}},
        "x": amount("y", measure),
        "tooltip": tips((shape.along, label(shape.along), None), ("y", measure, DIGITS)),
    }
    return spec([number(shape.measures[0], "y")], mark={"type": "bar"}, encoding=encoding)


def _pie(rows: Rows, shape: Shape) -> Spec:
    measure = label(shape.measures[0])
    encoding = {
        "theta": {"field": "y", "type": "quantitative", "stack": True},
        "color": {"field": shape.along, "type": "nominal", "sort": None, "legend": {"orient": "bottom", "columns": 2}},
        "order": {"field": "y", "type": "quantitative", "sort": "descending"},
        "tooltip": tips((shape.along, label(shape.along), None), ("y", measure, DIGITS)),
    }
    return spec([number(shape.measures[0], "y")], mark={"type": "arc", "innerRadius": 36}, encoding=encoding)


def _scatter(rows: Rows, shape: Shape) -> Spec:
    numbers = [name for name in rows[0] if kind_of(name, [row.get(name) for row in rows[:50]]) not in (*TIMES, "text")]
    first, second = numbers[:2] if len(numbers) > 1 else (shape.measures[0], shape.measures[0])
    encoding = {
        "x": amount("x", label(first)),
        "y": amount("y", label(second)),
        "tooltip": tips(("x", label(first), DIGITS), ("y", label(second), DIGITS)),
    }
    return spec([number(first, "x"), number(second, "y")], mark={"type": "point", "size": 22}, encoding=encoding)


def _histogram(rows: Rows, shape: Shape) -> Spec:
    measure = label(shape.measures[0])
    encoding = {
        "x": {"field": "y", "type": "quantitative", "bin": {"maxbins": 40}, "title": measure, "axis": {"format": "~s"}},
        "y": {"aggregate": "count", "type": "quantitative", "title": "How many", "axis": {"tickCount": 4}},
        "tooltip": [
            {"bin": {"maxbins": 40}, "field": "y", "title": measure},
            {"aggregate": "count", "title": "How many"},
        ],
    }
    return spec([number(shape.measures[0], "y")], mark={"type": "bar"}, encoding=encoding)


def _heat_map(rows: Rows, shape: Shape) -> Spec:
    across = shape.series or next((name for name in rows[0] if name not in (shape.along, *shape.measures)), shape.along)
    encoding = {
        "x": {"field": shape.along, "type": "ordinal", "title": label(shape.along), "axis": {"labelAngle": 0}},
        "y": {"field": across, "type": "ordinal", "title": label(across)},
        "color": {"field": "y", "type": "quantitative", "title": None, "legend": {"format": "~s"}},
        "tooltip": tips((shape.along, label(shape.along), None), ("y", label(shape.measures[0]), DIGITS)),
    }
    return spec([number(shape.measures[0], "y")], mark={"type": "rect"}, encoding=encoding)


KINDS: Mapping[str, Draw] = MappingProxyType(
    {
        "line": _line,
        "area": _area,
        "bar": _bar,
        "stacked_bar": _bar,
        "pie": _pie,
        "waterfall": _bar,
        "heat_map": _heat_map,
        "scatter": _scatter,
        "histogram": _histogram,
        "funnel": _bar,
        "candles": _line,
    }
)
IS_CHART = frozenset(KINDS)


def columns_drawn(charts: tuple[Chart, ...], row: Mapping[str, Any]) -> list[str]:
    """Which columns of a row the charts read, so that a page need not carry the others."""
    words = set(re.findall(r"\w+", str([chart.spec for chart in charts])))
    return [name for name in row if name in words]
