"""The bridge between two policies: what MRR comes to under each, side by side, and where they differ."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from domain.billing.policies import PRESETS
from projections.engine.query.answer_row import AnswerRow, MoneyText, Rows
from projections.engine.query.composed import Composed, Part
from projections.engine.query.formatting import exact_money, show_time
from projections.engine.query.params import FROM, TO, Param, read_choice
from projections.engine.query.request import Request

if TYPE_CHECKING:
    from domain.metrics.revenue.flows import Flows

LINES = ("start", "new", "expansion", "contraction", "churned", "reactivated", "end")


class BridgeLine(AnswerRow, kw_only=True):
    """A line of a currency: what it comes to under each policy, and the difference."""

    currency: str
    line: str
    policy: MoneyText
    other: MoneyText
    difference: MoneyText


def _parts(request: Request) -> Mapping[str, Part]:
    span = {name: show_time(request.get(name)) for name in ("from", "to") if request.get(name) is not None}
    return {
        which: Part("mrr_movements", {**span, "by": "currency", "policy": request.get(which, "default")}, raw=True)
        for which in ("policy", "other")
    }


def _combine(request: Request, rows: Mapping[str, Rows]) -> list[BridgeLine]:
    """A row a line of each currency; the differences of a currency add up to nothing."""
    from domain.metrics.revenue.flows import Flows, bridge

    one, other = (_flows(rows[which]) for which in ("policy", "other"))
    return [
        BridgeLine(
            currency=currency,
            line=line,
            policy=_money(getattr(here, line)),
            other=_money(getattr(there, line)),
            difference=_money(bridge(here, there)[line]),
        )
        for currency in sorted({*one, *other})
        for here, there in [(one.get(currency, Flows()), other.get(currency, Flows()))]
        for line in LINES
    ]


def _flows(rows: Rows) -> dict[str, Flows]:
    from domain.metrics.formulas import MetricInputs

    return {row["currency"]: MetricInputs({"mrr_movements": row}).flows() for row in rows}


def _money(twelfths: Any) -> str:
    return exact_money(Fraction(twelfths, 12))


MRR_BRIDGE = Composed(
    "mrr_bridge",
    "MRR of a period under two policies, by line; differences add up to nothing: losses and the end count against.",
    (
        FROM,
        TO,
        Param("policy", f"one of {', '.join(PRESETS)}; default without it", read_choice(*PRESETS)),
        Param("other", "the policy beside it", read_choice(*PRESETS), required=True),
    ),
    _parts,
    _combine,
    BridgeLine,
    any_zone=True,
)
