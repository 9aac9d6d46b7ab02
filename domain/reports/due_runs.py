"""Which runs are due, as a pure function of what was decided about a schedule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from domain.configuration.cron import Cron
from domain.configuration.report_schedule import ReportSchedule
from domain.reports.schedule_runs import Run, moment

LATE = timedelta(minutes=5)  # after which what nobody made is late
NOBODY = "nothing ran when it was due"


class Since(NamedTuple):
    """What a schedule was from a moment on (ms)."""

    at: int
    schedule: ReportSchedule


def planned(company: str, schedule_id: str, history: Sequence[Since], after: int, now: int) -> Iterator[Run]:
    """The runs that were due after a moment, up to now (ms): each by what the schedule was when it was due.

    `history` is in order. What is late is made, or skipped, as the schedule says. Raises Invalid for a cron expression
    that this release cannot read.
    """
    runs = [
        Run(company_id=company, schedule_id=schedule_id, due=due, schedule=schedule, planned_at=now)
        for schedule, due in _due_times(history, after, now)
    ]
    in_time = now - LATE // timedelta(milliseconds=1)
    newest_late = max((run.due for run in runs if run.due < in_time), default=0)
    for run in runs:
        if run.due >= in_time:
            yield run
            continue
        policy = run.schedule.timing.late
        if policy == "make" or (policy == "newest" and run.due == newest_late):
            yield msgspec.structs.replace(run, late=True)
        else:
            yield msgspec.structs.replace(run, late=True, omit=True, error=f"{NOBODY}, and its policy is {policy}")


def _due_times(history: Sequence[Since], after: int, now: int) -> Iterator[tuple[ReportSchedule, int]]:
    ends = [*(each.at for each in history[1:]), now]
    for (begin, schedule), end in zip(history, ends, strict=True):
        first, last = max(begin, after), min(end, now)
        if first >= last:
            continue
        for due in Cron(schedule.timing.cron).after(moment(first), ZoneInfo(schedule.timing.time_zone)):
            if (at := round(due.timestamp() * 1000)) > last:
                break
            if schedule.makes(at):
                yield schedule, at
