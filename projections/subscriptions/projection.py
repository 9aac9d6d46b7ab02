"""Subscriptions: every customer's subscriptions as they stand, and how MRR moved by day, plan, tier and currency.

Ordered: a customer's history is told in the order in which its facts take effect, whatever the order in which they
arrive; a fact that arrives late, or is reported again under its `change_id`, restates what follows from it.
`domain/billing/subscriptions.py` has the rules. Under another policy (`domain/billing/policies.py`) most histories come
to the same, so that only the difference is kept: the rows of `default` and those of the policy add up to its reading.

Payments are part of the history: MRR of who owes goes 15 days after the first failure, a movement of that day even
while it lies ahead, and comes back with the payment; a payment within the 15 days restates that nothing moved. No clock
is asked. A subscription held for a debt is listed with the status, terms and time that its facts say, and with MRR 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from domain.billing.monthly_price import charge
from domain.billing.policies import PRESETS
from domain.billing.subscriptions import KINDS, LOSSES, Movement, Subscription
from domain.configuration.company import Calendar
from domain.metrics.revenue.retained import Retained
from domain.metrics.value import Reason, ratio
from domain.ports import ReadStore
from projections.engine.declare.merge_rules import MS_PER_QUARTER
from projections.engine.declare.projection import Projection, RowValues, State
from projections.engine.query.answer_row import or_reasons, row_type
from projections.engine.query.formatting import twelfths
from projections.engine.query.listing import listing
from projections.engine.query.params import FROM, LIMIT, TO, Param, read_choice, read_day, read_members
from projections.engine.query.plain import Converted, Query, Selected, Statement
from projections.engine.query.reporting import CURRENCY, NoAmounts
from projections.engine.query.request import Request
from projections.engine.query.row_limit import all_of, row_limit
from projections.engine.query.time_span import read_first_of_month, time_span
from projections.engine.query.zones import day_of
from projections.subscriptions.customer import DEFAULT, Customer, customer_history, read_customer
from projections.subscriptions.rows import (
    CustomerMrr,
    CustomerSubscription,
    Debt,
    MrrMovement,
    ScheduledMrr,
    SubscriptionTerm,
)
from projections.subscriptions.terms import spans_of_debt, terms

subscriptions = Projection("subscriptions", version=9)

MEASURES = {kind: (f"{kind}_mrr", f"{kind}_count") for kind in KINDS}
MRR = tuple(mrr for mrr, _ in MEASURES.values())
COUNTS = tuple(count for _, count in MEASURES.values())


def rows(state: State) -> Mapping[str, Iterable[RowValues]]:
    """What a customer's history comes to."""
    customer = read_customer(state)
    ledger = customer.read(PRESETS[DEFAULT])
    moved = [(DEFAULT, 1, movement) for movement in ledger.movements]
    for policy in customer.others:
        differs = customer.read(policy).movements
        if differs != ledger.movements:
            moved += [(policy.name, 1, movement) for movement in differs]
            moved += [(policy.name, -1, movement) for movement in ledger.movements]
    return {
        CustomerSubscription.table.name: [_subscription(i, s) for i, s in ledger.subscriptions.items()],
        MrrMovement.table.name: [_movement(*each) for each in moved],
        CustomerMrr.table.name: _changes(moved),
        ScheduledMrr.table.name: _scheduled(customer),
        SubscriptionTerm.table.name: terms(customer.facts),
        Debt.table.name: spans_of_debt(customer.charges if customer.facts else ()),
    }


def _scheduled(customer: Customer) -> list[RowValues]:
    ahead = customer.scheduled(PRESETS[DEFAULT])
    changes = [(DEFAULT, key, change) for key, change in ahead.items()]
    for policy in customer.others:
        other = customer.scheduled(policy)
        changes += [(policy.name, key, other.get(key, 0) - ahead.get(key, 0)) for key in {**ahead, **other}]
    return [
        {
            "policy": policy,
            "quarter": at,
            "plan": cut.plan,
            "tier": cut.tier,
            "currency": cut.currency,
            "change": change,
        }
        for policy, (at, cut), change in changes
        if change
    ]


def _subscription(subscription_id: str, state: Subscription) -> RowValues:
    return {
        "subscription_id": subscription_id,
        "status": state.status,
        "plan": state.cut.plan,
        "tier": state.cut.tier,
        "currency": state.cut.currency,
        "mrr": state.mrr,
        "quantity": state.price.quantity,
        "charge": charge(state.price),
        "interval": state.price.interval,
        "interval_count": state.price.interval_count,
        "since": state.since,
        "trial_started_at": state.trial_started_at or None,
        "started_at": state.started_at or None,
        "ended_at": state.ended_at or None,
    }


def _movement(policy: str, sign: int, moved: Movement) -> RowValues:
    mrr, count = MEASURES[moved.kind]
    return {
        "quarter": moved.at,
        "plan": moved.cut.plan,
        "tier": moved.cut.tier,
        "currency": moved.cut.currency,
        "policy": policy,
        mrr: sign * moved.amount,
        count: sign * moved.counted,
    }


def _changes(moved: Iterable[tuple[str, int, Movement]]) -> list[RowValues]:
    changes: dict[tuple[str, int], int] = {}
    for policy, sign, movement in moved:
        key = policy, movement.at // MS_PER_QUARTER * MS_PER_QUARTER
        amount = -movement.amount if movement.kind in LOSSES else movement.amount
        changes[key] = changes.get(key, 0) + sign * amount
    return [{"policy": policy, "quarter": at, "change": change} for (policy, at), change in changes.items() if change]


subscriptions.ordered_fold(
    "subscription",
    "subscription_change_cancelled",
    "payment",
    by=("company_id", "customer_id"),
    into=(CustomerSubscription, MrrMovement, CustomerMrr, ScheduledMrr, SubscriptionTerm, Debt),
    advance=customer_history,
    rows=rows,
)

DIMENSIONS: Mapping[str, str] = {  # as SQL over a row of the answer
    "month": "to_char(period, 'YYYY-MM')",
    "day": "period",
    **{name: name for name in ("plan", "tier", "currency")},
}
GROUPS = ("plan", "tier", "currency")
NET = "new_mrr + expansion_mrr + reactivated_mrr - contraction_mrr - churned_mrr"
WHOLE_TIME, WHOLE_TENANT = "DATE 'epoch' AS period", "'' AS plan, '' AS tier, '' AS currency"

# `moved` has one row a group and period, and one with period null for all that moved before `from`. Every group has a
# row in every period in which any group moved, so that groups add up to their total at each period's start and end.
MOVEMENTS = """
WITH moved AS (
    SELECT CASE WHEN quarter >= %s THEN {period} END AS period, {groups}, {sums}, SUM({net}) AS net
    FROM {{mrr_movement}} WHERE company_id = %s AND policy IN ('default', %s){kept} AND quarter < %s
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
    low, high = time_span(request)
    filters = [name for name in GROUPS if request.get(name) is not None]
    sql = MOVEMENTS.format(
        **_periods(by, request.calendar),
        **_groups(by),
        sums=", ".join(f"SUM({name}) AS {name}" for name in (*MRR, *COUNTS)),
        net=NET,
        kept="".join(f" AND {name} = %s" for name in filters),
        names=", ".join(f"{DIMENSIONS[name]} AS {name}" for name in by) or "true AS is_total",
        measures=", ".join(f"COALESCE({name}, 0) AS {name}" for name in (*MRR, *COUNTS)),
        is_total="false" if by else "true",
        order=", ".join(str(i + 1) for i in range(len(by) or 1)),
        limit=row_limit(request),
    )
    return Statement(sql, (low, request.company, _policy(request), *(request.get(name) for name in filters), high))


def _policy(request: Request) -> str:
    return str(request.get("policy", DEFAULT))


def _selects(request: Request) -> Selected:
    low, high = time_span(request)
    filters = [name for name in GROUPS if request.get(name) is not None]
    ours = "company_id = %s AND policy IN ('default', %s) AND quarter >= %s AND quarter < %s"
    where = "".join((ours, *(f" AND {name} = %s" for name in filters)))
    params = (request.company, _policy(request), low, high, *(request.get(name) for name in filters))
    return Selected(MrrMovement.table, where, params)


def _periods(by: Sequence[str], calendar: Calendar) -> dict[str, str]:
    """SQL for the period of a movement, and for all: those in which anything moved, or one that is always there."""
    if not {"month", "day"} & set(by):
        return {"period": WHOLE_TIME.split(" AS ")[0], "all_periods": f"SELECT {WHOLE_TIME}"}
    day = day_of("quarter", calendar)
    period = day if "day" in by else f"date_trunc('month', {day})::date"
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
        {name: str(row[name]) for name in by}
        | {name: twelfths(row[name]) for name in ("start_mrr", *MRR, "end_mrr")}
        | {name: int(row[name]) for name in COUNTS}
        for row in all_of(request, table_rows)
    ]


# `customer` has MRR of each customer at the start (before `from`) and at the end (before `to`).
CUSTOMERS = """
SELECT customer_id, COALESCE(SUM(change) FILTER (WHERE quarter < %s), 0) AS start_mrr, SUM(change) AS end_mrr
FROM {customer_mrr} WHERE company_id = %s AND policy IN ('default', %s) AND quarter < %s GROUP BY 1
"""
RETAINED = """
WITH customer AS (%s)
SELECT COUNT(*) FILTER (WHERE start_mrr > 0) AS start_customers, COUNT(*) FILTER (WHERE end_mrr > 0) AS end_customers,
    COUNT(*) FILTER (WHERE start_mrr > 0 AND end_mrr = 0) AS churned_customers,
    COUNT(*) FILTER (WHERE start_mrr > 0 AND end_mrr > start_mrr) AS upgraded_customers,
    COUNT(*) FILTER (WHERE 0 < end_mrr AND end_mrr < start_mrr) AS downgraded_customers,
    COALESCE(SUM(start_mrr), 0) AS start_mrr, COALESCE(SUM(end_mrr), 0) AS end_mrr,
    COALESCE(SUM(end_mrr) FILTER (WHERE start_mrr > 0), 0) AS retained_mrr,
    COALESCE(SUM(LEAST(start_mrr, end_mrr)), 0) AS kept_mrr, COALESCE(SUM(end_mrr * end_mrr), 0) AS squares,
    COALESCE((SELECT SUM(end_mrr) FROM (SELECT end_mrr FROM customer ORDER BY 1 DESC LIMIT 10) AS largest), 0)
        AS top10_mrr
FROM customer
"""
COUNTED = tuple(f"{which}_customers" for which in ("start", "end", "churned", "upgraded", "downgraded"))
RATES = ("nrr", "grr", "top10_concentration", "revenue_hhi")
SUMMED = tuple(f"{which}_mrr" for which in ("start", "end", "retained", "kept", "top10"))
RETAINED_ROW = dict.fromkeys(COUNTED, int) | dict.fromkeys(SUMMED, str) | dict.fromkeys(RATES, float | None)
MOVEMENTS_ROW = dict.fromkeys(("start_mrr", *MRR, "end_mrr"), str) | dict.fromkeys(COUNTS, int)
POLICY = Param("policy", f"read under this policy: {', '.join(PRESETS)}; default without it", read_choice(*PRESETS))


MOVED = "moved"
ORDER = Param("order", "customer (default), or moved: those who moved, the most first", read_choice("customer", MOVED))


def _ask_customers(request: Request) -> Statement:
    low, high = time_span(request)
    condition, order = ("start_mrr <> 0 OR end_mrr <> 0", "1")
    if request.get(ORDER.name) == MOVED:
        condition, order = "start_mrr <> end_mrr", "abs(end_mrr - start_mrr) DESC, 1"
    sql = f"SELECT * FROM ({CUSTOMERS}) AS customer WHERE {condition} ORDER BY {order} LIMIT {row_limit(request)}"
    return Statement(sql, (low, request.company, _policy(request), high))


def _selects_customers(request: Request) -> Selected:
    _, high = time_span(request)
    where = "company_id = %s AND policy IN ('default', %s) AND quarter < %s"
    return Selected(CustomerMrr.table, where, (request.company, _policy(request), high))


def _shape_customers(request: Request, table_rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    rows = all_of(request, table_rows)
    return [{**row, **{name: twelfths(row[name]) for name in ("start_mrr", "end_mrr")}} for row in rows]


def _ask_retained(request: Request) -> Statement:
    low, high = time_span(request)
    return Statement(RETAINED.replace("%s", CUSTOMERS, 1), (low, request.company, _policy(request), high))


def _shape_retained(_request: Request, table_rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    (row,) = table_rows
    retained = Retained(*(int(row[f"{name}_mrr"]) for name in ("start", "retained", "kept")))
    squared = int(row["end_mrr"]) ** 2
    concentration = ratio(int(row["top10_mrr"]), int(row["end_mrr"]), Reason.NO_DATA)
    hhi = ratio(int(row["squares"]), squared, Reason.NO_DATA)
    rates = or_reasons(**dict(zip(RATES, (retained.nrr, retained.grr, concentration, hhi), strict=True)))
    shown: dict[str, Any] = {name: int(row[name]) for name in COUNTED} | {name: twelfths(row[name]) for name in SUMMED}
    return [shown | rates]


SEVERAL = """
SELECT COALESCE(MIN(NULLIF(currency, '')) <> MAX(NULLIF(currency, '')), false) FROM {mrr_movement}
WHERE company_id = %s AND quarter < %s
"""
AMOUNTS = frozenset({*(f"{which}_mrr" for which in ("start", "end", "retained", "kept", "top10")), *MRR, "squares"})


async def _of_one_currency(
    request: Request, store: ReadStore, projection: str, table_rows: list[dict[str, Any]]
) -> Converted:
    """The rows, without their amounts where the company has MRR in several currencies and none is asked for."""
    if CURRENCY in request.get("by", ()) or request.get(CURRENCY) is not None:
        return table_rows, {}
    answer = await store.ask(request.company, projection, SEVERAL, (request.company, time_span(request)[1]))
    several = answer.rows[0][0]
    return [NoAmounts(row, AMOUNTS, Reason.MIXED_CURRENCIES) for row in table_rows] if several else table_rows, {}


subscriptions.queries += [
    Query(
        "customer_mrr",
        "MRR of each customer at the start and the end of a period; customers without MRR at both are left out.",
        (FROM, TO, LIMIT, POLICY, ORDER),
        _ask_customers,
        _shape_customers,
        selects=_selects_customers,
        converts=_of_one_currency,
        any_zone=True,
        row=row_type("customer_mrr", dict.fromkeys(("customer_id", "start_mrr", "end_mrr"), str)),
    ),
    Query(
        "mrr_retained",
        "What is left of the MRR of those who were customers at the start, and how concentrated MRR is at the end.",
        (FROM, TO, POLICY),
        _ask_retained,
        _shape_retained,
        selects=_selects_customers,
        converts=_of_one_currency,
        any_zone=True,
        row=row_type("mrr_retained", RETAINED_ROW, {"reasons": dict[str, str]}),
    ),
    Query(
        "mrr_movements",
        "MRR at the start and end of each period and what moved in between: start + new + expansion + reactivated"
        " − contraction − churned = end. Of periods with movement, every plan, tier or currency that has MRR or moved.",
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
            Param("month", "only this month (YYYY-MM)", read_first_of_month),
            Param("day", "only this day (YYYY-MM-DD)", read_day),
            *(Param(name, f"only movements of this {name}") for name in GROUPS),
        ),
        _ask,
        _shape,
        selects=_selects,
        converts=_of_one_currency,
        any_zone=True,
        row=row_type("mrr_movements", MOVEMENTS_ROW, dict.fromkeys(DIMENSIONS, str)),
    ),
    listing(
        "subscriptions",
        of=CustomerSubscription,
        filters=("customer_id", "subscription_id", "status", "plan", "tier", "currency"),
        time="since",
        summary="Every subscription after all its facts, by customer; what takes effect in the future included.",
    ),
]
