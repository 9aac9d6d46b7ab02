"""What is due: by what a schedule was at each moment, once, whoever plans it and in which steps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from domain.configuration.report_schedule import Pause, Report, ReportSchedule, Timing
from domain.reports.due_runs import Since, planned
from domain.reports.schedule_runs import Run

HOUR = 3_600_000
DAY = datetime(2026, 11, 2, tzinfo=UTC)
START = round(DAY.timestamp() * 1000)


def schedule(cron: str = "0 * * * *", **changed: object) -> ReportSchedule:
    """One that is due at every hour."""
    return structs.replace(ReportSchedule(name="s", report=Report("trading"), timing=Timing(cron)), **changed)


def hours(runs: list[Run]) -> list[float]:
    """When runs are due, in hours after the start."""
    return [(run.due - START) / HOUR for run in runs]


def plan(*history: Since, after: int = START, now: int = START + 4 * HOUR) -> list[Run]:
    """What is due of one schedule."""
    return list(planned("acme", "s1", history, after, now))


def test_it_is_due_by_what_it_was_then() -> None:
    """Another timing counts from when it was decided, and what was due before that stays due."""
    changed = Since(START + 2 * HOUR + 1, schedule("30 * * * *"))
    assert hours(plan(Since(START, schedule()), changed)) == [1, 2, 2.5, 3.5]
    assert hours(plan(Since(START, schedule()), Since(START + HOUR + 1, schedule(enabled=False)))) == [1]
    assert hours(plan(Since(START, schedule(archived=True)), Since(START + 2 * HOUR, schedule()))) == [3, 4]
    assert hours(plan(Since(START + 3 * HOUR, schedule()))) == [4]


def test_a_pause_leaves_out_what_is_due_in_it() -> None:
    """Up to its end, which is when the next one is due; without an end until it is resumed."""
    until = schedule(pause=Pause(START + 3 * HOUR, "moving", "ann"))
    assert hours(plan(Since(START, schedule()), Since(START + HOUR + 1, until))) == [1, 3, 4]
    for_ever = schedule(pause=Pause(0, "moving", "ann"))
    assert hours(plan(Since(START, for_ever), Since(START + 3 * HOUR + 1, schedule()))) == [4]


def test_what_nobody_made_in_time_is_made_or_told() -> None:
    """All of it, the newest of it, or none; what comes in time is made whatever the policy."""
    now = START + 4 * HOUR + 1
    policies: list[tuple[Literal["make", "newest", "skip"], list[int]]] = [
        ("make", [1, 2, 3, 4]),
        ("newest", [3, 4]),
        ("skip", [4]),
    ]
    for late, made in policies:
        runs = plan(Since(START, schedule(timing=Timing("0 * * * *", late=late))), now=now)
        assert hours(runs) == [1, 2, 3, 4]
        assert hours([run for run in runs if not run.omit]) == made
        assert [run.late for run in runs] == [True, True, True, False]
        assert all(run.error for run in runs if run.omit)


@given(st.lists(st.integers(0, 30), max_size=6), st.lists(st.sampled_from(["0", "15", "30"]), min_size=1, max_size=4))
def test_steps_make_no_difference(looks: list[int], minutes: list[str]) -> None:
    """Planned in whatever steps, and some of them twice, the same runs are due."""
    history = [Since(START + n * HOUR, schedule(f"{minute} * * * *")) for n, minute in enumerate(minutes)]
    whole = {run.run_id for run in plan(*history, now=START + 30 * HOUR)}
    found: set[str] = set()
    after = START
    for look in [*sorted(looks), 30]:
        for begin in {after, max(START, after - HOUR)}:
            found |= {run.run_id for run in plan(*history, after=begin, now=START + look * HOUR)}
        after = START + look * HOUR
    assert found == whole
