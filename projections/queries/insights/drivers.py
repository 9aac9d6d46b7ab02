"""Why a metric moved between two periods: what each segment of a dimension contributed, adding up to the whole move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from msgspec import structs

from domain.decimals import ONE
from domain.errors import Invalid
from domain.insights.drivers import RATE, TOTAL, Contribution, Drivers, RateParts, drivers_of_rate, drivers_of_total
from domain.insights.finding import Kind
from domain.metrics.value import Reason
from projections.engine.query.answer_row import CURRENCY, Rows
from projections.engine.query.composed import Composed, Part
from projections.engine.query.formatting import exact_money
from projections.engine.query.no_amount import NoAmount, amount_of
from projections.engine.query.params import Param, read_choice, read_day
from projections.engine.query.request import Request
from projections.queries.insights.daily_series import FROM, OF_OPERATIONS, OF_REVENUE, OF_TRADES, TO, window
from projections.queries.insights.shape import Insight, Method

MOST_SEGMENTS = 50  # segments that are told; the others together are one more


@dataclass(frozen=True, slots=True)
class Driven:
    """A metric that can be taken apart: a sum over segments, or a sum over another one."""

    query: str
    measure: str
    dimensions: tuple[str, ...]
    of: str = ""  # measure that it is divided by
    money: bool = False

    @property
    def method(self) -> Method:
        """How its moves are explained."""
        return Method(Kind.DRIVERS, RATE if self.of else TOTAL, 1)

    def show(self, value: Fraction) -> str | float | int:
        """A contribution in the unit of the metric: money exact to trillionths, counts whole."""
        if self.money:
            return exact_money(value)
        return float(value) if self.of else int(value)


def _trading(measure: str, of: str = "", *, money: bool = True) -> Driven:
    return Driven("trading_totals", measure, OF_TRADES, of, money)


def _movements(measure: str) -> Driven:
    return Driven("mrr_movements", measure, OF_REVENUE, money=True)


DRIVEN: Mapping[str, Driven] = MappingProxyType(
    {
        "total_pnl": _trading("total_pnl"),
        "total_fees": _trading("total_fees"),
        "turnover": _trading("turnover"),
        "total_trades": _trading("total_trades", money=False),
        "win_rate": _trading("winning_trades", "total_trades", money=False),
        "expectancy": _trading("total_pnl", "total_trades"),
        "new_mrr": _movements("new_mrr"),
        "expansion_mrr": _movements("expansion_mrr"),
        "contraction_mrr": _movements("contraction_mrr"),
        "churned_mrr": _movements("churned_mrr"),
        "mrr": _movements("end_mrr"),
        "throughput": Driven("operations", "count", OF_OPERATIONS),
        "errors": Driven("operations", "errors", OF_OPERATIONS),
        "error_rate": Driven("operations", "errors", OF_OPERATIONS, "count"),
    }
)


def _periods(request: Request) -> tuple[date, date, date]:
    """Begin, the day between both periods, end."""
    begin, end = window(request)
    at = request.get("at", middle(begin, end))
    if not begin < at < end:
        raise Invalid(f"parameter at: {at} leaves one of the periods from {begin} to {end} empty", code="bad_parameter")
    return begin, at, end


def middle(begin: date, end: date) -> date:
    """The day between two periods that have all the days from `begin` to before `end`.

    An even number of calendar months is so many and as many again; of any other odd number of days, the earlier period
    has the one more.
    """
    months = (end.year - begin.year) * 12 + end.month - begin.month
    if begin.day == end.day == 1 and months % 2 == 0:
        years, month = divmod(begin.month - 1 + months // 2, 12)
        return date(begin.year + years, month + 1, 1)
    return begin + timedelta(days=((end - begin).days + 1) // 2)


def _metric_and_dimension(request: Request) -> tuple[Driven, str]:
    driven, by = DRIVEN[request.get("metric")], request.get("by")
    if by not in driven.dimensions:
        allowed = ", ".join(driven.dimensions)
        raise Invalid(f"{request.get('metric')} is not told by {by}; it is by {allowed}", code="bad_parameter")
    return driven, by


def _parts(request: Request) -> Mapping[str, Part]:
    driven, by = _metric_and_dimension(request)
    begin, at, end = _periods(request)
    return {
        name: Part(driven.query, {"by": by, "from": first.isoformat(), "to": last.isoformat()})
        for name, first, last in (("before", begin, at), ("after", at, end))
    }


def _combine(request: Request, rows: Mapping[str, Rows]) -> list[Insight]:
    driven, by = _metric_and_dimension(request)
    if driven.money and len({row[CURRENCY] for name in rows for row in rows[name]} - {None}) > 1:
        raise NoAmount(Reason.NO_REPORTING_CURRENCY)
    before, after = (_counted(driven, by, rows[name]) for name in ("before", "after"))
    result = drivers_of_rate(before, after) if driven.of else drivers_of_total(_sums(before), _sums(after))
    parts = _parts(request)
    about = {
        "metric": request.get("metric"),
        "by": by,
        "unit": "currency" if driven.money else "",
        "evidence": {name: {"query": part.query, "params": dict(part.params)} for name, part in parts.items()},
    }
    row = driven.method.row(result if isinstance(result, Reason) else _bare(result), len(before | after), about)
    return [row if isinstance(result, Reason) else structs.replace(row, finding=_shown(driven, result))]


def _counted(driven: Driven, by: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, RateParts]:
    of = driven.of
    return {str(r[by]): RateParts(_whole(amount_of(r, driven.measure)), _whole(r[of]) if of else 1) for r in rows}


def _sums(counted: Mapping[str, RateParts]) -> dict[str, int]:
    return {segment: each.numerator for segment, each in counted.items()}


def _whole(value: Any) -> int:
    """Counts as they are, money in trillionths."""
    return int(Decimal(value) * ONE) if isinstance(value, str) else int(value)


def _bare(result: Drivers) -> Drivers:
    """Without the contributions, which are exact fractions and shown by the metric's unit."""
    return Drivers(result.basis, result.before, result.after, ())


def _shown(driven: Driven, result: Drivers) -> dict[str, Any]:
    named, rest = result.contributions[:MOST_SEGMENTS], result.contributions[MOST_SEGMENTS:]
    others = Contribution(
        "", sum((c.rate_effect for c in rest), Fraction()), sum((c.mix_effect for c in rest), Fraction())
    )
    shown: dict[str, Any] = {
        "before": driven.show(result.before),
        "after": driven.show(result.after),
        "move": driven.show(result.after - result.before),
        "contributions": [{"segment": c.segment, **_effects(driven, c)} for c in named],
    }
    return {**shown, "others": {"segments": len(rest), **_effects(driven, others)}} if rest else shown


def _effects(driven: Driven, contribution: Contribution) -> dict[str, Any]:
    effects: dict[str, Any] = {"effect": driven.show(contribution.effect)}
    if driven.of:
        effects |= {name: driven.show(getattr(contribution, name)) for name in ("rate_effect", "mix_effect")}
    return effects


DIMENSIONS = tuple(dict.fromkeys(name for driven in DRIVEN.values() for name in driven.dimensions))

drivers = Composed(
    "drivers",
    "Why a metric moved from one period to the next: what each segment contributed, adding up to the whole move.",
    (
        Param("metric", f"out of {', '.join(DRIVEN)}", read_choice(*DRIVEN), required=True),
        Param("by", f"the dimension of the segments, out of {', '.join(DIMENSIONS)}", required=True),
        FROM,
        Param("at", "first day of the later period; the middle without it, of whole months by the calendar", read_day),
        TO,
    ),
    _parts,
    _combine,
    Insight,
    version=2,
    any_zone=True,
)
