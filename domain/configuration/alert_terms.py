"""What an alert rule is made of: what is watched, when it fires, whom it tells."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from domain.configuration import forms
from domain.configuration.channels import Channel, channels_repeated
from domain.configuration.kinds import Value

DAY = 86_400
Seconds = Annotated[int, Meta(ge=0, le=7 * DAY)]


class WatchedMetric(Value, frozen=True, tag_field="kind", tag="metric"):
    """A metric of the catalogue, one series a combination of the dimensions in `by`."""

    key: forms.MetricKey
    params: forms.Params = msgspec.field(default_factory=dict)
    by: Annotated[tuple[forms.QueryName, ...], Meta(max_length=4, description="Dimensions to split by.")] = ()


class WatchedMeasure(Value, frozen=True, tag_field="kind", tag="query"):
    """A measure of a registered query."""

    query: forms.QueryName
    measure: forms.QueryName
    params: forms.Params = msgspec.field(default_factory=dict)
    by: Annotated[tuple[forms.QueryName, ...], Meta(max_length=4, description="Dimensions to split by.")] = ()


class Threshold(Value, frozen=True, tag_field="kind", tag="threshold"):
    """The value compared with a number."""

    compare: Annotated[Literal["above", "at_least", "below", "at_most", "equal", "not_equal"], Meta(description="How.")]
    value: forms.Number


class Change(Value, frozen=True, tag_field="kind", tag="change"):
    """The value has moved by so much since so long ago."""

    direction: Annotated[Literal["up", "down", "either"], Meta(description="Which way.")]
    by: forms.Number
    unit: Annotated[Literal["absolute", "percent"], Meta(description="What `by` counts.")]
    over_seconds: Annotated[int, Meta(ge=60, le=366 * DAY, description="Since how long ago.")]


class Anomaly(Value, frozen=True, tag_field="kind", tag="anomaly"):
    """The value lies outside of what its own past lets expect."""

    direction: Annotated[Literal["up", "down", "either"], Meta(description="Which way.")] = "either"
    deviations: Annotated[forms.Number, Meta(description="Width of the band, in deviations, 1 to 10.")] = "3"


class NoData(Value, frozen=True, tag_field="kind", tag="no_data"):
    """Nothing has come for so long."""

    after_seconds: Annotated[int, Meta(ge=60, le=31 * DAY, description="For how long.")]


class BurnRate(Value, frozen=True, tag_field="kind", tag="burn_rate"):
    """The value, a share of failures, uses up what the objective allows so many times too fast, in both windows."""

    objective: Annotated[forms.Number, Meta(description="Share that has to succeed, such as 0.999.")]
    factor: Annotated[forms.Number, Meta(description="How many times faster than allowed, such as 14.4.")]
    long_seconds: Annotated[int, Meta(ge=60, le=31 * DAY, description="The long window, which shows that it matters.")]
    short_seconds: Annotated[int, Meta(ge=60, le=31 * DAY, description="The short one, which shows that it lasts.")]


PERIODS = {"1m": 60, "5m": 300, "15m": 900, "1h": 3_600, "1d": DAY}
Condition = Threshold | Change | Anomaly | NoData | BurnRate


class Trigger(Value, frozen=True):
    """What is watched and when it fires."""

    watched: Annotated[WatchedMetric | WatchedMeasure, Meta(description="What is watched.")]
    condition: Annotated[Condition, Meta(description="When it fires.")]
    for_seconds: Annotated[Seconds, Meta(description="The condition must hold for so long before it fires.")] = 0
    keep_firing_seconds: Annotated[Seconds, Meta(description="It goes on firing for so long after it.")] = 0
    no_data: Annotated[
        Literal["no_data", "normal", "firing", "keep_last"],
        Meta(description="State while there is no data; keep_last keeps the last one."),
    ] = "no_data"
    every: Annotated[
        Literal["1m", "5m", "15m", "1h", "1d"],
        Meta(description="Length of the periods, of UTC, that are evaluated, each once it is over."),
    ] = "1h"
    more: Annotated[tuple[Condition, ...], Meta(max_length=4, description="Further conditions.")] = ()
    join: Annotated[
        Literal["all", "any"], Meta(description="Whether it fires when all conditions hold, or any of them.")
    ] = "all"
    clears: Annotated[
        tuple[Threshold, ...],
        Meta(max_length=4, description="Once it fires, it goes on until these hold; empty: while its condition does."),
    ] = ()
    error: Annotated[
        Literal["error", "firing", "keep_last"],
        Meta(description="State while it cannot be evaluated; keep_last keeps the last one."),
    ] = "error"

    @property
    def every_seconds(self) -> int:
        """Length of the periods in seconds."""
        return PERIODS[self.every]

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All of them."""
        return (self.condition, *self.more)


class MuteTiming(Value, frozen=True):
    """Hours of the week in which nobody is told. Where `from_time` is not before `to_time`, it ends the next day."""

    days: Annotated[tuple[forms.Weekday, ...], Meta(min_length=1, max_length=7, description="On these days.")]
    from_time: forms.ClockTime
    to_time: forms.ClockTime
    time_zone: forms.TimeZone = "UTC"


class Notification(Value, frozen=True):
    """Whom a rule tells, how often, and when not."""

    channels: Annotated[tuple[Channel, ...], Meta(max_length=20, description="Whom it tells.")] = ()
    group_by: Annotated[
        tuple[forms.QueryName, ...], Meta(max_length=4, description="One message a group of these.")
    ] = ()
    repeat_seconds: Annotated[int, Meta(ge=300, le=7 * DAY, description="Told again after, while it fires.")] = 14_400
    mute_timings: Annotated[tuple[MuteTiming, ...], Meta(max_length=20, description="When nobody is told.")] = ()


def trigger_problems(trigger: Trigger) -> Iterator[str]:
    """What is wrong with a trigger beyond the form of its fields."""
    for place, condition in enumerate(trigger.conditions):
        field = f"trigger.more[{place - 1}]" if place else "trigger.condition"
        yield from (f"{field}.{problem}" for problem in _condition_problems(condition))
    yield from forms.repeated("trigger.watched.by", trigger.watched.by)


def _condition_problems(condition: Condition) -> Iterator[str]:
    match condition:
        case Change(by=by) if Decimal(by) <= 0:
            yield "by: must be above 0; the direction says which way"
        case Anomaly(deviations=deviations) if not 1 <= Decimal(deviations) <= 10:
            yield "deviations: must be 1 to 10"
        case BurnRate():
            if not 0 < Decimal(condition.objective) < 1:
                yield "objective: must lie between 0 and 1"
            if Decimal(condition.factor) <= 0:
                yield "factor: must be above 0"
            if condition.short_seconds >= condition.long_seconds:
                yield "short_seconds: must be less than long_seconds"


def notification_problems(notification: Notification) -> Iterator[str]:
    """What is wrong with a notification beyond the form of its fields."""
    yield from forms.repeated("notification.group_by", notification.group_by)
    yield from channels_repeated("notification.channels", notification.channels)
    for place, timing in enumerate(notification.mute_timings):
        field = f"notification.mute_timings[{place}]"
        yield from forms.zone_problem(f"{field}.time_zone", timing.time_zone)
        yield from forms.repeated(f"{field}.days", timing.days)
