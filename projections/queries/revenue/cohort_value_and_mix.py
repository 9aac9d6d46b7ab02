"""Revenue as tables: what cohorts have paid up to each age, and the share of each plan or tier in MRR."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from msgspec import UNSET, UnsetType

from domain.access.rights import Feature
from domain.decimals import ONE
from domain.metrics.revenue.cohort_ltv import cohort_cumulative_ltv
from domain.metrics.revenue.plan_mix import mix
from projections.engine.query.answer_row import AnswerRow, MoneyText, Rows
from projections.engine.query.asked_at import FOREVER
from projections.engine.query.composed import Composed, Part
from projections.engine.query.formatting import exact_money, show_time, twelfths
from projections.engine.query.params import FROM, TO, Param, read_choice, read_time
from projections.engine.query.request import Request
from projections.queries.metrics.assumptions import POLICY
from projections.queries.users.retention import AGE_LIMIT, UNITS

CUTS = ("plan", "tier")


class CumulativeAge(AnswerRow, kw_only=True):
    """What a customer of a cohort has paid on average up to an age, and whether its period has not ended yet."""

    age: int
    ltv: MoneyText
    unfinished: bool


class CumulativeCohort(AnswerRow, kw_only=True):
    """A cohort by its first day, its customers, and its ages."""

    cohort: date
    customers: int
    ages: list[CumulativeAge]


class MixShare(AnswerRow, kw_only=True):
    """A plan or tier, its MRR and its share of all."""

    plan: str | UnsetType = UNSET
    tier: str | UnsetType = UNSET
    mrr: MoneyText
    share: float


def _payments(request: Request) -> Mapping[str, Part]:
    """What each cohort of payers paid at each age."""
    moments = {name: show_time(request.get(name)) for name in ("from", "to", "until") if request.get(name) is not None}
    plain = {name: str(request.get(name)) for name in ("ages", "currency") if request.get(name) is not None}
    question = {"what": "revenue", "unit": request.get("unit", "month"), **moments, **plain}
    return {"cohorts": Part("retention", question)}


def _cohorts(request: Request, rows: Mapping[str, Rows]) -> list[CumulativeCohort]:
    """A row a cohort, the oldest first."""
    return [_cohort(row) for row in rows["cohorts"] if row["cohort"] is not None]


def _cohort(row: Mapping[str, Any]) -> CumulativeCohort:
    paid = [int(Decimal(cell["retained"]) * ONE) for cell in row["ages"]]
    ages = [
        CumulativeAge(age=cell["age"], ltv=exact_money(value), unfinished=cell["unfinished"])
        for cell, value in zip(row["ages"], cohort_cumulative_ltv(row["users"], paid), strict=True)
    ]
    return CumulativeCohort(cohort=date.fromisoformat(row["cohort"]), customers=row["users"], ages=ages)


def _movements(request: Request) -> Mapping[str, Part]:
    filters = {name: request.get(name) for name in ("policy", "currency") if request.get(name) is not None}
    at = {"to": show_time(request.get("to") or request.asked_at.capped_today(FOREVER))}
    return {"mrr": Part("mrr_movements", {**at, **filters, "by": request.get("by", CUTS[0])}, raw=True)}


def _shares(request: Request, rows: Mapping[str, Rows]) -> list[MixShare]:
    """A row a plan or tier that has MRR, the largest first."""
    from domain.metrics.formulas import MetricInputs

    by = request.get("by", CUTS[0])
    ends = {row[by]: MetricInputs({"mrr_movements": row}).flows().end for row in rows["mrr"]}
    shares = mix({name: end for name, end in ends.items() if end})
    return [MixShare(**{by: name}, mrr=twelfths(ends[name]), share=share) for name, share in shares.items()]


COHORT_LTV = Composed(
    "cohort_ltv",
    "Cumulative lifetime value: what a cohort's customers have paid, less refunds, up to each age, over their number.",
    (
        Param("currency", "of the payments that count", required=True),
        FROM,
        TO,
        Param("until", "moment up to which payments count; the latest by default", read_time),
        Param("unit", "periods of cohorts and ages: month (default), week or day", read_choice(*UNITS)),
        AGE_LIMIT,
    ),
    _payments,
    _cohorts,
    CumulativeCohort,
    feature=Feature.RETENTION,
    slow=True,
    any_zone=True,
)
MRR_MIX = Composed(
    "mrr_mix",
    "The share of each plan or tier in MRR, the largest first.",
    (
        Param("by", "plan (default) or tier", read_choice(*CUTS)),
        Param("to", "the first day that does not count; tomorrow without it", read_time),
        POLICY,
        Param("currency", "only MRR in this currency"),
    ),
    _movements,
    _shares,
    MixShare,
    any_zone=True,
)
