"""The one reader of trading records: the trades that are asked about, and what their accounts were worth.

One statement gives everything as packed columns of one snapshot, a row for each group. Equity belongs to accounts:
where trades are split or chosen by anything else, a record has profit and loss alone. A basis counts only where it is
known of every account that is asked about: else it would be the equity of some of them and the profit of all.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from domain.company_calendar import UTC_CALENDAR, begin_of, day_at
from domain.configuration.company import Calendar as CompanyCalendar
from domain.errors import Invalid
from domain.metrics.value import Reason
from domain.ports import ReadStore
from projections.engine.declare.merge_rules import MS_PER_DAY
from projections.engine.query.answer_row import CURRENCY, Rows, sort_key
from projections.engine.query.asked_at import AskedAt
from projections.engine.query.calendar import TRADING_DAYS
from projections.engine.query.composed import Select
from projections.engine.query.no_amount import NoAmount
from projections.engine.query.packed_columns import bounded
from projections.engine.query.params import Param, read_choice
from projections.engine.query.plain import Converted, Statement
from projections.engine.query.rates_used import rate_policy
from projections.engine.query.reporting import LEAST, MOST, Converter, Need
from projections.engine.query.request import Request
from projections.engine.query.zones import day_of
from projections.exchange_rates import REPORTING
from projections.queries.trading.in_one_currency import converted, days_of
from projections.queries.trading.ledger import only, read_trades
from projections.queries.trading.ledger import trades as ledger

if TYPE_CHECKING:
    from domain.metrics.trading.daily import Booked, Daily
    from domain.metrics.trading.record import TradingRecord
    from domain.metrics.trading.trades import Trades

MOST_TRADES = 200_000
FEW_TRADES = 1_000  # every statistic of so many takes one or two milliseconds
OF_ACCOUNTS = ("user_id", "account_id")
BASES = ("best", "marked", "equity", "pnl")
EPOCH = date(1970, 1, 1).toordinal()
RECORDS = frozenset({"trades", "account_days", "account_values"})  # the queries whose rows a record is made of
SERIES = (
    TRADING_DAYS,
    Param(
        "basis",
        "what returns are taken of: best (the default: what is known of all accounts), marked, equity or pnl",
        read_choice(*BASES),
    ),
)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose record is asked for: trades closed in [start, end), with these values of cuts, split by others.

    `series`: whether the daily series is wanted, which needs whole days; `asked_at` ends a period that is not over.
    """

    company: str
    start: datetime | None
    end: datetime | None
    asked_at: AskedAt
    only: Mapping[str, str] = field(default_factory=dict)
    by: tuple[str, ...] = ()
    calendar: CompanyCalendar = UTC_CALENDAR
    basis: str = "best"
    series: bool = True
    rates: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_equity(self) -> bool:
        """Whether it is of whole accounts, whose equity may be known."""
        return self.series and self.basis != "pnl" and {*self.by, *self.only} <= {*OF_ACCOUNTS, CURRENCY}

    @property
    def first_day(self) -> int | None:
        """The day on which it begins, as its number since 1970."""
        return None if self.start is None else day_at(self.start, self.calendar).toordinal() - EPOCH


FLOWS = """
    SELECT {by}array_agg(day ORDER BY day) AS flow_days, array_agg(amount ORDER BY day) AS flows
    FROM (SELECT {by}day, SUM(flows) AS amount FROM booked GROUP BY {by}day HAVING SUM(flows) <> 0) AS moved {grouped}
"""
EARNED = "SELECT {by}SUM(pnl) AS earned_before FROM {{trade}} WHERE {earlier} {grouped}"
# A value of several accounts is the sum of the last known one of each. An account that joins later brings its first
# value along as a flow, so that what moved on it before counts for nothing.
VALUES = """
    SELECT {by}array_agg(day ORDER BY day) AS value_days, array_agg(change ORDER BY day) AS changes
    FROM (
        SELECT {by}day, SUM(equity - COALESCE(before, 0)) AS change FROM valued GROUP BY {by}day
    ) AS changed {grouped}
"""
MOVED = """
    SELECT {by}array_agg(day ORDER BY day) AS moved_days, array_agg(amount ORDER BY day) AS moved
    FROM (
        SELECT {by}day, SUM(amount) AS amount FROM (
            SELECT user_id, account_id, currency, day, equity AS amount FROM valued WHERE before IS NULL
            UNION ALL
            SELECT user_id, account_id, booked.currency, day, flows FROM booked JOIN (
                SELECT {of_account}, MIN(day) AS since FROM valued GROUP BY {of_account}
            ) AS joined USING ({of_account}) WHERE flows <> 0 AND day > since
        ) AS moves GROUP BY {by}day
    ) AS summed {grouped}
"""
COVERAGE = """
    SELECT {by}bool_or(NOT valued) AS unvalued, bool_or(traded AND NOT funded) AS unfunded,
        MIN(least) AS accounts_least, MAX(most) AS accounts_most
    FROM (
        SELECT user_id, account_id, bool_or(trades > 0) AS traded, bool_or(flows <> 0) AS funded,
            (user_id, account_id) IN (SELECT user_id, account_id FROM valued) AS valued,
            MIN(NULLIF(currency, '')) AS least, MAX(NULLIF(currency, '')) AS most
        FROM (
            SELECT user_id, account_id, trades, flows, currency FROM booked
            UNION ALL SELECT user_id, account_id, 0, 0, currency FROM valued
        ) AS known GROUP BY user_id, account_id
    ) AS accounts {grouped}
"""
ACCOUNTS = """
    WITH booked AS (
        SELECT user_id, account_id, {day} AS day, trades, flows, currency FROM {{account_quarter}} WHERE {scope}
    ), valued AS (
        SELECT user_id, account_id, day, equity, currency,
            lag(equity) OVER (PARTITION BY user_id, account_id, currency ORDER BY day) AS before
        FROM (
            SELECT DISTINCT ON (user_id, account_id, currency, day) user_id, account_id, day, equity, currency
            FROM (SELECT *, {day} AS day FROM {{account_value}} WHERE {scope}) AS marked
            ORDER BY user_id, account_id, currency, day, quarter DESC
        ) AS last_of_day
    )
"""


def select_record(scope: Scope) -> Select:
    """The statement for records: one row, or one for each group. Raises Invalid for a period that is none of days."""
    if scope.series:
        _whole_days(scope)
    where, of_trades = _trades_where(scope)
    trades = ledger(where, scope.by, MOST_TRADES, scope.calendar)
    converts = partial(_in_one_currency, scope)
    if not scope.has_equity:
        return Select("trading", Statement(trades, of_trades), converts)
    accounts, of_accounts = _accounts_where(scope)
    earlier, of_earlier = _earlier_where(scope)
    listed = "".join(f'"{name}", ' for name in scope.by)
    named = {"by": listed, "grouped": f"GROUP BY {listed.removesuffix(', ')}" if listed else ""}
    apart = CURRENCY in scope.by  # each currency of an account is an account of its own
    named["of_account"] = ", ".join((*OF_ACCOUNTS, CURRENCY) if apart else OF_ACCOUNTS)
    of_whole = () if apart else (COVERAGE,)
    joined = (FLOWS, EARNED, VALUES, MOVED, *of_whole)
    parts = [trades, *(part.format(**named, earlier=earlier) for part in joined)]
    whole = ACCOUNTS.format(scope=accounts, day=day_of("quarter", scope.calendar))
    sql = f"{whole} SELECT * FROM ({parts[0]}) AS part_0"
    for number, part in enumerate(parts[1:], start=1):
        beside = f"FULL JOIN ({part}) AS part_{number} USING ({listed.removesuffix(', ')})"
        sql += f" {beside}" if listed else f" CROSS JOIN ({part}) AS part_{number}"
    return Select("trading", Statement(sql, (*of_accounts, *of_accounts, *of_trades, *of_earlier)), converts)


async def _in_one_currency(
    scope: Scope, _request: Request, store: ReadStore, projection: str, rows: list[dict[str, Any]]
) -> Converted:
    """The rows with the currency of their amounts, made of their parts by currency where these are several."""
    only = scope.only.get(CURRENCY)
    if CURRENCY in scope.by or only is not None:
        return [{**row, CURRENCY: row.get(CURRENCY, only)} for row in rows], {} if only is None else {CURRENCY: only}
    said = [row.get(name) for row in rows for name in (LEAST, MOST, "accounts_least", "accounts_most")]
    named = {currency for currency in said if currency is not None}
    common = await REPORTING.common(scope.company, store, named)
    rows = [{**row, CURRENCY: common.currency} for row in rows]
    if not common.several:
        return rows, {CURRENCY: common.currency}
    if common.currency is None:
        return [{**row, MISSING: Reason.NO_REPORTING_CURRENCY} for row in rows], {CURRENCY: None}
    by = (*scope.by, CURRENCY)
    split = select_record(replace(scope, by=by)).statement
    answer = await store.ask(scope.company, projection, split.sql, split.params)
    parts: Rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    bounded(sum(part["trades"] or 0 for part in parts), MOST_TRADES, "trades")
    days, start = days_of(parts), None if scope.start is None else day_at(scope.start, scope.calendar)
    if start is not None:
        days.append(start - timedelta(days=1))
    policy = rate_policy(scope.rates, (scope.start, scope.end), days, scope.asked_at)
    need = Need(common.currency, {part[CURRENCY] for part in parts}, days)
    converter = await REPORTING.converter(scope.company, store, need, policy)
    return await asyncio.to_thread(_converted, scope, rows, parts, converter), converter.said()


MISSING = "_missing"  # why a row is none


def _converted(scope: Scope, rows: Rows, parts: Rows, converter: Converter) -> Rows:
    of = defaultdict[tuple[Any, ...], Rows](list)
    for part in parts:
        of[tuple(part[name] for name in scope.by)].append(part)
    start = None if scope.start is None else day_at(scope.start, scope.calendar)
    made: Rows = []
    for row in rows:
        try:
            made.append(converted(row, of[tuple(row[name] for name in scope.by)], start, converter))
        except NoAmount as missing:
            made.append({**row, MISSING: missing.reason})
    return made


def _whole_days(scope: Scope) -> None:
    for name, at in (("from", scope.start), ("to", scope.end)):
        if at is not None and begin_of(day_at(at, scope.calendar), scope.calendar) != at:
            raise Invalid(
                f"parameter {name}: {at.isoformat()} is inside a day, and the series is one of days",
                code="bad_parameter",
            )


def _trades_where(scope: Scope) -> tuple[str, tuple[object, ...]]:
    """Condition of the trades that are asked about."""
    where, params = ["company_id = %s"], list[object]([scope.company])
    for name, text in scope.only.items():
        try:
            condition, value = only(name, text, scope.calendar)
        except ValueError as error:
            raise Invalid(f"parameter {name}: {error}", code="bad_parameter") from None
        where.append(condition)
        params.append(value)
    for at, operator in ((scope.start, ">="), (scope.end, "<")):
        if at is not None:
            where.append(f"closed_at {operator} %s")
            params.append(at)
    return " AND ".join(where), tuple(params)


def _accounts_where(scope: Scope) -> tuple[str, tuple[object, ...]]:
    """Condition of the accounts' days, up to the end of the period."""
    where, params = _same(scope)
    if scope.end is not None:
        where.append("quarter < %s")
        params.append(scope.end)
    return " AND ".join(where), tuple(params)


def _earlier_where(scope: Scope) -> tuple[str, tuple[object, ...]]:
    """Condition of the accounts' trades before the period."""
    where, params = _same(scope)
    if scope.start is None:
        return "false", ()
    return " AND ".join([*where, "closed_at < %s"]), (*params, scope.start)


def _same(scope: Scope) -> tuple[list[str], list[object]]:
    return ["company_id = %s", *(f"{name} = %s" for name in scope.only)], [scope.company, *scope.only.values()]


def many(rows: Mapping[str, Rows]) -> bool:
    """Whether the records of `rows["record"]` have so many trades that nobody should wait for their statistics."""
    return sum(row["trades"] or 0 for row in rows.get("record", ())) > FEW_TRADES


def read_record(scope: Scope, row: Mapping[str, Any]) -> TradingRecord:
    """The record of a row of the statement. Raises LimitExceeded for more trades than are read."""
    from domain.metrics.trading.record import TradingRecord
    from domain.metrics.trading.trades import Trades

    trades = row["made"] if "made" in row else read_trades(row) if row["trades"] else Trades.of(())
    start = None if scope.start is None else _ms(scope.start)
    end = None if scope.end is None else _ms(scope.asked_at.capped(scope.end))
    daily = _daily(scope, row, trades)
    return TradingRecord(trades, daily, start, end, scope.calendar.time_zone, row.get(CURRENCY) or None)


Records = Iterable[tuple[tuple[Any, ...], "TradingRecord | Reason"]]


def of_one_currency(record: TradingRecord | Reason) -> TradingRecord:
    """The record. Raises NoAmount where there is none, because amounts of several currencies could not be made one."""
    if isinstance(record, Reason):
        raise NoAmount(record)
    return record


def read_records(scope: Scope, rows: Sequence[Mapping[str, Any]]) -> Records:
    """The record of each group by its values, in their order, or why its amounts are not of one currency.

    Raises LimitExceeded as `read_record`.
    """
    bounded(sum(row["trades"] or 0 for row in rows), MOST_TRADES, "trades")
    ordered = sorted(rows, key=lambda row: sort_key(row[name] for name in scope.by))
    return ((tuple(row[name] for name in scope.by), _record_or_reason(scope, row)) for row in ordered)


def _record_or_reason(scope: Scope, row: Mapping[str, Any]) -> TradingRecord | Reason:
    missing: Reason | None = row.get(MISSING)
    return read_record(scope, row) if missing is None else missing


def rests_on(key: str, record: TradingRecord) -> dict[str, Any]:
    """What a statistic of the daily series or of equity rests on; nothing for one of trades alone."""
    from domain.metrics.trading.catalogue import STATISTICS, Reads
    from domain.metrics.trading.returns import SHORT

    if STATISTICS[key].reads is Reads.TRADES:
        return {}
    days = int(record.daily.pnl.size)
    return {"basis": str(record.daily.basis), "days": days, "short_sample": days < SHORT}


def _daily(scope: Scope, row: Mapping[str, Any], trades: Trades) -> Daily:
    """The series on the basis that is asked for, or the best one that is known of all accounts."""
    from domain.metrics.engagement.periods import local
    from domain.metrics.trading.calendars import Calendar
    from domain.metrics.trading.daily import Booked, from_flows, from_pnl, from_values

    calendar = Calendar(scope.calendar.trading_days)
    earned = Booked(local(trades.closed_at, scope.calendar.time_zone) // MS_PER_DAY, trades.pnl)
    if scope.has_equity:
        if row["value_days"] and not row.get("unvalued") and scope.basis != "equity":
            return from_values(*_marked(scope, row), calendar)
        if row["flows"] and not row.get("unfunded") and scope.basis != "marked":
            return from_flows(earned, _with_opening(scope, row, calendar), calendar)
    return from_pnl(earned, calendar)


def _marked(scope: Scope, row: Mapping[str, Any]) -> tuple[Booked, Booked]:
    """Values and flows from the last value before the period on."""
    from domain.metrics.trading.daily import Booked
    from domain.metrics.trading.whole import running

    changed, moved = _booked(row["value_days"], row["changes"]), _booked(row["moved_days"], row["moved"])
    values = Booked(changed.days, running(changed.amounts))
    if scope.first_day is None:
        return values, moved
    first = max(0, int(values.days.searchsorted(scope.first_day)) - 1)
    return Booked(values.days[first:], values.amounts[first:]), moved


def _with_opening(scope: Scope, row: Mapping[str, Any], calendar: Any) -> Booked:
    """The flows of the period; what was there before it is one flow on the last day before."""
    import numpy as np

    from domain.metrics.trading.calendars import days_of, ordinals
    from domain.metrics.trading.whole import total

    flows = _booked(row["flow_days"], row["flows"])
    if scope.first_day is None:
        return flows
    first = np.array([scope.first_day], np.int64)
    earlier = flows.days < first
    opening = total(flows.amounts[earlier]) + int(row["earned_before"] or 0)
    day = int(days_of(ordinals(first, calendar) - 1, calendar)[0])
    later = [(int(d), int(a)) for d, a in zip(flows.days[~earlier], flows.amounts[~earlier], strict=True)]
    steps = [(day, opening), *later] if opening else later
    return _numbered([d for d, _ in steps], [a for _, a in steps])


def _booked(dates: Iterable[Any] | None, amounts: Iterable[Any] | None) -> Booked:
    return _numbered([d.toordinal() - EPOCH for d in dates or ()], [int(a) for a in amounts or ()])


def _numbered(numbers: list[int], amounts: list[int]) -> Booked:
    """Amounts of days by their numbers since 1970."""
    import numpy as np

    from domain.metrics.trading.daily import Booked
    from domain.metrics.trading.whole import whole

    return Booked(np.array(numbers, np.int64), whole(amounts))


def _ms(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
