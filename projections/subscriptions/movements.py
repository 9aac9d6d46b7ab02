"""How MRR moved: at the start and the end of each period, and what moved in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import Any, Generic, NamedTuple, TypeVar

from domain.billing.policies import PRESETS
from domain.company_calendar import PERIODS
from domain.configuration.company import Calendar
from domain.errors import Invalid
from domain.metrics.value import Reason
from domain.ports import ReadStore
from projections.engine.query.answer_row import CURRENCY, MoneyText, row_type
from projections.engine.query.formatting import twelfths
from projections.engine.query.no_amount import NoAmounts
from projections.engine.query.params import FROM, LIMIT, TO, Param, read_choice, read_members
from projections.engine.query.plain import Converted, Query, Selected, Statement
from projections.engine.query.rates_used import BOOKED, CLOSING, CONSTANT, LIST_RATES, RATES, RatePolicy, only_currency
from projections.engine.query.reporting import Converter, Need
from projections.engine.query.request import Request
from projections.engine.query.row_limit import all_of, row_limit
from projections.engine.query.time_span import time_span
from projections.engine.query.totals import Dimension, days
from projections.engine.query.zones import day_of, first_day_in_sql
from projections.exchange_rates import REPORTING
from projections.subscriptions.customer import DEFAULT
from projections.subscriptions.in_one_currency import (
    COUNTS,
    CURRENCY_MRR,
    LEVELS,
    MRR,
    Grid,
    Rows,
    Unit,
    days_of,
    movements,
)
from projections.subscriptions.rows import MrrMovement

CUTS: Mapping[str, Dimension] = {name: cut for name, cut in days("quarter").items() if name in PERIODS}
GROUPS = ("plan", "tier", "currency")
DIMENSIONS = (*CUTS, *GROUPS)
NET = "new_mrr + expansion_mrr + reactivated_mrr - contraction_mrr - churned_mrr"
WHOLE_TIME, WHOLE_TENANT = "DATE 'epoch' AS period", "'' AS plan, '' AS tier, '' AS currency"

# `moved` has one row a group and period, and one with period null for all that moved before `from`. Every group has a
# row in every period in which any group moved, so that groups add up to their total at each period's start and end.
MOVEMENTS = """
WITH moved AS (
    SELECT CASE WHEN quarter >= %s THEN {period} END AS period, {groups}, {sums}, SUM({net}) AS net
    FROM {{mrr_movement}} WHERE company_id = %s AND policy IN ('default', %s){only} AND quarter < %s
    GROUP BY 1, 2, 3, 4),
running AS (
    SELECT *, COALESCE(opened, 0)
        + COALESCE(SUM(net) OVER (PARTITION BY plan, tier, currency ORDER BY period), 0) AS end_mrr
    FROM ({all_periods}) AS periods CROSS JOIN ({all_groups}) AS groups
    LEFT JOIN moved USING (period, plan, tier, currency)
    LEFT JOIN (SELECT plan, tier, currency, net AS opened FROM moved WHERE period IS NULL) AS opening
        USING (plan, tier, currency))
SELECT {names}, end_mrr - COALESCE(net, 0) AS start_mrr, end_mrr, {measures} FROM running
WHERE net IS NOT NULL OR end_mrr <> 0 OR {is_total} ORDER BY {order} LIMIT {limit}
"""


def _ask(request: Request) -> Statement:
    by: tuple[str, ...] = request.get("by", ())
    (low, high), (only, filtered) = time_span(request), _filters(request)
    sql = MOVEMENTS.format(
        **_periods(by, request.calendar),
        **_groups(by),
        sums=", ".join(f"SUM({name}) AS {name}" for name in (*MRR, *COUNTS)),
        net=NET,
        only=only,
        names=", ".join(f'{_shown(name, request.calendar)} AS "{name}"' for name in by) or "true AS is_total",
        measures=", ".join(f"COALESCE({name}, 0) AS {name}" for name in (*MRR, *COUNTS)),
        is_total="false" if by else "true",
        order=", ".join(str(i + 1) for i in range(len(by) or 1)),
        limit=row_limit(request),
    )
    return Statement(sql, (low, request.company, policy_of(request), *filtered, high))


def _filters(request: Request) -> tuple[str, tuple[object, ...]]:
    """SQL that leaves one plan, tier or currency, with its parameters."""
    chosen = [name for name in GROUPS if request.get(name) is not None]
    return "".join(f" AND {name} = %s" for name in chosen), tuple(request.get(name) for name in chosen)


def policy_of(request: Request) -> str:
    """The policy under which MRR is read."""
    return str(request.get("policy", DEFAULT))


def _selects(request: Request) -> Selected:
    (low, high), (only, filtered) = time_span(request), _filters(request)
    where = f"company_id = %s AND policy IN ('default', %s) AND quarter >= %s AND quarter < %s{only}"
    return Selected(MrrMovement.table, where, (request.company, policy_of(request), low, high, *filtered))


def _shown(name: str, calendar: Calendar) -> str:
    """SQL of a dimension over a row of the answer."""
    return CUTS[name].sql_at("period", calendar) if name in CUTS else name


def _unit(by: Sequence[str]) -> Unit:
    """The shortest of these periods, of which the others are made. Raises Invalid where they are not."""
    units = [period for period in PERIODS if period in by]
    if units[:1] == ["week"] and len(units) > 1:
        raise Invalid(f"weeks do not add up to a {units[1]}: split by one of both", code="bad_parameter")
    return units[0] if units else ""


def _periods(by: Sequence[str], calendar: Calendar) -> dict[str, str]:
    """SQL for the period of a movement, and for all: those in which anything moved, or one that is always there."""
    if not (unit := _unit(by)):
        return {"period": WHOLE_TIME.split(" AS ")[0], "all_periods": f"SELECT {WHOLE_TIME}"}
    period = first_day_in_sql(day_of("quarter", calendar), unit, calendar)
    return {"period": period, "all_periods": "SELECT DISTINCT period FROM moved WHERE period IS NOT NULL"}


def _groups(by: Sequence[str]) -> dict[str, str]:
    """SQL for the group of a movement, and for all groups: those that ever moved, or the whole tenant."""
    groups = ", ".join(name if name in by else f"'' AS {name}" for name in GROUPS)
    if not set(GROUPS) & set(by):
        return {"groups": groups, "all_groups": f"SELECT {WHOLE_TENANT}"}
    return {"groups": groups, "all_groups": f"SELECT DISTINCT {', '.join(GROUPS)} FROM moved"}


def _shape(request: Request, table_rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    by: tuple[str, ...] = request.get("by", ())
    return [
        {name: int(row[name]) if name == "year" else str(row[name]) for name in by}
        | levels_or_reasons(row, LINES)
        | {name: int(row[name]) for name in COUNTS}
        for row in all_of(request, table_rows)
    ]


def levels_or_reasons(row: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """MRR as answers show it; null with the reason where there is none."""
    if isinstance(row, NoAmounts):
        return {**dict.fromkeys(names), "reasons": dict.fromkeys(names, str(row.reason))}
    return {name: twelfths(row[name]) for name in names}


POLICY = Param("policy", f"read under this policy: {', '.join(PRESETS)}; default without it", read_choice(*PRESETS))
LINES = ("start_mrr", *MRR, CURRENCY_MRR, "end_mrr")
MOVEMENTS_ROW = dict.fromkeys(LINES, MoneyText | None) | dict.fromkeys(COUNTS, int)
MOVED_IN = """
SELECT currency, MIN(quarter)::date FROM {{mrr_movement}}
WHERE company_id = %s AND policy IN ('default', %s){only} AND quarter < %s GROUP BY 1
"""
PARTS = """
SELECT CASE WHEN quarter >= %s THEN {day} END AS day, CASE WHEN quarter >= %s THEN quarter::date END AS utc_day,
    {plan}, {tier}, currency, {sums}
FROM {{mrr_movement}} WHERE company_id = %s AND policy IN ('default', %s){only} AND quarter < %s
GROUP BY 1, 2, 3, 4, 5
"""


T = TypeVar("T")
Made = TypeVar("Made", covariant=True)


class Amounts(NamedTuple, Generic[Made]):
    """MRR that may be of several currencies: SELECT of these with the first day of each, and of the parts by currency;
    the days whose rates are needed, and what is made of the parts.
    """

    moved_in: Statement
    parts: Statement
    grid: Grid
    days: Callable[[Rows], list[date]]
    make: Callable[[Rows, Converter], Made]


def rates_under(request: Request, grid: Grid, moved: Collection[date]) -> RatePolicy:
    """The rates that are asked for; where nothing is said of them, a policy that ignores currency moves has those of
    the last day. `moved`: the days from which on anything moved.
    """
    ignored = PRESETS[policy_of(request)].currency_moves == "ignored"
    name = request.get(RATES.name, CLOSING if ignored else BOOKED)
    first = max(grid.low.date(), min(moved, default=grid.today))
    day = {BOOKED: None, CONSTANT: grid.rated_on(first), CLOSING: grid.ends.closing}[name]
    return RatePolicy(name, day, request.get(LIST_RATES.name) == "true")


async def in_one_currency(
    request: Request, store: ReadStore, projection: str, amounts: Amounts[T]
) -> tuple[T | Reason | None, dict[str, Any]]:
    """What the amounts come to in the company's currency; the reason where that is none, None where nothing is to be
    made one. And what the answer says of currencies. Raises what the store raises.
    """
    answer = await store.ask(request.company, projection, amounts.moved_in.sql, amounts.moved_in.params)
    moved: dict[str, Any] = {str(currency): day for currency, day in answer.rows}
    common = await REPORTING.common(request.company, store, moved)
    if not common.several:
        return None, {CURRENCY: common.currency}
    if common.currency is None:
        return Reason.NO_REPORTING_CURRENCY, {CURRENCY: None}
    answer = await store.ask(request.company, projection, amounts.parts.sql, amounts.parts.params)
    parts = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    policy = rates_under(request, amounts.grid, moved.values())
    need = Need(common.currency, moved, amounts.days(parts))
    converter = await REPORTING.converter(request.company, store, need, policy)
    made = await asyncio.to_thread(amounts.make, parts, converter)  # 40 µs a row: others are answered meanwhile
    return made, converter.said()


async def _in_one_currency(
    request: Request, store: ReadStore, projection: str, table_rows: list[dict[str, Any]]
) -> Converted:
    """The rows with what rates moved, in one currency; without their amounts where they can not be told so."""
    by: tuple[str, ...] = request.get("by", ())
    plain = [{**row, CURRENCY_MRR: 0} for row in table_rows]
    if CURRENCY in by or request.get(CURRENCY) is not None:
        return plain, only_currency(request)
    (low, high), (only, filtered) = time_span(request), _filters(request)
    params = request.company, policy_of(request), *filtered, high
    sql = PARTS.format(
        **{name: name if name in by else f"'' AS {name}" for name in ("plan", "tier")},
        day=day_of("quarter", request.calendar),
        only=only,
        sums=", ".join(f"SUM({name}) AS {name}" for name in (*MRR, *COUNTS)),
    )
    grid = Grid(_unit(by), low, high, request.asked_at.day, request.calendar)
    amounts = Amounts(
        Statement(MOVED_IN.format(only=only), params),
        Statement(sql, (low, low, *params)),
        grid,
        lambda parts: days_of(parts, grid),
        lambda parts, converter: movements(parts, by, grid, converter),
    )
    made, said = await in_one_currency(request, store, projection, amounts)
    if made is None:
        return plain, said
    if isinstance(made, Reason):
        return [NoAmounts(row, LEVELS, made) for row in plain], said
    return made[: row_limit(request)], said


MRR_MOVEMENTS = Query(
    "mrr_movements",
    "MRR at the start and end of each period and what moved in between: start + new + expansion + reactivated"
    " − contraction − churned + what rates of exchange moved = end. Of periods with movement, every plan, tier or"
    " currency that has MRR or moved.",
    (
        Param(
            "by",
            f"dimensions, comma-separated, out of {', '.join(DIMENSIONS)}; empty: one total row",
            read_members(DIMENSIONS, "dimension"),
        ),
        FROM,
        TO,
        LIMIT,
        POLICY,
        RATES,
        LIST_RATES,
        *(Param(name, f"only this {name}", cut.read) for name, cut in CUTS.items()),
        *(Param(name, f"only movements of this {name}") for name in GROUPS),
    ),
    _ask,
    _shape,
    selects=_selects,
    converts=_in_one_currency,
    row=row_type(
        "mrr_movements", MOVEMENTS_ROW, {**dict.fromkeys(DIMENSIONS, str), "year": int, "reasons": dict[str, str]}
    ),
    beside=REPORTING.projections,
    any_zone=True,
)
