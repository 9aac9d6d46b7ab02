"""Report schedule: which report is made when, in which form, and to whom it goes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from domain.configuration import forms
from domain.configuration.channels import FailureRecipient, Recipient, channels_repeated
from domain.configuration.cron import Cron
from domain.configuration.kinds import Aggregate, Command, Event, Issued, Value, refuse
from domain.configuration.lifecycle import (
    Archive,
    Describe,
    Described,
    Disable,
    Enable,
    Rename,
    Renamed,
    Restore,
    after_switch,
    born,
    in_use,
    settings_changed,
    switched,
    unborn,
    with_settings,
)
from domain.errors import Invalid

WHAT = "report schedule"
CLOSEST_MINUTES = 15  # from one report of a schedule to the next
LONGEST_PAUSE = 366 * 86_400  # seconds


class Section(Value, frozen=True):
    """A part of a custom report: one query."""

    title: forms.Name
    query: forms.QueryName
    params: forms.Params = msgspec.field(default_factory=dict)


class Report(Value, frozen=True):
    """Which report, in which form, with which parameters."""

    kind: Annotated[Literal["executive", "trading", "users", "system", "custom"], Meta(description="Which report.")]
    format: Annotated[Literal["pdf", "xlsx", "json"], Meta(description="In which form.")] = "pdf"
    params: forms.Params = msgspec.field(default_factory=dict)
    sections: Annotated[
        tuple[Section, ...], Meta(max_length=40, description="Its parts, for a custom report alone.")
    ] = ()
    failures: Annotated[
        Literal["fail", "box"], Meta(description="A part that fails ends the report, or is a box that says why.")
    ] = "fail"
    period: Annotated[
        Literal["", "day", "week", "month", "quarter", "year"],
        Meta(description="It is about the last whole one before it is due; empty: what its queries say."),
    ] = ""


class Timing(Value, frozen=True):
    """When it is made."""

    cron: Annotated[str, Meta(min_length=9, max_length=120, description="minute hour day month weekday: 0 7 * * mon.")]
    time_zone: forms.TimeZone = "UTC"
    late: Annotated[
        Literal["make", "newest", "skip"],
        Meta(description="What was due while nothing could make it: is made, the newest of it alone, or is left out."),
    ] = "make"


Recipients = Annotated[
    tuple[Recipient, ...], Meta(max_length=50, description="Whom it is sent to, beside being kept; none is allowed.")
]


FailureRecipients = Annotated[
    tuple[FailureRecipient, ...],
    Meta(max_length=10, description="Who hears, with the reason, of a report that was not made or did not arrive."),
]


class Pause(Value, frozen=True):
    """No report is made until a time (ms since 1970 UTC; 0: until it is resumed)."""

    until: int
    reason: str
    paused_by: str


class Contents(Value, frozen=True):
    """Everything about a schedule that a command sets as a whole."""

    name: forms.Name
    report: Annotated[Report, Meta(description="Which report, in which form.")]
    timing: Annotated[Timing, Meta(description="When it is made.")]
    recipients: Recipients = ()
    description: forms.Prose = ""
    failure_recipients: FailureRecipients = ()


class ReportSchedule(Contents, frozen=True, kw_only=True):
    """State of a report schedule."""

    enabled: bool = True
    archived: bool = False
    pause: Pause | None = None

    def makes(self, at: int) -> bool:
        """Whether its report is made that is due at a time (ms since 1970 UTC)."""
        paused = self.pause is not None and not 0 < self.pause.until <= at
        return self.enabled and not self.archived and not paused


class CreateReportSchedule(Contents, Command, frozen=True):
    """Create a report schedule; it is enabled."""

    verb = "create"


class ChangeReportSchedule(Contents, Command, frozen=True):
    """Make the schedule what this says, as a whole. Whether it is enabled stays."""

    verb = "change"


class RenameReportSchedule(Rename, frozen=True):
    """Give the schedule another name."""


class DescribeReportSchedule(Describe, frozen=True):
    """Describe the schedule in words."""


class ChangeReport(Command, frozen=True):
    """Say which report is made, in which form."""

    verb = "change_report"
    report: Annotated[Report, Meta(description="Which report, in which form.")]


class ChangeTiming(Command, frozen=True):
    """Say when the report is made."""

    verb = "change_timing"
    timing: Annotated[Timing, Meta(description="When it is made.")]


class ChangeRecipients(Command, frozen=True):
    """Say whom the report is sent to."""

    verb = "change_recipients"
    recipients: Recipients


class EnableReportSchedule(Enable, frozen=True):
    """Make the report again when it is due."""


class DisableReportSchedule(Disable, frozen=True):
    """Make the report no more until it is enabled."""


class PauseReportSchedule(Command, frozen=True):
    """Make no report for a time. What would be due in it is left out."""

    verb = "pause"
    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"\S", description="Why.")]
    for_seconds: Annotated[int, Meta(ge=0, le=LONGEST_PAUSE, description="For how long; 0: until it is resumed.")] = 0


class ResumeReportSchedule(Command, frozen=True):
    """End a pause before its time."""

    verb = "resume"


class SendRunAgain(Command, frozen=True):
    """Let a run that failed or was skipped begin anew: make what was not made, send what did not arrive."""

    verb = "send_again"
    due: Annotated[int, Meta(ge=0, le=2**53, description="When the run was due, in ms since 1970 UTC.")]


class ArchiveReportSchedule(Archive, frozen=True):
    """Put the schedule away: the report is made no more, its history stays."""


class RestoreReportSchedule(Restore, frozen=True):
    """Take an archived schedule back into use, as it was."""


class ReportScheduleCreated(Contents, Event, frozen=True):
    """There is a new schedule, enabled."""

    topic = "report_schedule.created"


class ReportScheduleRenamed(Renamed, frozen=True):
    """It has another name."""

    topic = "report_schedule.renamed"


class ReportScheduleDescribed(Described, frozen=True):
    """It has another description."""

    topic = "report_schedule.described"


class ReportChanged(Event, frozen=True):
    """It makes another report, or in another form."""

    topic = "report_schedule.report_changed"
    report: Report


class TimingChanged(Event, frozen=True):
    """It is due at other times."""

    topic = "report_schedule.timing_changed"
    timing: Timing


class RecipientsChanged(Event, frozen=True):
    """It goes to others."""

    topic = "report_schedule.recipients_changed"
    recipients: tuple[Recipient, ...]


class FailureRecipientsChanged(Event, frozen=True):
    """Others hear of its failures."""

    topic = "report_schedule.failure_recipients_changed"
    failure_recipients: tuple[FailureRecipient, ...]


class ReportScheduleEnabled(Event, frozen=True):
    """Its report is made."""

    topic = "report_schedule.enabled"


class ReportScheduleDisabled(Event, frozen=True):
    """Its report is made no more."""

    topic = "report_schedule.disabled"


class ReportSchedulePaused(Event, frozen=True):
    """Its report is not made for a time."""

    topic = "report_schedule.paused"
    pause: Pause


class ReportScheduleResumed(Event, frozen=True):
    """Its report is made again."""

    topic = "report_schedule.resumed"


class RunSentAgain(Event, frozen=True):
    """A run that failed or was skipped begins anew."""

    topic = "report_schedule.run_sent_again"
    due: int


class ReportScheduleArchived(Event, frozen=True):
    """It was put away."""

    topic = "report_schedule.archived"


class ReportScheduleRestored(Event, frozen=True):
    """It is in use again."""

    topic = "report_schedule.restored"


Setting = (
    ChangeReportSchedule
    | RenameReportSchedule
    | DescribeReportSchedule
    | ChangeReport
    | ChangeTiming
    | ChangeRecipients
)
LifeCycleCommand = EnableReportSchedule | DisableReportSchedule | ArchiveReportSchedule | RestoreReportSchedule
RunCommand = PauseReportSchedule | ResumeReportSchedule | SendRunAgain
ReportScheduleCommand = CreateReportSchedule | Setting | LifeCycleCommand | RunCommand
SettingEvent = (
    ReportScheduleRenamed
    | ReportScheduleDescribed
    | ReportChanged
    | TimingChanged
    | RecipientsChanged
    | FailureRecipientsChanged
)
LifeCycleEvent = ReportScheduleEnabled | ReportScheduleDisabled | ReportScheduleArchived | ReportScheduleRestored
RunEvent = ReportSchedulePaused | ReportScheduleResumed | RunSentAgain
ReportScheduleEvent = ReportScheduleCreated | SettingEvent | LifeCycleEvent | RunEvent


def decide(
    state: ReportSchedule | None, command: ReportScheduleCommand, issued: Issued
) -> tuple[ReportScheduleEvent, ...]:
    """The events of a command. Raises Invalid naming the field, NotFound, Conflict."""
    match command:
        case CreateReportSchedule():
            unborn(state, WHAT)
            refuse(problems(command))
            return (ReportScheduleCreated(**msgspec.structs.asdict(command)),)
        case EnableReportSchedule() | DisableReportSchedule() | ArchiveReportSchedule() | RestoreReportSchedule():
            return switched(state, command, WHAT, get_args(LifeCycleEvent))
        case PauseReportSchedule(reason, for_seconds):
            in_use(state, WHAT)
            until = issued.at + 1000 * for_seconds if for_seconds else 0
            return (ReportSchedulePaused(Pause(until, reason, issued.actor)),)
        case ResumeReportSchedule():
            return (ReportScheduleResumed(),) if in_use(state, WHAT).pause else ()
        case SendRunAgain(due):
            in_use(state, WHAT)
            return (RunSentAgain(due),)
        case _:
            before = in_use(state, WHAT)
            after = with_settings(before, command)
            refuse(problems(after))
            return tuple(settings_changed(before, after, get_args(SettingEvent)))


def evolve(state: ReportSchedule | None, event: ReportScheduleEvent) -> ReportSchedule:
    """The state after an event."""
    if isinstance(event, ReportScheduleCreated):
        return ReportSchedule(**msgspec.structs.asdict(event))
    schedule = born(state, WHAT)
    match event:
        case ReportScheduleEnabled() | ReportScheduleDisabled() | ReportScheduleArchived() | ReportScheduleRestored():
            return after_switch(schedule, event)
        case ReportSchedulePaused(pause):
            return msgspec.structs.replace(schedule, pause=pause)
        case ReportScheduleResumed():
            return msgspec.structs.replace(schedule, pause=None)
        case RunSentAgain():
            return schedule
        case _:
            return with_settings(schedule, event)


def problems(contents: Contents) -> Iterator[str]:
    """What is wrong with a schedule beyond the form of its fields."""
    if (contents.report.kind == "custom") != bool(contents.report.sections):
        yield "report.sections: there are some where the kind is `custom`, and only there"
    try:
        if Cron(contents.timing.cron).closest_minutes < CLOSEST_MINUTES:
            yield f"timing.cron: reports are made {CLOSEST_MINUTES} minutes apart or more"
    except Invalid as error:
        yield f"timing.cron: {error}"
    yield from forms.zone_problem("timing.time_zone", contents.timing.time_zone)
    yield from channels_repeated("recipients", contents.recipients)
    yield from channels_repeated("failure_recipients", contents.failure_recipients)


REPORT_SCHEDULE = Aggregate(
    "report_schedule",
    "Which report is made when, and to whom it goes",
    get_args(ReportScheduleCommand),
    get_args(ReportScheduleEvent),
    decide,
    evolve,
)
