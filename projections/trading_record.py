"""A trading record out of the read models: the trades that are asked about, and what their account was worth.

One statement gives everything as packed columns of one snapshot. Equity belongs to accounts: asked about a strategy, a
symbol, a side or a tag, a record has profit and loss alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from projections.engine.composed import Select
from projections.engine.kinds import MS_PER_DAY
from projections.engine.packed import bounded
from projections.engine.query import Param, Request, Statement, read_choice, read_time
from projections.trading_ledger import only, read_trades
from projections.trading_ledger import trades as ledger

if TYPE_CHECKING:
    from domain.metrics.trading.daily import Booked, Daily
    from domain.metrics.trading.record import TradingRecord
    from domain.metrics.trading.trades import Trades

MOST_TRADES = 200_000
OF_ACCOUNTS, OF_TRADES = ("user_id", "account_id"), ("strategy", "symbol", "side")
BASES = ("best", "marked", "equity", "pnl")


def read_midnight(text: str) -> datetime:
    """A day's beginning, UTC: bookings are kept by the day."""
    moment = read_time(text)
    if (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() % 86_400:
        raise ValueError(f"{text!r} is inside a day, and bookings are kept by the day")
    return moment


PERIOD = (
    Param("from", "first day of exit (inclusive), UTC", read_midnight),
    Param("to", "end (exclusive): a day, UTC", read_midnight),
)
FILTERS = (
    *(Param(name, f"only trades with this {name}") for name in (*OF_ACCOUNTS, *OF_TRADES)),
    Param("tag", "only trades that carry this tag"),
)
SERIES = (
    Param("calendar", "days of the account: weekdays (252 a year, the default) or all (365)",
          read_choice("weekdays", "all")),
    Param("basis", "what returns are taken of: best (the default: what is known), marked, equity or pnl",
          read_choice(*BASES)),
)  # fmt: skip
RECORD = (*PERIOD, *FILTERS, *SERIES)

FLOWS = """
    SELECT array_agg(day ORDER BY day) AS flow_days, array_agg(amount ORDER BY day) AS flows,
        (SELECT SUM(pnl) FROM {{trade}} WHERE {earlier}) AS earned_before
    FROM (
        SELECT day, SUM(flows) AS amount FROM {{account_day}} WHERE {scope} GROUP BY day HAVING SUM(flows) <> 0
    ) AS booked
"""
# A value of several accounts is the sum of the last known one of each. An account that joins later brings its first
# value along as a flow, so that what moved on it before counts for nothing.
VALUES = """
    SELECT * FROM (
        SELECT array_agg(day ORDER BY day) AS value_days, array_agg(change ORDER BY day) AS changes
        FROM (SELECT day, SUM(equity - COALESCE(before, 0)) AS change FROM valued GROUP BY day) AS changed
    ) AS marked CROSS JOIN (
        SELECT array_agg(day ORDER BY day) AS moved_days, array_agg(amount ORDER BY day) AS moved FROM (
            SELECT day, SUM(amount) AS amount FROM (
                SELECT day, equity AS amount FROM valued WHERE before IS NULL
                UNION ALL
                SELECT day, flows FROM {{account_day}} JOIN (
                    SELECT user_id, account_id, MIN(day) AS since FROM valued GROUP BY user_id, account_id
                ) AS joined USING (user_id, account_id) WHERE {scope} AND flows <> 0 AND day > since
            ) AS moves GROUP BY day
        ) AS summed
    ) AS flowed CROSS JOIN (
        SELECT EXISTS (SELECT FROM {{account_day}} WHERE {scope} AND (user_id, account_id) NOT IN (
            SELECT user_id, account_id FROM valued
        )) AS unvalued
    ) AS known
"""
VALUED = """
    SELECT user_id, account_id, day, equity,
        lag(equity) OVER (PARTITION BY user_id, account_id ORDER BY day) AS before
    FROM {{account_value}} WHERE {scope}
"""


def asked(request: Request) -> Select:
    """The statement for a record: one row."""
    where, params = trades_where(request)
    trades = ledger(where, most=MOST_TRADES)
    if not has_equity(request):
        return Select("trading", Statement(trades, params))
    scope, of_scope = _scope(request, "day")
    earlier, of_earlier = _earlier(request)
    flows, values = FLOWS.format(scope=scope, earlier=earlier), VALUES.format(scope=scope)
    sql = (
        f"WITH valued AS ({VALUED.format(scope=scope)})"
        f" SELECT * FROM ({trades}) AS t CROSS JOIN ({flows}) AS f CROSS JOIN ({values}) AS v"
    )
    return Select("trading", Statement(sql, (*of_scope, *params, *of_earlier, *of_scope, *of_scope, *of_scope)))


def has_equity(request: Request) -> bool:
    """Whether what is asked about is whole accounts, whose equity is known."""
    return request.get("basis") != "pnl" and not any(request.get(name) is not None for name in (*OF_TRADES, "tag"))


def trades_where(request: Request) -> tuple[str, tuple[object, ...]]:
    """Condition of the trades that are asked about."""
    where, params = _same(request, (*OF_ACCOUNTS, *OF_TRADES))
    if (tag := request.get("tag")) is not None:
        condition, value = only("tag", tag)
        where.append(condition)
        params.append(value)
    for bound, operator in (("from", ">="), ("to", "<")):
        if (at := request.get(bound)) is not None:
            where.append(f"closed_at {operator} %s")
            params.append(at)
    return " AND ".join(where), tuple(params)


def _scope(request: Request, column: str) -> tuple[str, tuple[object, ...]]:
    """Condition of the accounts, up to the end of the period."""
    where, params = _same(request, OF_ACCOUNTS)
    if (end := request.get("to")) is not None:
        where.append(f"{column} < %s{'::date' if column == 'day' else ''}")
        params.append(end)
    return " AND ".join(where), tuple(params)


def _earlier(request: Request) -> tuple[str, tuple[object, ...]]:
    """Condition of the accounts' trades before the period."""
    where, params = _same(request, OF_ACCOUNTS)
    if (begin := request.get("from")) is None:
        return "false", ()
    return " AND ".join([*where, "closed_at < %s"]), (*params, begin)


def _same(request: Request, names: Sequence[str]) -> tuple[list[str], list[object]]:
    given = [name for name in names if request.get(name) is not None]
    return ["company_id = %s", *(f"{name} = %s" for name in given)], [request.company, *map(request.get, given)]


def read_record(request: Request, row: Mapping[str, Any]) -> TradingRecord:
    """The record of a row of the statement. Raises LimitExceeded for more trades than are read."""
    from domain.metrics.trading.record import TradingRecord

    bounded(row["trades"], MOST_TRADES, "trades")
    trades = read_trades(row)
    begin, end = (_ms(request.get(bound)) for bound in ("from", "to"))
    return TradingRecord(trades, _daily(request, row, trades), begin, end)


def _daily(request: Request, row: Mapping[str, Any], trades: Trades) -> Daily:
    """The series on the basis that is asked for, or the best one that is known of all accounts."""
    from domain.metrics.trading.calendars import Calendar
    from domain.metrics.trading.daily import Booked, from_flows, from_pnl, from_values

    calendar, basis = Calendar(request.get("calendar", "weekdays")), request.get("basis", "best")
    earned = Booked(trades.closed_at // MS_PER_DAY, trades.pnl)
    if has_equity(request):
        if row["value_days"] and basis != "equity" and (basis == "marked" or not row["unvalued"]):
            return from_values(*_marked(request, row), calendar)
        if row["flows"] and basis != "marked":
            return from_flows(earned, _with_opening(request, row, calendar), calendar)
    return from_pnl(earned, calendar)


def _marked(request: Request, row: Mapping[str, Any]) -> tuple[Booked, Booked]:
    """Values and flows from the last value before the period on."""
    from domain.metrics.trading.daily import Booked
    from domain.metrics.trading.whole import running

    changed, moved = _booked(row["value_days"], row["changes"]), _booked(row["moved_days"], row["moved"])
    values = Booked(changed.days, running(changed.amounts))
    begin = _ms(request.get("from"))
    if begin is None:
        return values, moved
    first = max(0, int(values.days.searchsorted(begin // MS_PER_DAY)) - 1)
    return Booked(values.days[first:], values.amounts[first:]), moved


def _with_opening(request: Request, row: Mapping[str, Any], calendar: Any) -> Booked:
    """The flows of the period; what was there before it is one flow on the last day before."""
    import numpy as np

    from domain.metrics.trading.calendars import days_of, ordinals
    from domain.metrics.trading.whole import total

    flows = _booked(row["flow_days"], row["flows"])
    begin = _ms(request.get("from"))
    if begin is None:
        return flows
    first = np.array([begin // MS_PER_DAY], np.int64)
    earlier = flows.days < first
    opening = total(flows.amounts[earlier]) + int(row["earned_before"] or 0)
    day = int(days_of(ordinals(first, calendar) - 1, calendar)[0])
    later = [(int(d), int(a)) for d, a in zip(flows.days[~earlier], flows.amounts[~earlier], strict=True)]
    kept = [(day, opening), *later] if opening else later
    return numbered([d for d, _ in kept], [a for _, a in kept])


def _booked(dates: Iterable[Any] | None, amounts: Iterable[Any] | None) -> Booked:
    epoch = datetime(1970, 1, 1).toordinal()
    return numbered([d.toordinal() - epoch for d in dates or ()], [int(a) for a in amounts or ()])


def numbered(numbers: list[int], amounts: list[int]) -> Booked:
    """Amounts of days by their numbers since 1970."""
    import numpy as np

    from domain.metrics.trading.daily import Booked
    from domain.metrics.trading.whole import whole

    return Booked(np.array(numbers, np.int64), whole(amounts))


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)
