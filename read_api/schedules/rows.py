"""Runs of schedules as answers and the command line say them."""

from __future__ import annotations

from typing import Any

from domain.configuration.channels import ReportByEmail
from domain.reports.schedule_runs import Run, Sent, moment
from projections.engine.query.formatting import show_time


def run_row(run: Run) -> dict[str, Any]:
    """A run as answers say it; what has not happened is null."""
    company = next((each for each in run.reports if each.sees is None), None)
    states = [each.state for each in run.deliveries]
    return {
        "schedule_id": run.schedule_id,
        "schedule": run.schedule.name,
        "due": show_time(run.due_at),
        "run_id": run.run_id,
        "state": run.state,
        "late": run.late,
        "started_at": _time(run.started_at),
        "finished_at": _time(run.finished_at),
        "seconds": (run.finished_at - run.started_at) / 1000 if run.started_at and run.finished_at else None,
        "tries": run.tries,
        "report_id": company.report_id or None if company else None,
        "size": sum(each.size for each in run.reports),
        "reports": len([each for each in run.reports if not each.error]),
        "recipients": len(run.schedule.recipients),
        "sent": states.count(Sent.SENT),
        "dead": states.count(Sent.DEAD),
        "error": run.error,
        "deliveries": [
            {
                "kind": "email" if isinstance(each.recipient, ReportByEmail) else "webhook",
                "to": each.recipient.to if isinstance(each.recipient, ReportByEmail) else each.recipient.url,
                "state": each.state,
                "at": _time(each.at),
                "error": each.error,
            }
            for each in run.deliveries
        ],
    }


def _time(ms: int) -> str | None:
    return show_time(moment(ms)) if ms else None
