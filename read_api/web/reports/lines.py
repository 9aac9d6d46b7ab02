"""Reports as pages write them: of when, how large, how long it took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType

from domain.reports.report import ReportRequest, State, StoredReport
from domain.reports.standard import STANDARD
from read_api.charts.columns import DAY
from read_api.dashboards.documents import PERIOD, standard
from read_api.web.formats import Formats, utc
from read_api.web.reports.request import PATH
from read_api.web.room import Page

STATES: Mapping[State, str] = MappingProxyType(
    {State.RUNNING: "Being made", State.READY: "Ready", State.FAILED: "Failed"}
)
KILOBYTE, MEGABYTE = 1_000, 1_000_000


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A report in a list. `state` as it is kept, `words` for people; what there is not yet is empty."""

    title: str
    href: str
    form: str
    state: str
    words: str
    size: str
    period: str
    by: str
    at: str
    exact: str
    took: str
    error: str


def report_line(page: Page, report: StoredReport) -> ReportLine:
    """The line of a report."""
    formats, asked_at = page.formats, datetime.fromtimestamp(report.requested_at / 1000, UTC)
    seconds = (report.finished_at - report.requested_at) / 1000 if report.finished_at else None
    return ReportLine(
        title_of(report.request),
        page.to(f"{PATH}/{report.report_id}"),
        (report.request.format or "pdf").upper(),
        report.state.value,
        STATES[report.state],
        _size(report.size, formats) if report.size else "",
        period_of(report.request, formats),
        report.requested_by,
        formats.moment(asked_at),
        utc(asked_at),
        "" if seconds is None else f"{formats.value('points', seconds)} s",
        report.error,
    )


def title_of(request: ReportRequest) -> str:
    """What a report is called: by whoever asked, or by what it is of."""
    if request.title or request.kind in STANDARD:
        return request.title or STANDARD[request.kind].title
    known = standard().get(request.dashboard)
    return f"Dashboard {known.contents.name}" if known else "Report"


def period_of(request: ReportRequest, formats: Formats) -> str:
    """From which day to which one, the last one included."""
    begin, end = (request.params.get(name, "") for name in PERIOD)
    if not (begin or end):
        return "As each part has it"
    try:
        last = (date.fromisoformat(end) - timedelta(days=1)).isoformat() if end else ""
        shown = [formats.value(DAY, day) if day else "…" for day in (begin, last)]
    except ValueError:  # moments
        shown = [formats.moment(at) if at else "…" for at in (begin, end)]
    return " – ".join(dict.fromkeys(shown))


def _size(size: int, formats: Formats) -> str:
    if size < MEGABYTE:
        return f"{formats.whole(-(-size // KILOBYTE))} kB"
    return f"{formats.value('points', size / MEGABYTE)} MB"
