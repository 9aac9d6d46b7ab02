"""A message for tests of channels."""

from __future__ import annotations

from domain.configuration.report_schedule import Report, ReportSchedule, Timing
from domain.reports.report import ReportRequest, State, StoredReport
from domain.reports.run_store import Message
from domain.reports.schedule_runs import Run


def message(content: bytes | None = b"%PDF") -> Message:
    """Of a run of acme that was due on 21 September 2026."""
    schedule = ReportSchedule("Weekly\nfigures", Report("trading"), Timing("0 * * * *"))
    run = Run(company_id="acme", schedule_id="s1", due=1_790_000_000_000, schedule=schedule)
    report = StoredReport(
        report_id="r1", company_id="acme", requested_by="schedule:s1", request=ReportRequest(kind="trading"),
        state=State.READY, requested_at=0, file_name="r1.pdf", media_type="application/pdf", size=4, sha256="ab",
    )  # fmt: skip
    return Message(run, report, content, "https://analytics.example/r1")
