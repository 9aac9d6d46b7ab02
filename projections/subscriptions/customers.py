"""MRR of customers: of each at the start and the end of a period, and what is left of those who paid at the start.

Where it is of several currencies, whoever paid at the start is compared at the rates of the start: a rate alone is no
upgrade, and nothing is kept or lost by it. What stands at the end is told at the rates of the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from domain.metrics.revenue.retained import Retained
from domain.metrics.value import Reason, ratio
from domain.ports import ReadStore
from projections.engine.query.answer_row import CURRENCY, MoneyText, or_reasons, row_type
from projections.engine.query.no_amount import NoAmount, NoAmounts
from projections.engine.query.params import FROM, LIMIT, TO, Param, read_choice, read_members
from projections.engine.query.plain import Converted, Query, Selected, Statement
from projections.engine.query.rates_used import LIST_RATES, RATES, only_currency
from projections.engine.query.request import Request
from projections.engine.query.row_limit import all_of, row_limit
from projections.engine.query.time_span import time_span
from projections.exchange_rates import REPORTING
from projections.subscriptions.in_one_currency import CustomerLevels, Grid, levels_of, whole
from projections.subscriptions.movements import POLICY, Amounts, in_one_currency, levels_or_reasons, policy_of
from projections.subscriptions.rows import CustomerMrr

# MRR of each customer at the start (before `from`) and at the end (before `to`).
CUSTOMERS = """
SELECT {by}customer_id, COALESCE(SUM(change) FILTER (WHERE quarter < %s), 0) AS start_mrr, SUM(change) AS end_mrr
FROM {{customer_mrr}} WHERE company_id = %s AND policy IN ('default', %s){only} AND quarter < %s
GROUP BY {by}customer_id
"""
RETAINED = f"""
WITH customer AS ({CUSTOMERS}),
ranked AS (SELECT *, row_number() OVER ({{partition}}ORDER BY end_mrr DESC) AS place FROM customer)
SELECT {{by}}COUNT(*) FILTER (WHERE start_mrr > 0) AS start_customers,
    COUNT(*) FILTER (WHERE end_mrr > 0) AS end_customers,
    COUNT(*) FILTER (WHERE start_mrr > 0 AND end_mrr = 0) AS churned_customers,
    COUNT(*) FILTER (WHERE start_mrr > 0 AND end_mrr > start_mrr) AS upgraded_customers,
    COUNT(*) FILTER (WHERE 0 < end_mrr AND end_mrr < start_mrr) AS downgraded_customers,
    COALESCE(SUM(start_mrr), 0) AS start_mrr, COALESCE(SUM(end_mrr), 0) AS end_mrr,
    COALESCE(SUM(end_mrr) FILTER (WHERE start_mrr > 0), 0) AS retained_mrr,
    COALESCE(SUM(LEAST(start_mrr, end_mrr)), 0) AS kept_mrr, COALESCE(SUM(end_mrr * end_mrr), 0) AS squares,
    COALESCE(SUM(end_mrr) FILTER (WHERE place <= 10), 0) AS top10_mrr
FROM ranked {{grouped}}
"""
GRADED = ("upgraded_customers", "downgraded_customers")
COUNTED = ("start_customers", "end_customers", "churned_customers", *GRADED)
SHARES = ("nrr", "grr", "top10_concentration", "revenue_hhi")
SUMMED = tuple(f"{which}_mrr" for which in ("start", "end", "retained", "kept", "top10"))
AMOUNTS = frozenset({*SUMMED, "squares", *GRADED})
ENDS = ("start_mrr", "end_mrr")
LARGEST = 10
RETAINED_ROW = {
    **dict.fromkeys(COUNTED, int | None),
    **dict.fromkeys(SUMMED, MoneyText | None),
    **dict.fromkeys(SHARES, float | None),
}
MOVED = "moved"
ORDER = Param("order", "customer (default), or moved: those who moved, the most first", read_choice("customer", MOVED))
BY = Param("by", "currency; empty: one row", read_members((CURRENCY,), "dimension"))
ONLY = Param(CURRENCY, "only MRR in this currency")


def _over_customers(request: Request, sql: str) -> Statement:
    """SQL over the customers of the period, split and chosen as is asked for."""
    (low, high), only = time_span(request), request.get(CURRENCY)
    by, where = ("currency, " if request.get("by") else ""), ("" if only is None else " AND currency = %s")
    named = {"partition": "PARTITION BY currency " if by else "", "grouped": "GROUP BY 1 ORDER BY 1" if by else ""}
    chosen = () if only is None else (only,)
    params = (low, request.company, policy_of(request), *chosen, high)
    return Statement(sql.format(by=by, only=where, **named), params)


def _ask_customers(request: Request) -> Statement:
    condition, order = ("start_mrr <> 0 OR end_mrr <> 0", "customer_id")
    if request.get(ORDER.name) == MOVED:
        condition, order = "start_mrr <> end_mrr", "abs(end_mrr - start_mrr) DESC, customer_id"
    if request.get("by"):
        order += ", currency"
    sql = f"SELECT * FROM ({CUSTOMERS}) AS customer WHERE {condition} ORDER BY {order} LIMIT {row_limit(request)}"
    return _over_customers(request, sql)


def _selects(request: Request) -> Selected:
    (_, high), only = time_span(request), request.get(CURRENCY)
    where, params = (
        "company_id = %s AND policy IN ('default', %s) AND quarter < %s",
        (request.company, policy_of(request)),
    )
    if only is None:
        return Selected(CustomerMrr.table, where, (*params, high))
    return Selected(CustomerMrr.table, f"{where} AND currency = %s", (*params, high, only))


def _shape_customers(request: Request, table_rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    names = ("customer_id", *request.get("by", ()))
    return [{name: row[name] for name in names} | levels_or_reasons(row, ENDS) for row in all_of(request, table_rows)]


def _shape_retained(request: Request, table_rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{name: row[name] for name in request.get("by", ())} | _retained(row) for row in table_rows]


def _retained(row: Mapping[str, Any]) -> dict[str, Any]:
    counts: dict[str, Any] = {name: int(row[name]) for name in COUNTED if name not in GRADED}
    if isinstance(row, NoAmounts):
        missing = (*SUMMED, *GRADED, *SHARES)
        return counts | dict.fromkeys(missing) | {"reasons": dict.fromkeys(missing, str(row.reason))}
    retained = Retained(*(int(row[f"{name}_mrr"]) for name in ("start", "retained", "kept")))
    concentration = ratio(int(row["top10_mrr"]), int(row["end_mrr"]), Reason.NO_DATA)
    hhi = ratio(int(row["squares"]), int(row["end_mrr"]) ** 2, Reason.NO_DATA)
    shares = or_reasons(**dict(zip(SHARES, (retained.nrr, retained.grr, concentration, hhi), strict=True)))
    return counts | {name: int(row[name]) for name in GRADED} | levels_or_reasons(row, SUMMED) | shares


async def _levels(
    request: Request, store: ReadStore, projection: str
) -> tuple[dict[str, CustomerLevels | NoAmount] | Reason | None, dict[str, Any]]:
    """MRR of each customer, as `in_one_currency` says."""
    if request.get("by") or request.get(CURRENCY) is not None:
        return None, only_currency(request)
    low, high = time_span(request)
    params = request.company, policy_of(request), high
    grid = Grid("", low, high, request.asked_at.day, request.calendar)
    amounts = Amounts(
        Statement(MOVED_IN, params),
        Statement(PARTS, (low, *params)),
        grid,
        lambda _: list(grid.ends),
        lambda parts, converter: dict(levels_of(parts, grid.ends, converter)),
    )
    return await in_one_currency(request, store, projection, amounts)


MOVED_IN = """
SELECT currency, MIN(quarter)::date FROM {customer_mrr}
WHERE company_id = %s AND policy IN ('default', %s) AND quarter < %s GROUP BY 1
"""
PARTS = CUSTOMERS.format(by="currency, ", only="")


async def _customers_in_one(
    request: Request, store: ReadStore, projection: str, table_rows: list[dict[str, Any]]
) -> Converted:
    levels, said = await _levels(request, store, projection)
    if levels is None:
        return table_rows, said
    if isinstance(levels, Reason):
        return [NoAmounts(row, ENDS, levels) for row in table_rows], said
    moved = request.get(ORDER.name) == MOVED
    rows = list[tuple[Fraction, dict[str, Any]]]()
    for customer, level in levels.items():
        row: dict[str, Any] = {"customer_id": customer}
        if isinstance(level, NoAmount):
            rows.append((Fraction(0), NoAmounts(row, ENDS, level.reason)))
            continue
        change = abs((level.held if level.start else level.end) - level.start)
        if change if moved else level.start or level.end:
            rows.append((change, {**row, "start_mrr": whole(level.start), "end_mrr": whole(level.end)}))
    rows.sort(key=lambda each: (-each[0] if moved else 0, each[1]["customer_id"]))
    return [row for _, row in rows][: row_limit(request)], said


async def _retained_in_one(
    request: Request, store: ReadStore, projection: str, table_rows: list[dict[str, Any]]
) -> Converted:
    levels, said = await _levels(request, store, projection)
    if levels is None:
        return table_rows, said
    (row,) = table_rows
    if isinstance(levels, Reason):
        return [NoAmounts(row, AMOUNTS, levels)], said
    there = [each for each in levels.values() if not isinstance(each, NoAmount)]
    if missing := [each.reason for each in levels.values() if isinstance(each, NoAmount)]:
        return [NoAmounts(row, AMOUNTS, missing[0])], said
    return [row | _summed(there)], said


def _summed(levels: Sequence[CustomerLevels]) -> dict[str, int]:
    """What the levels of all customers come to."""
    there, none = [each for each in levels if each.start], Fraction(0)
    ends = sorted((each.end for each in levels), reverse=True)
    sums = {
        "start_mrr": sum((each.start for each in levels), none),
        "end_mrr": sum(ends, none),
        "retained_mrr": sum((each.held for each in there), none),
        "kept_mrr": sum((min(each.start, each.held) for each in there), none),
        "top10_mrr": sum(ends[:LARGEST], none),
    }
    return {name: whole(level) for name, level in sums.items()} | {
        "squares": round(sum((end * end for end in ends), none)),
        "upgraded_customers": sum(each.held > each.start for each in there),
        "downgraded_customers": sum(0 < each.held < each.start for each in there),
    }


PERIOD = (FROM, TO, POLICY, RATES, LIST_RATES, BY, ONLY)
CUSTOMER_MRR = Query(
    "customer_mrr",
    "MRR of each customer at the start and the end of a period; customers without MRR at both are left out.",
    (*PERIOD, LIMIT, ORDER),
    _ask_customers,
    _shape_customers,
    selects=_selects,
    converts=_customers_in_one,
    row=row_type(
        "customer_mrr", {"customer_id": str, **dict.fromkeys(ENDS, MoneyText | None)}, {"reasons": dict[str, str]}
    ),
    beside=REPORTING.projections,
    any_zone=True,
)
MRR_RETAINED = Query(
    "mrr_retained",
    "What is left of the MRR of those who were customers at the start, and how concentrated MRR is at the end.",
    PERIOD,
    lambda request: _over_customers(request, RETAINED),
    _shape_retained,
    selects=_selects,
    converts=_retained_in_one,
    row=row_type("mrr_retained", RETAINED_ROW, {"reasons": dict[str, str]}),
    beside=REPORTING.projections,
    any_zone=True,
)
