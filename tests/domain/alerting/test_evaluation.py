"""States of alert rules: by hand, and any series of values against a recount that knows no columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alerting.evaluation import Book, Figures, State, Transition, evaluated, series_of
from domain.alerting.watch import Rule, newest, watch_of, windows_of
from domain.configuration.alert_rule import AlertRule
from domain.configuration.alert_terms import (
    Anomaly,
    BurnRate,
    Change,
    Condition,
    NoData,
    Threshold,
    Trigger,
    WatchedMeasure,
)

MINUTE = 60_000
WATCHED = WatchedMeasure("system_metrics", "count", by=("service",))
NAMES = [series_of({"service": name}) for name in ("a", "b")]
ABOVE = Threshold("above", "10")
USUAL = [str(Random(n).randint(9, 12)) for n in range(32)]  # without a season


def rule(condition: Condition = ABOVE, **more: Any) -> Rule:
    """One that looks every minute."""
    return Rule("r", AlertRule("rule", Trigger(WATCHED, condition, every="1m", **more)))


def run(watched: Rule, periods: Sequence[Mapping[str, str]]) -> list[Transition]:
    """The changes by these periods, of which each says the values of series."""
    watch, book, changes = watch_of("acme", watched.rule.trigger), Book(0), list[Transition]()
    for number in range(1, len(periods) + 1):
        values = {}
        for window in windows_of(watched.rule.trigger):
            first, last = number + window.begin // MINUTE, number + window.until // MINUTE
            seen = [each for each in range(max(first, 0), last)]
            values[window] = periods[seen[-1]] if seen else {}
        changes += evaluated(watch, book, [watched], Figures(values, list(periods[number - 1])))
        book = msgspec.json.decode(msgspec.json.encode(book), type=Book)  # as it is kept
    return changes


def line(watched: Rule, *values: str | None) -> list[tuple[int, str]]:
    """Minute and state after each change of one series; None: nothing came."""
    periods = [{NAMES[0]: value} if value is not None else {} for value in values]
    return [(change.at // MINUTE, change.after) for change in run(watched, periods)]


def test_it_fires_after_its_time_and_goes_on_for_its_time() -> None:
    """Two minutes pending, and two recovering, in which it may fire again."""
    patient = rule(for_seconds=120, keep_firing_seconds=120)
    told = line(patient, "11", "11", "11", "1", "11", "1", "1", "1", "11", "1")
    assert told == [
        (1, "pending"), (3, "firing"), (4, "recovering"), (5, "firing"), (6, "recovering"), (8, "normal"),
        (9, "pending"), (10, "normal"),
    ]  # fmt: skip


def test_hysteresis_keeps_it_firing_until_it_clears() -> None:
    """Above 10, until below 5."""
    assert line(rule(clears=(Threshold("below", "5"),)), "7", "11", "7", "4", "7") == [(2, "firing"), (4, "normal")]


@pytest.mark.parametrize(
    ("policy", "states"),
    [
        ("no_data", [(1, "firing"), (2, "no_data"), (3, "firing")]),
        ("normal", [(1, "firing"), (2, "normal"), (3, "firing")]),
        ("firing", [(1, "firing")]),
        ("keep_last", [(1, "firing")]),
    ],
)
def test_what_is_without_data_is_as_its_policy_says(policy: str, states: Sequence[tuple[int, str]]) -> None:
    """A gap of a minute in what fires."""
    assert line(rule(no_data=policy), "11", None, "11") == states


@pytest.mark.parametrize(
    ("condition", "values", "states"),
    [
        (Change("up", "50", "percent", 60), ("10", "14", "22", "22"), [(3, "firing"), (4, "normal")]),
        (Change("down", "4", "absolute", 120), ("10", "10", "6", "6", "6"), [(3, "firing"), (5, "normal")]),
        (NoData(120), ("1", None, None, "1"), [(3, "firing"), (4, "normal")]),
        (BurnRate("0.99", "10", 120, 60), ("0.2", "0.2", "0.05"), [(1, "firing"), (3, "normal")]),
        (Anomaly(), (*USUAL, "60", "10"), [(33, "firing"), (34, "normal")]),
        (Anomaly("down"), (*USUAL, "60", "10"), []),
    ],
)
def test_kinds_of_conditions(condition: Condition, values: Sequence[str], states: Sequence[tuple[int, str]]) -> None:
    """Of what has no past, or too little, nothing is said."""
    assert line(rule(condition, no_data="normal"), *values) == states


def test_conditions_are_joined() -> None:
    """Both, or one of them."""
    low = Threshold("below", "20")
    assert line(rule(more=(low,)), "11", "30") == [(1, "firing"), (2, "normal")]
    assert line(rule(more=(Threshold("above", "100"),), join="any"), "11", "1", "101") == [
        (1, "firing"), (2, "normal"), (3, "firing"),
    ]  # fmt: skip


def test_what_cannot_be_evaluated_says_so_and_comes_back() -> None:
    """The rule as a whole; its series stay as they were."""
    watched, book = rule(), Book(0)
    watch = watch_of("acme", watched.rule.trigger)
    fires = Figures({newest(60): {NAMES[0]: "11"}}, NAMES[:1])
    changes = [
        [(each.series, each.after) for each in evaluated(watch, book, rules, known)]
        for rules, known in (([watched], fires), ([watched], "no such query"), ([watched], fires), ([], fires))
    ]
    assert changes == [[(NAMES[0], "firing")], [("", "error")], [("", "normal")], [(NAMES[0], "normal")]]
    assert book == Book(4 * MINUTE, {}, {NAMES[0]: 4 * MINUTE})


value = st.none() | st.integers(0, 20).map(str)


@given(
    st.lists(st.tuples(value, value), max_size=12),
    st.sampled_from([0, 60, 120]),
    st.sampled_from([0, 60, 120]),
    st.sampled_from(["no_data", "normal", "firing", "keep_last"]),
)
def test_any_series_is_as_a_recount_says(
    periods: Sequence[tuple[str | None, str | None]], wait: int, keep: int, policy: str
) -> None:
    """Each series by itself, minute by minute, from what it was."""
    watched = rule(for_seconds=wait, keep_firing_seconds=keep, no_data=policy)
    given_to = [{n: v for n, v in zip(NAMES, period, strict=True) if v is not None} for period in periods]
    changes = run(watched, given_to)
    for place, name in enumerate(NAMES):
        found = {each.at // MINUTE: each.after for each in changes if each.series == name}
        assert found == recount([period[place] for period in periods], wait // 60, keep // 60, policy)


def recount(values: Sequence[str | None], wait: int, keep: int, policy: str) -> dict[int, State]:
    """Minute and state after each change: by counting the minutes that it held, and did not."""
    states, held, missed, before, seen = dict[int, State](), 0, 0, State.NORMAL, False
    for minute, text in enumerate(values, 1):
        seen = seen or text is not None
        if not seen or (text is None and policy == "keep_last"):
            held += before is State.PENDING  # time passes
            missed += before is State.RECOVERING
            continue
        if text is None and policy == "no_data":
            state, held, missed = State.NO_DATA, 0, 0
        elif policy == "firing" if text is None else int(text) > 10:
            held, missed = held + 1, 0
            state = State.FIRING if before in (State.FIRING, State.RECOVERING) or held > wait else State.PENDING
        else:
            held, missed = 0, missed + 1
            goes_on = before in (State.FIRING, State.RECOVERING) and missed <= keep
            state = State.RECOVERING if goes_on else State.NORMAL
        if state is not before:
            states[minute] = before = state
    return states
