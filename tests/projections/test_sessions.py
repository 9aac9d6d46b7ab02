"""Sessions: one definition behind every query and metric, recounted event by event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate, count
from random import Random
from statistics import median
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.projections.harness import ReadModels
from tests.projections.test_user_activity import Done, moment_of, visits

HALF_AN_HOUR = 1_800_000  # ms
EVENING = datetime(2025, 10, 7, 16, 0, tzinfo=UTC)  # two hours and a quarter before midnight in Kathmandu
USERS, IDS, ZONES = ("ann", "ben"), ("s1", "s2"), ("UTC", "Asia/Kathmandu", "America/New_York")
# Pauses of a user who names no session, about the one that ends a session and the quarters that rows are kept by.
PAUSES = st.one_of(
    st.integers(HALF_AN_HOUR - 1, HALF_AN_HOUR + 1),
    st.sampled_from([0, 1, 899_999, 900_000, 2_700_000, 20_000_000]),
    st.integers(0, 2 * HALF_AN_HOUR),
)
UNNAMED = st.dictionaries(st.sampled_from(USERS), st.lists(PAUSES, min_size=1, max_size=12), min_size=1)
NAMED = st.lists(st.tuples(st.sampled_from(USERS), st.sampled_from(IDS), st.integers(0, 12 * HALF_AN_HOUR)), max_size=8)
COMPANIES = count()
Listed = tuple[str, str, datetime, datetime, int]


def history(company: str, unnamed: dict[str, list[int]], named: Sequence[tuple[str, str, int]]) -> list[Done]:
    """What users of a company did in an evening."""
    done = [(user, "", ms) for user, pauses in unnamed.items() for ms in accumulate(pauses)] + [*named]
    return [Done(company, user, "click", EVENING + timedelta(milliseconds=ms), name) for user, name, ms in done]


async def listed(models: ReadModels, company: str, **params: str) -> list[Listed]:
    """Whose session, its id, when it began and ended, and its events."""
    return [
        (r["user_id"], r["session_id"], moment_of(r["started"]), moment_of(r["ended"]), r["events"])
        for r in await models.rows("sessions", company, **params)
    ]


def recounted(facts: Sequence[Done], keep: Callable[[datetime], bool] = lambda _: True) -> list[Listed]:
    """The same, of those whose beginning is kept."""
    return [(v[0].user, v[0].session, v[0].at, v[-1].at, len(v)) for v in visits(facts) if keep(v[0].at)]


@given(
    unnamed=UNNAMED,
    named=NAMED,
    order=st.integers(0, 9),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    period=st.tuples(st.integers(0, 12 * HALF_AN_HOUR), st.integers(1, 12 * HALF_AN_HOUR)),
    zone=st.sampled_from(ZONES),
)
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_sessions_are_those_of_a_recount(
    models: ReadModels,
    unnamed: dict[str, list[int]],
    named: list[tuple[str, str, int]],
    order: int,
    sizes: list[int],
    period: tuple[int, int],
    zone: str,
) -> None:
    """Named or not, in any order and batches, of a period and by days of a zone; another tenant's alike are its own."""
    company = f"c{next(COMPANIES)}"
    facts, others = history(company, unnamed, named), history(f"{company}x", unnamed, named[1:])
    events = [fact.event for fact in (*facts, *others)]
    Random(order).shuffle(events)
    models.given(events, batches_of=sizes)
    assert await listed(models, company) == recounted(facts)
    assert await listed(models, f"{company}x") == recounted(others)

    first = EVENING + timedelta(milliseconds=period[0])
    end = first + timedelta(milliseconds=period[1])
    begun = recounted(facts, lambda began: first <= began < end)
    assert await listed(models, company, from_=first.isoformat(), to=end.isoformat()) == begun
    await counted_by_day(models, company, facts, period, zone)


MINUTE = 60_000


@pytest.mark.parametrize(
    ("minutes", "first", "end", "found"),
    [
        ([0, 30], 0, 600, [(0, 30)]),  # a pause of exactly 30 minutes goes on
        ([0, 30 + 1 / MINUTE], 0, 600, [(0, 0), (30 + 1 / MINUTE, 30 + 1 / MINUTE)]),
        ([14, 44, 59], 31, 600, []),  # has begun more than two quarters before the period
        ([16, 46], 31, 600, []),  # and inside of its first quarter, nothing before which is read
        ([14, 40, 41], 15, 41, []),
        ([0, 29, 58, 87, 150, 300], 0, 30, [(0, 87)]),  # goes on after the period, to the first pause
        ([0, 29, 58, 120, 149], 0, 130, [(0, 58), (120, 149)]),
        ([0, 50], 0, 20, [(0, 0)]),
    ],
)
async def test_runs_of_unnamed_events(
    models: ReadModels, minutes: list[float], first: int, end: int, found: list[tuple[float, float]]
) -> None:
    """Minutes of a user's events, and from when to when the sessions last that begin in a period."""
    models.given(f.event for f in history("acme", {}, [("ann", "", round(at * MINUTE)) for at in minutes]))
    bounds = {"from_": later(first).isoformat(), "to": later(end).isoformat()}
    rows = await listed(models, "acme", **bounds)
    assert [(began, ended) for _, _, began, ended, _ in rows] == [
        (later(began), later(ended)) for began, ended in found
    ]


def later(minutes: float) -> datetime:
    """So many minutes into the evening."""
    return EVENING + timedelta(milliseconds=round(minutes * MINUTE))


async def counted_by_day(
    models: ReadModels, company: str, facts: Sequence[Done], period: tuple[int, int], zone: str
) -> None:
    """Of a period of whole quarters: sessions by user and day, of all users, and the median of their lengths."""
    first = EVENING + period[0] // 900_000 * timedelta(minutes=15)
    end = first + (1 + period[1] // 900_000) * timedelta(minutes=15)
    bounds = {"from_": first.isoformat(), "to": end.isoformat()}
    begun = recounted(facts, lambda began: first <= began < end)
    days = Counter((user, str(began.astimezone(ZoneInfo(zone)).date())) for user, _, began, _, _ in begun)
    rows = await models.rows("user_activity", company, by="user_id,day", zone=zone, **bounds)
    assert {(r["user_id"], r["day"]): r["sessions"] for r in rows if r["sessions"]} == days
    of_all = await models.rows("activity_totals", company, by="day", zone=zone, **bounds)
    by_day = Counter(day for _, day in days.elements())
    assert {r["day"]: r["sessions"] for r in of_all} == {r["day"]: by_day[r["day"]] for r in of_all}
    assert sum(r["sessions"] for r in of_all) == len(begun)
    (length,) = await models.rows("metric", company, key="median_session_minutes", **bounds)
    minutes = [(ended - began) / timedelta(minutes=1) for _, _, began, ended, _ in begun]
    assert length["value"] == (pytest.approx(median(minutes)) if begun else None)
