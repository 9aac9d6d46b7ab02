"""Evaluating the rules of a watch, one period after the other: the book before, what is figures, the changes of state.

This is all there is of it: the role `alerter` and a back-test run the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import StrEnum
from hashlib import blake2b
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from domain.alerting.conditions import Values, clears, columns, truth_of, words_of
from domain.alerting.watch import Rule, Watch, Window, newest
from domain.configuration.alert_terms import Trigger

MEMORY = 62 * 86_400_000  # ms after which a series of which nothing came is one no more
NONE: Mapping[str, Rule] = MappingProxyType({})
WHOLE = ""  # the series that stands for the rule as a whole


class State(StrEnum):
    """How a rule stands on a series."""

    NORMAL = "normal"
    PENDING = "pending"
    FIRING = "firing"
    RECOVERING = "recovering"
    NO_DATA = "no_data"
    ERROR = "error"


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A state other than normal; `at`: end of the period that brought it; `since`: when it began to be so (ms)."""

    state: State
    at: int
    since: int
    value: str = ""


class Book(msgspec.Struct):
    """What is remembered of a watch: up to when (ms) it is evaluated, and states other than normal.

    `entries`: by rule and series. `seen`: of each series the end of the last period in which something came of it.
    `sent`: by rule and series the state that people heard of last, and when.
    """

    until: int
    entries: dict[str, dict[str, Entry]] = {}
    seen: dict[str, int] = {}
    sent: dict[str, dict[str, Entry]] = {}


def series_of(dimensions: Mapping[str, object]) -> str:
    """The name of a series: its dimensions and their values."""
    return msgspec.json.encode(dimensions, order="sorted").decode()


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """A change of state; times are ms since 1970 UTC."""

    rule_id: str
    rule: str
    severity: str
    series: str
    before: State
    after: State
    at: int
    since: int
    value: str
    condition: str
    reason: str
    every_seconds: int

    def event_id(self, company: str) -> str:
        """The same for the same rule, series and period: a period has one outcome."""
        about = (company, self.rule_id, self.series, self.at)
        return blake2b("\0".join(map(str, about)).encode(), digest_size=16).hexdigest()


class Figures(NamedTuple):
    """What is known at the end of a period: the values of windows, and of which series something came in the period."""

    values: Mapping[Window, Values]
    came: Collection[str]


def evaluated(
    watch: Watch, book: Book, rules: Sequence[Rule], figures: Figures | str, former: Mapping[str, Rule] = NONE
) -> list[Transition]:
    """The changes of state by the period after `book.until`, which the book knows then.

    `figures`: the windows of all rules, or why nothing is known; `former`: rules that may be evaluated no more.
    """
    at = book.until + watch.period
    book.until = at
    changes = list(_ended(watch, book, rules, at, former))
    if isinstance(figures, str):
        changes += _failed(book, rules, at, figures)
    else:
        changes += _recovered(book, rules, at)
        changes += _decided(watch, book, rules, at, figures)
    return sorted(changes, key=lambda change: (change.rule_id, change.series))


def _ended(
    watch: Watch, book: Book, rules: Sequence[Rule], at: int, former: Mapping[str, Rule]
) -> Iterator[Transition]:
    """What is evaluated no more is normal."""
    there = {rule.rule_id for rule in rules}
    for rule_id in [each for each in book.entries if each not in there]:
        for series, entry in book.entries.pop(rule_id).items():
            reason = "the rule is evaluated no more"
            yield _change(rule_id, former.get(rule_id), watch.every, series, entry, None, at, reason=reason)
    gone = [series for series, last in book.seen.items() if at - last > MEMORY]
    for series in gone:
        del book.seen[series]
        for rule in rules:
            entries = book.entries.get(rule.rule_id, {})
            if series in entries:
                entry = entries.pop(series)
                yield _change(
                    rule.rule_id, rule, watch.every, series, entry, None, at, reason="nothing has come of it for long"
                )


def _failed(book: Book, rules: Sequence[Rule], at: int, reason: str) -> Iterator[Transition]:
    for rule in rules:
        policy = rule.rule.trigger.error
        if policy != "keep_last":
            state = State.ERROR if policy == "error" else State.FIRING
            yield from _put(book, rule, WHOLE, state, at, reason=reason)


def _recovered(book: Book, rules: Sequence[Rule], at: int) -> Iterator[Transition]:
    for rule in rules:
        if WHOLE in book.entries.get(rule.rule_id, {}):
            yield from _put(book, rule, WHOLE, State.NORMAL, at)


def _decided(watch: Watch, book: Book, rules: Sequence[Rule], at: int, figures: Figures) -> Iterator[Transition]:
    import numpy as np

    values = figures.values[newest(watch.every)]
    if not watch.by and not book.seen:
        book.seen[series_of({})] = at - watch.period  # the one series that is there before anything comes
    book.seen.update(dict.fromkeys(figures.came, at))
    series = sorted({*book.seen, *values})
    silent = {each: at - last for each, last in book.seen.items()}
    truth = truth_of(rules, columns(series, figures.values, silent, watch.every))
    places = {each: place for place, each in enumerate(series)}
    stay = np.array([rule.rule.trigger.no_data == "normal" for rule in rules], np.bool_)
    moves = truth.holds | (truth.unknown & ~stay[:, None])
    for number, rule in enumerate(rules):
        due = set(np.flatnonzero(moves[number]).tolist())
        due |= {places[each] for each in book.entries.get(rule.rule_id, ()) if each in places}
        for place in sorted(due):
            name = series[place]
            holds = None if truth.unknown[number, place] else bool(truth.holds[number, place])
            yield from _stepped(book, rule, name, holds, at, values.get(name, ""))


def _stepped(book: Book, rule: Rule, series: str, holds: bool | None, at: int, value: str) -> Iterator[Transition]:
    """What a series does in a period in which the condition held, did not, or is not known to."""
    entry, trigger = book.entries.get(rule.rule_id, {}).get(series), rule.rule.trigger
    if holds is None:
        match trigger.no_data:
            case "keep_last":
                return
            case "no_data":
                yield from _put(book, rule, series, State.NO_DATA, at, reason="there is no data")
                return
            case policy:
                holds = policy == "firing"
    if not holds and value and entry is not None and entry.state in (State.FIRING, State.RECOVERING):
        holds = bool(trigger.clears) and not clears(rule, value)
    yield from _put(book, rule, series, after(trigger, entry, at, holds=holds), at, value)


def after(trigger: Trigger, entry: Entry | None, at: int, *, holds: bool) -> State:
    """The state after a period; None is normal."""
    state = entry.state if entry is not None else State.NORMAL
    began = entry.at if entry is not None else at
    if holds:
        if state in (State.FIRING, State.RECOVERING):
            return State.FIRING
        began = began if state is State.PENDING else at
        return State.FIRING if at - began >= 1000 * trigger.for_seconds else State.PENDING
    if state is State.FIRING:
        return State.RECOVERING if trigger.keep_firing_seconds else State.NORMAL
    if state is State.RECOVERING and at - began < 1000 * trigger.keep_firing_seconds:
        return State.RECOVERING
    return State.NORMAL


def _put(
    book: Book, rule: Rule, series: str, state: State, at: int, value: str = "", reason: str = ""
) -> Iterator[Transition]:
    """The book has the state; where it is another one, there is a change."""
    entries = book.entries.get(rule.rule_id, {})
    before = entries.get(series)
    if (before.state if before is not None else State.NORMAL) is state:
        if before is not None and value:
            entries[series] = Entry(before.state, before.at, before.since, value)
        return
    goes_on = before is not None and {before.state, state} <= {State.PENDING, State.FIRING, State.RECOVERING}
    since = before.since if before is not None and goes_on else at
    if state is State.NORMAL:
        del entries[series]
        if not entries:
            book.entries.pop(rule.rule_id, None)
        entry = None
    else:
        entry = Entry(state, at, since, value)
        book.entries.setdefault(rule.rule_id, {})[series] = entry
    yield _change(rule.rule_id, rule, rule.rule.trigger.every_seconds, series, before, entry, at, value, reason)


def _change(
    rule_id: str,
    rule: Rule | None,
    every: int,
    series: str,
    before: Entry | None,
    entry: Entry | None,
    at: int,
    value: str = "",
    reason: str = "",
) -> Transition:
    since = entry.since if entry is not None else before.since if before is not None else at
    return Transition(
        rule_id=rule_id,
        rule=rule.rule.name if rule is not None else "",
        severity=rule.rule.severity if rule is not None else "",
        series=series,
        before=before.state if before is not None else State.NORMAL,
        after=entry.state if entry is not None else State.NORMAL,
        at=at,
        since=since,
        value=value,
        condition=words_of(rule) if rule is not None else "",
        reason=reason,
        every_seconds=every,
    )
