"""Which sections a report has: those of its kind, or of its request. Each is judged before anything is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from domain.errors import Invalid
from domain.reports.report import ReportRequest, ReportSection
from domain.reports.standard import CUSTOM, STANDARD
from domain.suggestion import did_you_mean
from projections.engine.query.ask import answerable
from projections.engine.query.compared import Compared
from read_api.charts.charts import IS_CHART
from read_api.dashboards.documents import END, PERIOD
from read_api.dashboards.documents import Document as Dashboard

MOST_SECTIONS = 40
TABLE = "table"


def sections_of(request: ReportRequest, dashboard: Dashboard | None = None) -> Sequence[ReportSection]:
    """The parts of a report, each with the parameters of the whole that its query knows. Raises Invalid, NotFound.

    `dashboard`: the document of the dashboard that the request names.
    """
    if request.kind == CUSTOM:
        parts = _of_dashboard(dashboard) if dashboard else request.sections
        if not 0 < len(parts) <= MOST_SECTIONS or (dashboard and request.sections):
            raise Invalid(f"a custom report has 1 to {MOST_SECTIONS} sections, or a dashboard", code="bad_parameter")
    elif request.kind not in STANDARD or request.sections or request.dashboard:
        kinds = ", ".join((*STANDARD, CUSTOM))
        hint = did_you_mean(request.kind, (*STANDARD, CUSTOM)) if request.kind not in STANDARD else ""
        raise Invalid(f"kind is one of {kinds}, and only a custom report has sections{hint}", code="bad_parameter")
    else:
        parts = STANDARD[request.kind].sections
    known = frozenset[str]().union(*(_names(section.query) for section in parts))
    if unknown := [name for name in request.params if name not in known]:
        raise Invalid(
            f"no section has a parameter {unknown[0]!r}{did_you_mean(unknown[0], known)}", code="unknown_parameter"
        )
    whole = [_with(section, request.params) for section in parts]
    for section in whole:
        _check(section)
    return whole


def _names(query: str) -> frozenset[str]:
    """The parameters that a query takes from the whole report; `to` is the moment of those that look at one."""
    names = frozenset(param.name for param in answerable(query).params)
    return names | {PERIOD[1]} if END in names else names


def _of_dashboard(dashboard: Dashboard) -> Sequence[ReportSection]:
    """The tiles from above to below; what is known of this moment alone is left out."""
    tiles = sorted(dashboard.contents.tiles, key=lambda tile: (tile.layout.y, tile.layout.x))
    return [
        ReportSection(title=tile.title, query=tile.query, params=tile.params, chart=tile.kind)
        for tile in tiles
        if has_past(tile.query)
    ]


def has_past(query: str) -> bool:
    """Whether what it answers can be made again from the log."""
    found = answerable(query)
    return not found.of_now and not isinstance(found, Compared)


def _with(section: ReportSection, params: Mapping[str, str]) -> ReportSection:
    own = {param.name for param in answerable(section.query).params}
    shared = {name: text for name, text in params.items() if name in own}
    if PERIOD[1] in params and PERIOD[1] not in own and END in own:
        shared.setdefault(END, params[PERIOD[1]])
    return msgspec.structs.replace(section, params={**shared, **section.params})


def _check(section: ReportSection) -> None:
    if not has_past(section.query):
        raise Invalid(
            f"{section.query} is known of this moment alone, and a report can be made again",
            code="no_past",
            suggested_actions=("Leave that section out, or export the query's rows.",),
        )
    kinds = (TABLE, *sorted(IS_CHART))
    if section.chart and section.chart not in (*kinds, "number", "status", "text", "flow"):
        hint = did_you_mean(section.chart, kinds)
        raise Invalid(f"{section.chart!r} is no chart{hint}; there are {', '.join(kinds)}", code="bad_parameter")
