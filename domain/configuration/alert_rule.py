"""Alert rule: what is watched, when it fires, whom it tells, and when it is silent.

A rule watches any metric of the catalogue or a measure of a registered query. This side only keeps what was said;
whether it fires is judged where answers are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from domain.access.rights import Feature
from domain.configuration import forms
from domain.configuration.alert_terms import DAY, Notification, Trigger, notification_problems, trigger_problems
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
from domain.errors import Conflict, NotFound

WHAT = "alert rule"
MOST_SILENCES = 50  # that are not over


class Silence(Value, frozen=True):
    """Nobody is told from `starts_at` to `until` (ms since 1970 UTC) about the series that match."""

    id: str
    starts_at: int
    until: int
    reason: str
    by: str
    matching: forms.Params = msgspec.field(default_factory=dict)


Severity = Annotated[Literal["info", "warning", "critical"], Meta(description="How bad it is.")]


class Contents(Value, frozen=True):
    """Everything about a rule that a command sets as a whole."""

    name: forms.Name
    trigger: Annotated[Trigger, Meta(description="What is watched and when it fires.")]
    description: forms.Prose = ""
    severity: Severity = "warning"
    notification: Annotated[Notification, Meta(description="Whom it tells, how often, and when not.")] = Notification()


class AlertRule(Contents, frozen=True, kw_only=True):
    """State of an alert rule."""

    enabled: bool = True
    archived: bool = False
    silences: tuple[Silence, ...] = ()


class _NeedsAlerts(Command, frozen=True):
    """A command for tiers that have alerts. What makes a rule quiet needs no tier: it must go after a downgrade."""

    feature = Feature.ALERTS


class CreateAlertRule(Contents, _NeedsAlerts, frozen=True):
    """Create an alert rule; it is enabled."""

    verb = "create"


class ChangeAlertRule(Contents, _NeedsAlerts, frozen=True):
    """Make the rule what this says, as a whole. Whether it is enabled, and its silences, stay."""

    verb = "change"


class RenameAlertRule(Rename, _NeedsAlerts, frozen=True):
    """Give the rule another name."""


class DescribeAlertRule(Describe, _NeedsAlerts, frozen=True):
    """Describe the rule in words."""


class ChangeTrigger(_NeedsAlerts, frozen=True):
    """Say what is watched and when it fires."""

    verb = "change_trigger"
    trigger: Annotated[Trigger, Meta(description="What is watched and when it fires.")]


class ChangeSeverity(_NeedsAlerts, frozen=True):
    """Say how bad it is."""

    verb = "change_severity"
    severity: Severity


class ChangeNotification(_NeedsAlerts, frozen=True):
    """Say whom the rule tells, how often, and when not."""

    verb = "change_notification"
    notification: Annotated[Notification, Meta(description="Whom it tells, how often, and when not.")]


class EnableAlertRule(Enable, _NeedsAlerts, frozen=True):
    """Judge the rule again."""


class DisableAlertRule(Disable, frozen=True):
    """Judge the rule no more until it is enabled."""


class SilenceAlertRule(Command, frozen=True):
    """Tell nobody for a time. The silence's id is the id of this command."""

    verb = "silence"
    for_seconds: Annotated[int, Meta(ge=60, le=90 * DAY, description="For how long from now.")]
    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"\S", description="Why.")]
    matching: Annotated[forms.Params, Meta(description="Only series with these values of dimensions.")] = msgspec.field(
        default_factory=dict
    )


class UnsilenceAlertRule(Command, frozen=True):
    """End a silence before its time."""

    verb = "unsilence"
    silence_id: Annotated[str, Meta(min_length=1, max_length=64, description="Id of the silence.")]


class ArchiveAlertRule(Archive, frozen=True):
    """Put the rule away: it is judged no more, its history stays."""


class RestoreAlertRule(Restore, _NeedsAlerts, frozen=True):
    """Take an archived rule back into use, as it was."""


class AlertRuleCreated(Contents, Event, frozen=True):
    """There is a new rule, enabled."""

    topic = "alert_rule.created"


class AlertRuleRenamed(Renamed, frozen=True):
    """It has another name."""

    topic = "alert_rule.renamed"


class AlertRuleDescribed(Described, frozen=True):
    """It has another description."""

    topic = "alert_rule.described"


class TriggerChanged(Event, frozen=True):
    """It watches something else, or fires at something else."""

    topic = "alert_rule.trigger_changed"
    trigger: Trigger


class SeverityChanged(Event, frozen=True):
    """It is less or more bad."""

    topic = "alert_rule.severity_changed"
    severity: Severity


class NotificationChanged(Event, frozen=True):
    """It tells others, or at other times."""

    topic = "alert_rule.notification_changed"
    notification: Notification


class AlertRuleEnabled(Event, frozen=True):
    """It is judged."""

    topic = "alert_rule.enabled"


class AlertRuleDisabled(Event, frozen=True):
    """It is judged no more."""

    topic = "alert_rule.disabled"


class AlertRuleSilenced(Event, frozen=True):
    """Nobody is told for a time; silences that were over by then are forgotten."""

    topic = "alert_rule.silenced"
    silence: Silence


class AlertRuleUnsilenced(Event, frozen=True):
    """The silence is over."""

    topic = "alert_rule.unsilenced"
    silence_id: str


class AlertRuleArchived(Event, frozen=True):
    """It was put away."""

    topic = "alert_rule.archived"


class AlertRuleRestored(Event, frozen=True):
    """It is in use again."""

    topic = "alert_rule.restored"


Setting = ChangeAlertRule | RenameAlertRule | DescribeAlertRule | ChangeTrigger | ChangeSeverity | ChangeNotification
LifeCycleCommand = EnableAlertRule | DisableAlertRule | ArchiveAlertRule | RestoreAlertRule
AlertRuleCommand = CreateAlertRule | Setting | LifeCycleCommand | SilenceAlertRule | UnsilenceAlertRule
SettingEvent = AlertRuleRenamed | AlertRuleDescribed | TriggerChanged | SeverityChanged | NotificationChanged
LifeCycleEvent = AlertRuleEnabled | AlertRuleDisabled | AlertRuleArchived | AlertRuleRestored
AlertRuleEvent = AlertRuleCreated | SettingEvent | LifeCycleEvent | AlertRuleSilenced | AlertRuleUnsilenced


def decide(state: AlertRule | None, command: AlertRuleCommand, issued: Issued) -> tuple[AlertRuleEvent, ...]:
    """The events of a command. Raises Invalid naming the field, NotFound, Conflict."""
    match command:
        case CreateAlertRule():
            unborn(state, WHAT)
            refuse(problems(command))
            return (AlertRuleCreated(**msgspec.structs.asdict(command)),)
        case EnableAlertRule() | DisableAlertRule() | ArchiveAlertRule() | RestoreAlertRule():
            return switched(state, command, WHAT, get_args(LifeCycleEvent))
        case SilenceAlertRule():
            return (AlertRuleSilenced(_silence(in_use(state, WHAT), command, issued)),)
        case UnsilenceAlertRule(silence_id):
            if silence_id not in {silence.id for silence in in_use(state, WHAT).silences}:
                raise NotFound(f"silence_id: this alert rule has no silence {silence_id!r}", code="no_silence")
            return (AlertRuleUnsilenced(silence_id),)
        case _:
            before = in_use(state, WHAT)
            after = with_settings(before, command)
            refuse(problems(after))
            return tuple(settings_changed(before, after, get_args(SettingEvent)))


def evolve(state: AlertRule | None, event: AlertRuleEvent) -> AlertRule:
    """The state after an event."""
    if isinstance(event, AlertRuleCreated):
        return AlertRule(**msgspec.structs.asdict(event))
    rule = born(state, WHAT)
    match event:
        case AlertRuleEnabled() | AlertRuleDisabled() | AlertRuleArchived() | AlertRuleRestored():
            return after_switch(rule, event)
        case AlertRuleSilenced(silence):
            others = (s for s in rule.silences if s.until > silence.starts_at)
            return msgspec.structs.replace(rule, silences=(*others, silence))
        case AlertRuleUnsilenced(silence_id):
            return msgspec.structs.replace(rule, silences=tuple(s for s in rule.silences if s.id != silence_id))
        case _:
            return with_settings(rule, event)


def problems(contents: Contents) -> Iterator[str]:
    """What is wrong with a rule beyond the form of its fields."""
    yield from trigger_problems(contents.trigger)
    yield from notification_problems(contents.notification)
    by = contents.trigger.watched.by
    for place, name in enumerate(contents.notification.group_by):
        if name not in by:
            yield f"notification.group_by[{place}]: {name!r} is none of trigger.watched.by ({', '.join(by) or 'empty'})"


def _silence(rule: AlertRule, command: SilenceAlertRule, issued: Issued) -> Silence:
    refuse(_unmatched(rule, command))
    lasting = [silence for silence in rule.silences if silence.until > issued.at]
    if len(lasting) >= MOST_SILENCES:
        raise Conflict(f"this alert rule has {MOST_SILENCES} silences already", code="too_many_silences")
    until = issued.at + 1000 * command.for_seconds
    return Silence(issued.command_id, issued.at, until, command.reason, issued.actor, command.matching)


def _unmatched(rule: AlertRule, command: SilenceAlertRule) -> Iterator[str]:
    """A silence that names what no series of the rule has would silence nobody."""
    by = rule.trigger.watched.by
    yield from (
        f"matching: {n!r} is none of the dimensions watched ({', '.join(by) or 'none'})"
        for n in command.matching
        if n not in by
    )


ALERT_RULE = Aggregate(
    "alert_rule",
    "What is watched, when it fires, whom it tells",
    get_args(AlertRuleCommand),
    get_args(AlertRuleEvent),
    decide,
    evolve,
)
