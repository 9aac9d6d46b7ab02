"""Market bars: open, high, low, close and volume by symbol and interval; coarser intervals rolled up from finer ones.

A bar published again replaces the earlier one. A bar of an interval that was not published is made, when asked for,
from the bars of the finest interval that lies in it: open of the first, close of the last, extremes, and exact volume.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.events.catalogue import INTERVALS
from projections.engine.declare.live_window import live_window
from projections.engine.declare.merge_rules import First, Key, Last, Max, Min, Moment, Money, Newest, Sum, Text
from projections.engine.declare.projection import Delta, Projection
from projections.engine.declare.rows import Columns, Row
from projections.engine.query.answer_row import AnswerTime, row_type
from projections.engine.query.formatting import money, show_time
from projections.engine.query.params import FROM, LIMIT, MAX_ROWS, TO, Param, read_choice, read_whole
from projections.engine.query.plain import Query, Selected, Statement
from projections.engine.query.request import Request
from projections.engine.query.row_limit import all_of, row_limit
from projections.engine.store.sql import equals

market_bars = Projection("market_bars", version=3)


class MarketBar(Row, open_to_members=True):
    """Bars as they were last published."""

    company_id: Key[Text]
    symbol: Key[Text]
    interval: Key[Text]
    start: Key[Moment]
    open: Newest[Money]
    high: Newest[Money]
    low: Newest[Money]
    close: Newest[Money]
    volume: Newest[Money]


@market_bars.folds("market_bar", into=MarketBar)
def published(_bar: Columns) -> Delta:
    """All columns are the bar's own."""
    return {}


LAST = Param("last", "only the last so many intervals before the newest bar's end", read_whole(1, MAX_ROWS))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PRICES = ("open", "high", "low", "close", "volume")
SPAN = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}

# In each cell of the asked interval's grid the most preferred interval is taken. A published bar stands as it is, also
# off the grid (a trading day that does not begin at midnight); the others of the cell are rolled up into one bar.
BARS = """
    SELECT bar AS start, (array_agg(open ORDER BY start))[1] AS open, MAX(high) AS high, MIN(low) AS low,
        (array_agg(close ORDER BY start DESC))[1] AS close, SUM(volume) AS volume
    FROM (
        SELECT *, CASE WHEN rank = 1 THEN start ELSE cell END AS bar, MIN(rank) OVER (PARTITION BY cell) AS best
        FROM (
            SELECT *, date_bin(%s, start, %s) AS cell, array_position(%s::text[], interval) AS rank
            FROM {{market_bar}} WHERE {where}
        ) AS placed
    ) AS ranked
    WHERE rank = best AND {within} GROUP BY bar ORDER BY bar LIMIT {limit}
"""


def length(interval: str) -> timedelta:
    """How long a bar of this interval is."""
    return int(interval[:-1]) * SPAN[interval[-1]]


def preference(interval: str) -> list[str]:
    """The interval asked for, then those that divide it, finest first."""
    finer = sorted(
        (i for i in INTERVALS if length(i) < length(interval) and not length(interval) % length(i)), key=length
    )
    return [interval, *finer]


def ask(request: Request) -> Statement:
    """Bars that begin in the period. Bars that are rolled up need what begins before the last of them ends."""
    width, intervals = length(request.get("interval")), preference(request.get("interval"))
    selected, within, cut = selects(request), ["true"], list[object]()
    for bound, operator in (("from", ">="), ("to", "<")):
        if (at := request.get(bound)) is not None:
            within.append(f"bar {operator} %s")
            cut.append(at)
    sql = BARS.format(where=selected.where, within=" AND ".join(within), limit=row_limit(request))
    return Statement(sql, (width, EPOCH, intervals, *selected.params, *cut))


def selects(request: Request) -> Selected:
    """Published bars of this interval and those that may be rolled up into it."""
    interval = request.get("interval")
    of_symbol, symbol = equals(MarketBar.table, "symbol", request.get("symbol"))
    where = ["company_id = %s", of_symbol, "interval = ANY(%s)"]
    params: list[object] = [request.company, *symbol, preference(interval)]
    if (begin := request.get("from")) is not None:
        where.append("start >= %s")
        params.append(begin)
    if (end := request.get("to")) is not None:
        where.append("start < %s + %s")
        params += [end, length(interval)]
    if (last := request.get("last")) is not None:
        newest = f"SELECT MAX(start) FROM {{market_bar}} WHERE company_id = %s AND {of_symbol} AND interval = ANY(%s)"
        where.append(f"start > ({newest}) - %s")
        params += [request.company, *symbol, preference(interval), last * length(interval)]
    return Selected(MarketBar.table, " AND ".join(where), tuple(params))


def shape(request: Request, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Prices and volume as exact decimal texts. Raises LimitExceeded for too many."""
    bars = all_of(request, rows)
    return [{name: show_time(v) if name == "start" else money(v) for name, v in bar.items()} for bar in bars]


market_bars.windows += [
    live_window(
        "market_bars",
        of=MarketBar,
        time="start",
        only={"interval": "1m"},
        across={"open": First, "high": Max, "low": Min, "close": Last, "volume": Sum},
        summary="Published bars of one minute; longer windows are rolled up from them.",
    )
]

market_bars.queries += [
    Query(
        "market_bars",
        "Bars of one symbol by start: as published, or rolled up from finer ones where none of this interval was.",
        (
            Param("symbol", "the instrument", required=True),
            Param("interval", f"length of a bar: {', '.join(INTERVALS)}", read_choice(*INTERVALS), required=True),
            FROM,
            TO,
            LAST,
            LIMIT,
        ),
        ask,
        shape,
        selects=selects,
        open_to_members=True,
        row=row_type("market_bars", {"start": AnswerTime} | dict.fromkeys(PRICES, str)),
    )
]
