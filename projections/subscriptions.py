"""Subscriptions: every customer's subscriptions as they stand, and how MRR moved by day, plan, tier and currency.

Ordered: a customer's history is told in the order in which its facts take effect, whatever the order in which they
arrive; a fact that arrives late restates what follows from it. `domain/subscriptions.py` has the rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from domain.errors import Invalid
from domain.subscriptions import ABSENT, KINDS, Movement, Subscription, SubscriptionFact, ledger, merged
from projections.engine.declare import Fact, Projection, Row, RowValues, State
from projections.engine.kinds import Count, Day, Key, Moment, Number, Own, Sum, Text, Twelfths
from projections.engine.listing import listing
from projections.engine.query import (
    FROM,
    LIMIT,
    TO,
    Param,
    Query,
    Request,
    Selected,
    Statement,
    all_of,
    read_day,
    read_month,
    row_limit,
)
from projections.engine.show import twelfths

subscriptions = Projection("subscriptions", version=1)


class CustomerSubscription(Row):
    """One subscription after all its facts, those that take effect in the future included."""

    company_id: Key[Text]
    customer_id: Key[Text]
    subscription_id: Key[Text]
    status: Own[Text]  # trial, active, paused or canceled
    plan: Own[Text]
    tier: Own[Text]
    currency: Own[Text]
    mrr: Own[Twelfths]
    quantity: Own[Number]
    since: Own[Moment]  # when the newest fact took effect, or will
    trial_started_at: Own[Moment]
    started_at: Own[Moment]  # when it first was active
    ended_at: Own[Moment]


class MrrMovement(Row):
    """How MRR moved on a day: what moved, and how many customers' totals did. Measures are positive in their sense."""

    company_id: Key[Text]
    day: Key[Day]
    plan: Key[Text]
    tier: Key[Text]
    currency: Key[Text]
    new_mrr: Sum[Twelfths]
    expansion_mrr: Sum[Twelfths]
    contraction_mrr: Sum[Twelfths]
    churned_mrr: Sum[Twelfths]
    reactivated_mrr: Sum[Twelfths]
    new_count: Sum[Count]
    expansion_count: Sum[Count]
    contraction_count: Sum[Count]
    churned_count: Sum[Count]
    reactivated_count: Sum[Count]


MEASURES = {kind: (f"{kind}_mrr", f"{kind}_count") for kind in KINDS}
MRR = tuple(mrr for mrr, _ in MEASURES.values())
COUNTS = tuple(count for _, count in MEASURES.values())

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[SubscriptionFact]).decode


def customer_history(state: State | None, facts: Sequence[Fact]) -> State:
    """The state of a customer is its facts in order, each once."""
    return _encode(merged(_decode(state) if state else (), map(_fact, facts)))


def _fact(fact: Fact) -> SubscriptionFact:
    amount, quantity = fact["unit_amount"], fact["quantity"]
    return SubscriptionFact(
        fact["effective_at"] or fact["timestamp"],
        fact["sequence"],
        fact["event_id"],
        fact["_item"],
        fact["subscription_id"],
        fact["event"],
        fact["plan"],
        fact["tier"],
        fact["currency"],
        fact["interval"],
        fact["interval_count"],
        ABSENT if amount is None else amount,
        ABSENT if quantity is None else quantity,
        fact["discount_pct"],
    )


def rows(state: State) -> Mapping[str, Iterable[RowValues]]:
    """What a customer's history comes to."""
    told = ledger(_decode(state))
    return {
        CustomerSubscription.table.name: [_subscription(i, s) for i, s in told.subscriptions.items()],
        MrrMovement.table.name: map(_movement, told.movements),
    }


def _subscription(subscription_id: str, state: Subscription) -> RowValues:
    return {
        "subscription_id": subscription_id,
        "status": state.status,
        "plan": state.cut.plan,
        "tier": state.cut.tier,
        "currency": state.cut.currency,
        "mrr": state.mrr,
        "quantity": state.price.quantity,
        "since": state.since,
        "trial_started_at": state.trial_started_at or None,
        "started_at": state.started_at or None,
        "ended_at": state.ended_at or None,
    }


def _movement(moved: Movement) -> RowValues:
    mrr, count = MEASURES[moved.kind]
    return {
        "day": moved.at,
        "plan": moved.cut.plan,
        "tier": moved.cut.tier,
        "currency": moved.cut.currency,
        mrr: moved.amount,
        count: moved.counted,
    }


subscriptions.ordered_fold(
    "subscription",
    by=("company_id", "customer_id"),
    into=(CustomerSubscription, MrrMovement),
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
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# `moved` has one row a group and period, and one with period null for all that moved before `from`. Every group has a
# row in every period in which any group moved, so that groups add up to their total at each period's start and end.
MOVEMENTS = """
WITH moved AS (
    SELECT CASE WHEN day >= %s THEN {period} END AS period, {groups}, {sums}, SUM({net}) AS net
    FROM {{mrr_movement}} WHERE company_id = %s{kept} AND day < %s GROUP BY 1, 2, 3, 4),
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
    low, high = _period(request)
    kept = [name for name in GROUPS if request.get(name) is not None]
    sql = MOVEMENTS.format(
        **_periods(by),
        **_groups(by),
        sums=", ".join(f"SUM({name}) AS {name}" for name in (*MRR, *COUNTS)),
        net=NET,
        kept="".join(f" AND {name} = %s" for name in kept),
        names=", ".join(f"{DIMENSIONS[name]} AS {name}" for name in by) or "true AS is_total",
        measures=", ".join(f"COALESCE({name}, 0) AS {name}" for name in (*MRR, *COUNTS)),
        is_total="false" if by else "true",
        order=", ".join(str(i + 1) for i in range(len(by) or 1)),
        limit=row_limit(request),
    )
    return Statement(sql, (low, request.company, *(request.get(name) for name in kept), high))


def _selects(request: Request) -> Selected:
    low, high = _period(request)
    kept = [name for name in GROUPS if request.get(name) is not None]
    where = "".join(("company_id = %s AND day >= %s AND day < %s", *(f" AND {name} = %s" for name in kept)))
    return Selected(MrrMovement.table, where, (request.company, low, high, *(request.get(name) for name in kept)))


def _periods(by: Sequence[str]) -> dict[str, str]:
    """SQL for the period of a day, and for all periods: those in which anything moved, or one that is always there."""
    if not {"month", "day"} & set(by):
        return {"period": WHOLE_TIME.split(" AS ")[0], "all_periods": f"SELECT {WHOLE_TIME}"}
    period = "day" if "day" in by else "date_trunc('month', day)::date"
    return {"period": period, "all_periods": "SELECT DISTINCT period FROM moved WHERE period IS NOT NULL"}


def _groups(by: Sequence[str]) -> dict[str, str]:
    """SQL for the group of a movement, and for all groups: those that ever moved, or the whole tenant."""
    groups = ", ".join(name if name in by else f"'' AS {name}" for name in GROUPS)
    if not set(GROUPS) & set(by):
        return {"groups": groups, "all_groups": f"SELECT {WHOLE_TENANT}"}
    return {"groups": groups, "all_groups": f"SELECT DISTINCT {', '.join(GROUPS)} FROM moved"}


def _period(request: Request) -> tuple[date, date]:
    """First day and end (exclusive) of what is asked for."""
    lows, highs = [date.min], [date.max]
    if request.get("from"):
        lows.append(_day_of("from", request.get("from")))
    if request.get("to"):
        highs.append(_day_of("to", request.get("to")))
    if day := request.get("day"):
        lows.append(day)
        highs.append(_later(day, 1))
    if month := request.get("month"):
        lows.append(month)
        highs.append(_later(month, 31).replace(day=1))
    return max(lows), max(*lows, min(highs))


def _day_of(bound: str, at: datetime) -> date:
    days, rest = divmod(at - EPOCH, timedelta(days=1))
    if rest:
        raise Invalid(
            f"parameter {bound}: movements are kept by the day, {at.isoformat()} is inside one", code="bad_parameter"
        )
    return _later(EPOCH.date(), days)


def _later(day: date, days: int) -> date:
    """So many days later, within the calendar."""
    return date.fromordinal(min(max(day.toordinal() + days, 1), date.max.toordinal()))


def _read_first_of_month(text: str) -> date:
    return date.fromisoformat(f"{read_month(text)}-01")


def _read_by(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(filter(None, text.split(","))))
    unknown = [n for n in names if n not in DIMENSIONS]
    if unknown:
        raise ValueError(f"{', '.join(unknown)} is no dimension; there are {', '.join(DIMENSIONS)}")
    return names


def _shape(request: Request, found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    by: tuple[str, ...] = request.get("by", ())
    return [
        {name: str(row[name]) for name in by}
        | {name: twelfths(row[name]) for name in ("start_mrr", *MRR, "end_mrr")}
        | {name: int(row[name]) for name in COUNTS}
        for row in all_of(found)
    ]


subscriptions.queries += [
    Query(
        "mrr_movements",
        "MRR at the start and end of each period and what moved in between: start + new + expansion + reactivated"
        " − contraction − churned = end. Of periods with movement, every plan, tier or currency that has MRR or moved.",
        (
            Param("by", f"dimensions, comma-separated, out of {', '.join(DIMENSIONS)}; empty: one total row", _read_by),
            FROM,
            TO,
            LIMIT,
            Param("month", "only this month (YYYY-MM)", _read_first_of_month),
            Param("day", "only this day (YYYY-MM-DD)", read_day),
            *(Param(name, f"only movements of this {name}") for name in GROUPS),
        ),
        _ask,
        _shape,
        selects=_selects,
    ),
    listing(
        "subscriptions",
        of=CustomerSubscription,
        filters=("customer_id", "subscription_id", "status", "plan", "tier", "currency"),
        time="since",
        summary="Every subscription after all its facts, by customer; what takes effect in the future included.",
    ),
]
