"""Which metrics have a daily series, and which registered query gives it: what insights are found in.

Money is read as units of the currency, because the methods are statistics: an insight is no account.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

from domain.errors import Invalid
from domain.insights.daily import Daily, Fill, daily
from projections.engine.query.composed import Part
from projections.engine.query.no_amount import amount_of
from projections.engine.query.params import Param, read_choice, read_day
from projections.engine.query.request import Request

SPAN = timedelta(days=365)  # what a question looks at that does not say from when
LONGEST = timedelta(days=1_826)  # five years: methods compare all pairs of days

OF_TRADES = ("user_id", "account_id", "strategy", "symbol", "side")
OF_REVENUE = ("plan", "tier", "currency")
OF_OPERATIONS = ("service", "operation")


@dataclass(frozen=True, slots=True)
class Series:
    """A metric by day: the query, the measure of its rows, what it is split by besides, and which of those count."""

    query: str
    measure: str
    unit: str
    filters: tuple[str, ...] = ()
    fill: Fill = Fill.ZERO
    split: str = ""
    counted: frozenset[str] = frozenset()  # values of `split` whose rows count
    opening: str = ""  # measure of the first row that says what it was before

    def part(self, begin: date, end: date, filters: Mapping[str, str]) -> Part:
        """The question behind the series, for days from `begin` to before `end`."""
        by = f"day,{self.split}" if self.split else "day"
        return Part(self.query, {"by": by, "from": begin.isoformat(), "to": end.isoformat(), **filters})

    def read(self, rows: Sequence[Mapping[str, Any]], begin: date, end: date) -> Daily:
        """The series out of the query's rows. Raises NoAmount where these are of several currencies."""
        observed: dict[date, float] = {}
        if rows and self.opening and float(rows[0][self.opening]):
            observed[begin] = float(rows[0][self.opening])
        for row in rows:
            if amount_of(row, self.measure) is not None and (not self.split or row[self.split] in self.counted):
                day = date.fromisoformat(str(row["day"])[:10])
                before = observed.get(day, 0.0) if self.split else 0.0
                observed[day] = before + float(row[self.measure])
        return daily(observed, end, self.fill)


def _trading(measure: str, unit: str) -> Series:
    return Series("trading_totals", measure, unit, OF_TRADES)


def _movements(measure: str) -> Series:
    return Series("mrr_movements", measure, "currency", OF_REVENUE)


def _operations(measure: str, unit: str, fill: Fill = Fill.PREVIOUS) -> Series:
    return Series("operations", measure, unit, OF_OPERATIONS, fill)


def _payments(*kinds: str) -> Series:
    counted = frozenset(kinds)
    return Series("payment_totals", "amount", "currency", ("currency",), split="kind", counted=counted)


SERIES: Mapping[str, Series] = MappingProxyType(
    {
        "total_pnl": _trading("total_pnl", "currency"),
        "total_trades": _trading("total_trades", "count"),
        "total_fees": _trading("total_fees", "currency"),
        "turnover": _trading("turnover", "currency"),
        "active_users": Series("user_activity", "active_users", "count"),
        "new_users": Series("user_activity", "new_users", "count"),
        "events": Series("user_activity", "events", "count"),
        "sessions": Series("user_activity", "sessions", "count"),
        "page_views": Series("user_activity", "page_views", "count"),
        "mrr": Series("mrr_movements", "end_mrr", "currency", OF_REVENUE, Fill.PREVIOUS, opening="start_mrr"),
        "new_mrr": _movements("new_mrr"),
        "expansion_mrr": _movements("expansion_mrr"),
        "contraction_mrr": _movements("contraction_mrr"),
        "churned_mrr": _movements("churned_mrr"),
        "reactivated_mrr": _movements("reactivated_mrr"),
        "gross_revenue": _payments("succeeded", "recovered"),
        "refunds": _payments("refunded"),
        "failed_charges": _payments("failed"),
        "throughput": _operations("count", "count", Fill.ZERO),
        "errors": _operations("errors", "count", Fill.ZERO),
        "error_rate": _operations("error_rate", "ratio"),
        "latency_p50": _operations("p50", "ms"),
        "latency_p95": _operations("p95", "ms"),
        "latency_p99": _operations("p99", "ms"),
    }
)

METRIC = Param("metric", f"out of {', '.join(SERIES)}", read_choice(*SERIES), required=True)
FROM = Param("from", "first day; a year before the end without it", read_day)
TO = Param("to", "end (exclusive); today without it: a day that is not over tells nothing yet", read_day)
FILTERS = tuple(
    Param(name, f"only this {name}, of metrics that know it") for name in (*OF_TRADES, *OF_REVENUE, *OF_OPERATIONS)
)


def end_of(request: Request) -> date:
    """The end of what is asked about: the day that was not over when it was asked, UTC, at the latest."""
    to = request.get("to")
    return request.asked_at.day if to is None else request.asked_at.capped_day(to)


def window(request: Request) -> tuple[date, date]:
    """First day and end of what is asked about. Raises Invalid where it is empty or too long."""
    end = end_of(request)
    begin = request.get("from") or end - SPAN
    if not begin < end:
        raise Invalid(f"from {begin} to {end} there is no day that is over", code="bad_parameter")
    if end - begin > LONGEST:
        raise Invalid(f"parameter from: at most {LONGEST.days} days can be looked at", code="bad_parameter")
    request.extent.reaches(begin, end)
    return begin, end


def read_filters(request: Request, filters: Sequence[str]) -> dict[str, str]:
    """The filters that were given. Raises Invalid for one that the metric does not know."""
    chosen = {param.name: str(request.get(param.name)) for param in FILTERS if request.get(param.name) is not None}
    if unknown := [name for name in chosen if name not in filters]:
        allowed = ", ".join(filters) or "none"
        raise Invalid(f"{request.get('metric')} has no {unknown[0]}; it is told by {allowed}", code="bad_parameter")
    return chosen
