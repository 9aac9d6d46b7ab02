"""Trading records out of the ledger, for metrics that look at each trade and day: one row of arrays a group.

Flows and account values belong to accounts: where trades are split or chosen by anything else, there are none, and the
daily series is of profit and loss alone. Marked values are taken where the group has one account.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING

from domain.errors import Invalid
from projections.engine.composed import Select
from projections.engine.kinds import MS_PER_DAY
from projections.engine.query import Statement
from projections.metric_sources import Rows, Source, Sums, Wanted, ms
from projections.trading_ledger import only, read_trades, trades
from projections.trading_record import numbered

if TYPE_CHECKING:
    from domain.metrics.trading.daily import Booked
    from domain.metrics.trading.record import TradingRecord

OF_ACCOUNT = frozenset({"user_id", "account_id"})
UNIX_DAY = date(1970, 1, 1).toordinal()


def _where(wanted: Wanted, *, open_start: bool = False) -> tuple[str, list[object]]:
    begin, end = wanted.span.days
    conditions, params = ["company_id = %s", "day < %s"], list[object]([wanted.company, end])
    if not open_start:
        conditions.append("day >= %s")
        params.append(begin)
    for name, value in wanted.only.items():
        conditions.append(f'"{name}" = %s')
        params.append(value)
    return " AND ".join(conditions), params


def _grouped(wanted: Wanted) -> tuple[str, str]:
    listed = ", ".join(f'"{name}"' for name in wanted.by)
    return (f"{listed}, ", f" GROUP BY {listed}") if listed else ("", "")


def _trades(wanted: Wanted) -> Select:
    where, params = "company_id = %s AND closed_at >= %s AND closed_at < %s", [wanted.company, *wanted.span.bounds]
    for name, text in wanted.only.items():
        try:
            condition, value = only(name, text)
        except ValueError as error:
            raise Invalid(f"parameter {name} of metric: {error}", code="bad_parameter") from None
        where += f" AND {condition}"
        params.append(value)
    return Select("trading", Statement(trades(where, wanted.by), tuple(params)))


def _flows(wanted: Wanted) -> Select:
    """Flows by day, and what the accounts held before the period began."""
    if not _of_accounts(wanted):
        return Select("trading", Statement("SELECT NULL AS days WHERE false", ()))
    where, params = _where(wanted, open_start=True)
    listed, grouped = _grouped(wanted)
    first = wanted.span.days[0]
    arrays = (
        "SUM(pnl + flows) FILTER (WHERE day < %s) AS held,"
        " array_agg(day) FILTER (WHERE day >= %s AND flows <> 0) AS days,"
        " array_agg(flows) FILTER (WHERE day >= %s AND flows <> 0) AS flows"
    )
    return Select(
        "trading",
        Statement(
            f"SELECT {listed}{arrays} FROM {{account_day}} WHERE {where}{grouped}", (first, first, first, *params)
        ),
    )


def _values(wanted: Wanted) -> Select:
    """Marked values of each day, where there is one account."""
    if not _of_accounts(wanted):
        return Select("trading", Statement("SELECT NULL AS days WHERE false", ()))
    where, params = _where(wanted)
    listed, grouped = _grouped(wanted)
    sql = f"SELECT {listed}array_agg(day) AS days, array_agg(equity) AS equity FROM {{account_value}} WHERE {where}"
    one = " HAVING COUNT(DISTINCT (user_id, account_id)) = 1"
    return Select("trading", Statement(f"{sql}{grouped}{one}", tuple(params)))


def _of_accounts(wanted: Wanted) -> bool:
    return {*wanted.by, *wanted.only} <= OF_ACCOUNT


def record_of(sums: Mapping[str, Sums], wanted: Wanted, calendar: str) -> TradingRecord:
    """The record of one group."""
    from domain.metrics.trading.calendars import Calendar
    from domain.metrics.trading.daily import Booked, daily
    from domain.metrics.trading.record import TradingRecord
    from domain.metrics.trading.trades import Trades

    found = sums.get("trades")
    ledger = read_trades(found) if found else Trades.of(())
    series = daily(
        Booked(ledger.closed_at // MS_PER_DAY, ledger.pnl),
        _moved(sums.get("account_days", {}), wanted),
        _marked(sums),
        Calendar(calendar),
    )
    start, end = (ms(at) if at else None for at in wanted.span)
    return TradingRecord(ledger, series, start, end)


def _moved(found: Sums, wanted: Wanted) -> Booked:
    """Flows; what was held before counts as the first one, on the day before the period."""
    days = [each.toordinal() - UNIX_DAY for each in found.get("days") or []]
    amounts = [int(amount) for amount in found.get("flows") or []]
    if found.get("held"):
        days.append((wanted.span.days[0] - timedelta(days=1)).toordinal() - UNIX_DAY)
        amounts.append(int(found["held"]))
    return numbered(days, amounts)


def _marked(sums: Mapping[str, Sums]) -> Booked:
    found = sums.get("account_values", {})
    days = [each.toordinal() - UNIX_DAY for each in found.get("days") or []]
    known = [(day, int(value)) for day, value in zip(days, found.get("equity") or [], strict=True) if value is not None]
    return numbered([day for day, _ in known], [value for _, value in known])


def _row(rows: Rows, _: Wanted) -> Sums:
    return dict(rows[0]) if rows else {}


RECORDS: Mapping[str, Source] = {
    "trades": Source(_trades, _row),
    "account_days": Source(_flows, _row),
    "account_values": Source(_values, _row),
}
