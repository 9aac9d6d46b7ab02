"""Which columns of a query's rows a chart of each kind shows; for queries that are not named, the first that fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from read_api.charts.columns import NUMBERS, TIMES, kind_of

Rows = Sequence[Mapping[str, Any]]
CURRENCY = "currency"
LOOKED_AT = 50  # rows, to see what a column holds
MOST_SERIES = 5
ALONG = ("day", "week", "month", "hour", "minute", "start", "at")  # columns that are time


class Shape(NamedTuple):
    """The column that runs along, the measures, and the column whose values are series (empty: none)."""

    along: str
    measures: tuple[str, ...]
    series: str = ""


SHAPES: Mapping[str, Shape] = MappingProxyType(
    {
        "trading_equity": Shape("day", ("equity",)),
        "operations": Shape("day", ("count",)),
        "active_users": Shape("day", ("dau", "wau", "mau")),
        "mrr_mix": Shape("plan", ("mrr",)),
        "segments": Shape("segment", ("users",)),
        "stickiness": Shape("days", ("users",)),
        "trading_totals": Shape("day", ("total_pnl",)),
        "trading_league": Shape("strategy", ("total_pnl",)),
        "user_activity": Shape("day", ("active_users",)),
    }
)


def shape_of(query: str, rows: Rows) -> Shape | None:
    """What to show of these rows; None where nothing can be drawn of them."""
    names = {name: kind_of(name, [row.get(name) for row in rows[:LOOKED_AT]]) for name in (rows[0] if rows else ())}
    known = SHAPES.get(query)
    if known is not None and {known.along, *known.measures} <= names.keys():
        return known
    beside = () if _differs(rows, CURRENCY) else (CURRENCY,)  # it says what amounts are in, and is told beside them
    plain = [name for name in names if name not in ("definition_version", "short_sample", "rank", *beside)]
    times = [name for name in plain if names[name] in TIMES or name in ALONG]
    numbers = [name for name in plain if names[name] in NUMBERS and name not in times]
    texts = [name for name in plain if names[name] == "text" and name not in times and _is_text(rows, name)]
    if not numbers or not (times or texts or len(numbers) > 1):
        return None
    along = (times or texts or numbers)[0]
    measure = next(name for name in numbers if name != along)
    series = texts[0] if times and texts and _few(rows, texts[0]) else ""
    return Shape(along, (measure,), series)


def _is_text(rows: Rows, name: str) -> bool:
    return all(isinstance(row.get(name), str | int | None) and not isinstance(row.get(name), bool) for row in rows)


def _differs(rows: Rows, name: str) -> bool:
    return len({row.get(name) for row in rows}) > 1


def currency_of(rows: Rows) -> str | None:
    """The currency that all rows name; None where they name none or several."""
    return None if not rows or _differs(rows, CURRENCY) else rows[0].get(CURRENCY)


def _few(rows: Rows, name: str) -> bool:
    return 1 < len({row.get(name) for row in rows}) <= MOST_SERIES
