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
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
