"""Runs of report schedules, and what came of them.

A run is one due time of one schedule, and there is one of it, whoever finds out that it is due, and how often.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from uuid import NAMESPACE_URL, uuid5

import msgspec

from domain.configuration.channels import Own, Recipient
from domain.configuration.report_schedule import ReportSchedule


class RunState(StrEnum):
    """How far a run has got. `failed`: a report of it was not made, or did not arrive everywhere."""

    DUE = "due"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class Sent(StrEnum):
    """How far a delivery has got. `dead`: it is tried no more until somebody says so."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"


class MadeReport(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A report of a run. `sees`: whose rows alone it shows; None: all of the company. `error`: why there is none."""

    sees: Own | None = None
    report_id: str = ""
    size: int = 0
    sha256: str = ""
    error: str = ""


class Delivery(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """What a recipient gets. `at`: when it was sent, or tried last (ms since 1970 UTC)."""

    recipient: Recipient
    state: Sent = Sent.WAITING
    at: int = 0
    error: str = ""


class Run(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A run; times are ms since 1970 UTC, 0 where there is none. `schedule`: as it was when it was due.

    `omit`: it is not to be made, and its error says why. `tries`: how often somebody began it. `again`: number of the
    command that made it begin anew.
    """

    company_id: str
    schedule_id: str
    due: int
    schedule: ReportSchedule
    state: RunState = RunState.DUE
    late: bool = False
    omit: bool = False
    planned_at: int = 0
    started_at: int = 0
    finished_at: int = 0
    tries: int = 0
    again: int = 0
    error: str = ""
    reports: Sequence[MadeReport] = ()
    deliveries: Sequence[Delivery] = ()

    @property
    def run_id(self) -> str:
        """The same for the same due time of the same schedule: by it, what comes twice can be dropped."""
        return str(uuid5(NAMESPACE_URL, f"urn:analytics:run:{self.company_id}:{self.schedule_id}:{self.due}"))

    @property
    def due_at(self) -> datetime:
        """When it was due."""
        return moment(self.due)


def moment(ms: int) -> datetime:
    """A time in ms since 1970 UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC)
