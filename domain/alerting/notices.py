"""Whom a change of state is told, how often, and when not: by what people heard last, and what is so now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

import msgspec

from domain.alerting.conditions import words_of
from domain.alerting.evaluation import WHOLE, Book, Entry, State, series_of
from domain.alerting.watch import Rule
from domain.configuration.alert_rule import Silence
from domain.configuration.alert_terms import MuteTiming
from domain.configuration.channels import Channel

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class News(StrEnum):
    """What is new of a series."""

    BEGUN = "begun"
    STILL = "still"
    RESOLVED = "resolved"


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A series of a notice; `since`: ms since 1970 UTC."""

    series: str
    news: News
    state: State
    value: str
    since: int


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What one channel is sent of a rule at the end of a period (ms)."""

    notice_id: str
    company: str
    rule_id: str
    rule: str
    severity: str
    condition: str
    at: int
    group: str
    channel: Channel
    items: Sequence[Item]


def notices(company: str, book: Book, rules: Sequence[Rule], now: int) -> Iterator[Notice]:
    """The notices of the period that was evaluated last; the book knows then what people heard. `now`: ms.

    A series that is silenced, or whose rule is muted, waits: once it is not, what is so then is told.
    """
    there = {rule.rule_id for rule in rules}
    for rule_id in [each for each in book.sent if each not in there]:
        del book.sent[rule_id]
    for rule in rules:
        if rule.rule_id not in book.entries and rule.rule_id not in book.sent:
            continue
        notification = rule.rule.notification
        if any(_muted(timing, now) for timing in notification.mute_timings):
            continue
        groups: dict[str, list[Item]] = {}
        for item in _news(book, rule, now):
            groups.setdefault(_group(item.series, notification.group_by), []).append(item)
        for group, items in sorted(groups.items()):
            for channel in notification.channels:
                yield _notice(company, rule, book.until, group, channel, items)


def _news(book: Book, rule: Rule, now: int) -> Iterator[Item]:
    """What of the rule's series is to be told, and counts as told from then on."""
    entries = book.entries.get(rule.rule_id, {})
    sent = book.sent.setdefault(rule.rule_id, {})
    for series in sorted({*entries, *sent}):
        if any(_silences(silence, series, now) for silence in rule.rule.silences):
            continue
        entry, last = entries.get(series), sent.get(series)
        state = _as_heard(entry)
        if entry is not None and state is not State.NORMAL:
            if last is None or last.state is not state:
                news = News.BEGUN
            elif book.until - last.at >= 1000 * rule.rule.notification.repeat_seconds:
                news = News.STILL
            else:
                continue
            sent[series] = Entry(state, book.until, entry.since)
            yield Item(series=series, news=news, state=state, value=entry.value, since=entry.since)
        elif last is not None:
            del sent[series]
            yield Item(series=series, news=News.RESOLVED, state=State.NORMAL, value="", since=last.since)
    if not sent:
        del book.sent[rule.rule_id]


def _as_heard(entry: Entry | None) -> State:
    """The state as people hear of it: what may recover still fires, what is pending is normal."""
    if entry is None or entry.state is State.PENDING:
        return State.NORMAL
    return State.FIRING if entry.state is State.RECOVERING else entry.state


def _group(series: str, by: Sequence[str]) -> str:
    if series == WHOLE:
        return WHOLE
    dimensions: Mapping[str, object] = msgspec.json.decode(series)
    return series_of({name: dimensions.get(name) for name in by})


def _silences(silence: Silence, series: str, now: int) -> bool:
    if not silence.starts_at <= now < silence.until:
        return False
    if not silence.matching:
        return True
    dimensions: Mapping[str, object] = msgspec.json.decode(series) if series else {}
    return all(str(dimensions.get(name)) == value for name, value in silence.matching.items())


def _muted(timing: MuteTiming, now: int) -> bool:
    """Whether a moment lies in a mute timing, which belongs to the day on which it begins."""
    local = datetime.fromtimestamp(now / 1000, UTC).astimezone(ZoneInfo(timing.time_zone))
    clock, yesterday = f"{local:%H:%M}", local - timedelta(days=1)
    today = DAYS[local.weekday()] in timing.days
    if timing.from_time < timing.to_time:
        return today and timing.from_time <= clock < timing.to_time
    return (today and clock >= timing.from_time) or (
        DAYS[yesterday.weekday()] in timing.days and clock < timing.to_time
    )


def _notice(company: str, rule: Rule, at: int, group: str, channel: Channel, items: Sequence[Item]) -> Notice:
    to = msgspec.json.encode(channel).decode()
    about = f"urn:analytics:notice:{company}:{rule.rule_id}:{at}:{group}:{to}"
    return Notice(
        notice_id=str(uuid5(NAMESPACE_URL, about)),
        company=company,
        rule_id=rule.rule_id,
        rule=rule.rule.name,
        severity=rule.rule.severity,
        condition=words_of(rule),
        at=at,
        group=group,
        channel=channel,
        items=items,
    )
