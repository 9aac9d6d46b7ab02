"""Competitive insights: where a company stands among the peers of its tier, in any metric of the catalogue.

Give and take: only a company that agreed to be compared itself is told, and only those that agreed are counted. What
leaves is a rounded percentile with noise (`domain/insights/peers.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta

from domain.access.rights import Feature
from domain.company_calendar import UTC_CALENDAR
from domain.errors import Invalid
from domain.insights import peers
from domain.insights.finding import Finding, Kind
from domain.metrics.catalogue import metric
from domain.metrics.metric import Unit
from domain.metrics.value import Reason, Stat, has_value
from projections.engine.query.answer_row import Rows
from projections.engine.query.compared import Compared, Comparison, Others
from projections.engine.query.composed import Part
from projections.engine.query.formatting import show_time
from projections.engine.query.params import Param, read_time
from projections.engine.query.request import Request
from projections.queries.insights.shape import Insight, Method
from projections.queries.metrics.kpis import period_at

CELLS = (1, 3, 12)  # months of a period: each month lies in one of each, and so no event in more than three
EARLIEST = 1970
IN_UTC = {"zone": "UTC", "calendar": UTC_CALENDAR.trading_days}  # peers are compared over the same time, alike

STANDING = Method(Kind.COMPETITIVE, peers.METHOD, peers.FEWEST)


def read_first_of_month(text: str) -> datetime:
    """The beginning of a month, UTC. Raises ValueError for a moment inside a month or before `EARLIEST`.

    Each period may be a draw of noise of its own: with free ends, a thousand of them would average it away.
    """
    moment = read_time(text)
    if moment.utcoffset() or moment.day != 1 or moment.time() != time.min or moment.year < EARLIEST:
        raise ValueError(f"{text!r} is no beginning of a month (UTC), {EARLIEST} or later")
    return moment


def _period(request: Request) -> tuple[datetime, datetime]:
    """A month, quarter or year of the calendar that is over; the last month where the question does not say."""
    today = period_at(request.asked_at.exact, "month", UTC_CALENDAR).bounds[0]
    end = request.get("to", today)
    begin = request.get("from", period_at(end - timedelta(days=1), "month", UTC_CALENDAR).bounds[0])
    months = 12 * (end.year - begin.year) + end.month - begin.month
    if months not in CELLS or (begin.month - 1) % months or end > today:
        raise Invalid(
            "peers are compared over a month, a quarter or a year of the calendar that is over",
            code="bad_parameter",
            suggested_actions=("Begin a quarter in January, April, July or October, and a year in January.",),
        )
    request.extent.reaches(begin, end)
    return begin, end


def _own_part(request: Request) -> Part:
    """The question that is put to the company and to each of its peers."""
    begin, end = _period(request)
    return Part("metric", {"key": request.get("metric"), "from": show_time(begin), "to": show_time(end), **IN_UTC})


def _parts(request: Request) -> Mapping[str, Part]:
    return {"own": _own_part(request), "company": Part("company_profile")}


def _value(rows: Rows) -> Stat:
    """Of an answer of `metric`; what could not be asked has no data."""
    if not rows:
        return Reason.NO_DATA
    (row,) = rows
    return Reason(row["reason"]) if row["value"] is None else float(row["value"])


def _own(rows: Mapping[str, Rows]) -> Stat:
    (company,) = rows["company"]
    return _value(rows["own"]) if company["benchmark_consent"] else Reason.NOT_AGREED


def _comparison(request: Request, rows: Mapping[str, Rows]) -> Comparison | None:
    if isinstance(_own(rows), Reason):
        return None
    (company,) = rows["company"]
    in_money = metric(request.get("metric")).unit is Unit.MONEY
    return Comparison(_own_part(request), company["tier"] or "", company["currency"] if in_money else None)


def _row_of(request: Request, rows: Mapping[str, Rows], finding: Finding | Reason) -> list[Insight]:
    entry, part = metric(request.get("metric")), _own_part(request)
    evidence = {"query": part.query, "params": dict(part.params)}
    own = rows["own"][0] if rows["own"] else {}
    basis = {name: own[name] for name in own.keys() & {"basis"}}
    return [STANDING.row(finding, 0, {"metric": entry.key, "unit": str(entry.unit), **basis, "evidence": evidence})]


def _alone(request: Request, rows: Mapping[str, Rows]) -> list[Insight]:
    own = _own(rows)
    return _row_of(request, rows, own if isinstance(own, Reason) else Reason.TOO_FEW)


def _compare(request: Request, rows: Mapping[str, Rows], others: Others) -> list[Insight]:
    own, (company,) = _own(rows), rows["company"]
    if isinstance(own, Reason):
        return _row_of(request, rows, own)
    values = ((tenant, _value(answer)) for tenant, answer in others.answers.items())
    tier = company["tier"] or ""
    agreed = [peers.Peer(tenant, tier, True, value) for tenant, value in values if has_value(value)]
    return _row_of(request, rows, peers.standing(own, request.company, tier, agreed, others.secret))


competitive = Compared(
    "competitive",
    "Where a metric stands among those of the tier's companies that agreed to be compared: a percentile with noise.",
    (
        Param("metric", "key of the catalogue, of a metric with a single value", required=True),
        Param("from", "first month: the day it begins; the last month that is over, without it", read_first_of_month),
        Param("to", "end (exclusive): the day that a month, quarter or year after `from` begins", read_first_of_month),
    ),
    _parts,
    _alone,
    Insight,
    feature=Feature.COMPETITIVE,
    comparison=_comparison,
    compare=_compare,
    fewest=peers.FEWEST,
)
