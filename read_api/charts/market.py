"""Charts of one market: its bars, and what an indicator makes of them. A page moves and zooms both."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from read_api.charts.columns import label
from read_api.charts.shapes import Rows
from read_api.charts.spec import Spec, amount, computed, instant, number, spec, time_axis, tips

DAY_MS = 86_400_000
ZOOM = "zoom"  # the parameter that a page moves and zooms a chart by
BODY = 0.7  # of the time of a bar, which its body takes
FALLEN: Spec = {"field": "way", "type": "nominal", "scale": {"domain": ["up", "down"]}, "legend": None}
FREE: Spec = {"scale": {"zero": False}}


def candles(rows: Rows) -> Sequence[tuple[str, Spec]]:
    """Open, high, low and close; the axis of the price fits what is shown of time."""
    starts = sorted(datetime.fromisoformat(row["start"]).timestamp() * 1000 for row in rows)
    half = min((after - before for before, after in pairwise(starts)), default=DAY_MS) * BODY / 2
    transform = [
        instant("start", "x"),
        *(number(name, name[0]) for name in ("open", "high", "low", "close")),
        computed(f"toDate(datum.x - {half})", "left"),
        computed(f"toDate(datum.x + {half})", "right"),
        computed("datum.c < datum.o ? 'down' : 'up'", "way"),
    ]
    prices = (("o", "Open"), ("h", "High"), ("l", "Low"), ("c", "Close"))
    tip = tips(("x", "From", "utc"), *((name, title, ",.4~f") for name, title in prices))
    shown = [{"filter": {"param": ZOOM}}]
    wick: Spec = {
        "x": time_axis("x"),
        "y": {**amount("l"), **FREE},
        "y2": {"field": "h"},
        "color": FALLEN,
        "tooltip": tip,
    }
    body: Spec = {
        **wick,
        "x": time_axis("left"),
        "x2": {"field": "right"},
        "y": {**amount("o"), **FREE},
        "y2": {"field": "c"},
    }
    layers = [
        {"params": [zoom()], "transform": shown, "mark": {"type": "rule", "clip": True}, "encoding": wick},
        {"transform": shown, "mark": {"type": "bar", "clip": True}, "encoding": body},
    ]
    return [("Open, high, low and close of each bar, by UTC; blue rose, vermilion fell", spec(transform, layer=layers))]


def indicator(rows: Rows) -> Sequence[tuple[str, Spec]]:
    """Each output of an indicator as a line."""
    outputs = [name for name in rows[0] if name != "start"]
    names = [label(name) for name in outputs]
    values = [number(name, title) for name, title in zip(outputs, names, strict=True)]
    encoding = {
        "x": time_axis("x"),
        "y": {**amount("y"), **FREE},
        "color": {"field": "what", "type": "nominal", "sort": names},
        "strokeDash": {"field": "what", "type": "nominal", "sort": names},
        "tooltip": tips(("x", "From", "utc"), ("what", "What", None), ("y", "Value", ",.4~f")),
    }
    transform = [instant("start", "x"), *values, {"fold": names, "as": ["what", "y"]}]
    mark = {"type": "line", "strokeWidth": 1.5, "clip": True}
    title = " and ".join(names) + " of each bar, by UTC"
    return [(title, spec(transform, mark=mark, encoding=encoding, params=[zoom()]))]


def zoom() -> Spec:
    """What lets a page move and zoom a chart in time."""
    return {"name": ZOOM, "select": {"type": "interval", "encodings": ["x"]}, "bind": "scales"}
