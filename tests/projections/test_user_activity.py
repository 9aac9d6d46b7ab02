"""User activity: what users did, who was active and who new, recounted in plain Python."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from analytics.user_analytics_pb2 import UserEvent

from domain.errors import Invalid, LimitExceeded
from eventlog.publish.builders import user_event, user_event_batch
from eventlog.publish.event import Event
from projections.engine.query import row_limit
from tests.projections.harness import ReadModels

PAUSE = timedelta(minutes=30)
MEASURES = {
    "page_view": "page_views",
    "impression": "impressions",
    "click": "clicks",
    "feature_used": "feature_uses",
    "conversion": "conversions",
}
NAMES = (*MEASURES, "session_started", "signup", "something_new")
NOTHING = dict.fromkeys(("events", "active_users", "new_users", "sessions", *MEASURES.values()), 0)


class Done(NamedTuple):
    """One thing that a user did."""

    company: str
    user: str
    name: str
    at: datetime
    session: str = ""
    feature: str = ""

    @property
    def day(self) -> str:
        return self.at.date().isoformat()

    @property
    def month(self) -> str:
        return self.day[:7]

    @property
    def event(self) -> Event:
        return user_event(
            company_id=self.company,
            user_id=self.user,
            name=self.name,
            session_id=self.session,
            feature=self.feature,
            timestamp=ms(self.at),
        )


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def done(user: str, name: str, at: str, **more: str) -> Done:
    return Done("acme", user, name, moment(at), **more)


def visits(facts: Sequence[Done]) -> list[list[Done]]:
    """The events of each session of a company, in their order: those of an id, or those without one to the next pause
    of more than half an hour.
    """
    by_id: dict[tuple[str, str], list[list[Done]]] = {}
    for fact in sorted(facts, key=lambda f: f.at):
        found = by_id.setdefault((fact.user, fact.session), [[]])
        if found[-1] and not fact.session and fact.at - found[-1][-1].at > PAUSE:
            found.append([])
        found[-1].append(fact)
    return [visit for key in sorted(by_id) for visit in by_id[key]]


KEYS: dict[str, Callable[[Done], Any]] = {
    "user_id": lambda d: d.user,
    "day": lambda d: d.day,
    "month": lambda d: d.month,
}


def recount(facts: Sequence[Done], by: Sequence[str], keep: Callable[[Done], bool]) -> list[dict[str, Any]]:
    """The rows of user_activity, counted one event after the other."""
    first: dict[str, str] = {}
    for fact in facts:
        first[fact.user] = min(first.get(fact.user, fact.day), fact.day)
    begin = {id(visit[0]) for visit in visits(facts)}
    groups: dict[tuple[Any, ...], list[Done]] = {} if by else {(): []}
    for fact in filter(keep, facts):
        groups.setdefault(tuple(KEYS[b](fact) for b in by), []).append(fact)
    rows = []
    for key, group in sorted(groups.items()):
        names = Counter(MEASURES.get(f.name) for f in group)
        counted = {measure: names[measure] for measure in MEASURES.values()}
        users = {"active_users": len({f.user for f in group})}
        new = {"new_users": len({f.user for f in group if f.day == first[f.user]})}
        new["sessions"] = sum(id(f) in begin for f in group)
        rows.append(dict(zip(by, key, strict=True)) | {"events": len(group)} | counted | users | new)
    return rows


def random_facts(seed: int, companies: Sequence[str] = ("acme", "other")) -> list[Done]:
    """Some hundred events of a few users around the turn of a month, not in the order of time."""
    chance = random.Random(seed)
    return [
        Done(
            chance.choice(companies),
            f"u{chance.randrange(12)}",
            chance.choice(NAMES),
            datetime.fromtimestamp(1_759_000_000 + chance.randrange(9 * 86_400_000) / 1000, UTC),
            session=chance.choice(("", "s1", "s2", "s3")),
            feature=chance.choice(("", "charts", "alerts")),
        )
        for _ in range(600)
    ]


def of(company: str, facts: Sequence[Done]) -> list[Done]:
    return [f for f in facts if f.company == company]


async def test_counts_of_a_small_history(models: ReadModels) -> None:
    """Two users over two days: every measure as counted by hand."""
    history = [
        done("ann", "session_started", "2025-10-08T09:00:00", session="s1"),
        done("ann", "page_view", "2025-10-08T09:00:01", session="s1"),
        done("ann", "feature_used", "2025-10-08T23:59:59.999", session="s1", feature="charts"),
        done("ann", "page_view", "2025-10-09T00:00:00", session="s1"),
        done("bob", "impression", "2025-10-09T10:00:00"),
        done("bob", "click", "2025-10-09T10:00:01"),
        done("bob", "conversion", "2025-10-09T10:00:02"),
        done("bob", "anything_else", "2025-10-09T10:00:03"),
    ]
    models.given(f.event for f in history)
    first = {"day": "2025-10-08", "events": 3, "sessions": 1, "page_views": 1, "feature_uses": 1}
    second = {
        "day": "2025-10-09",
        "events": 5,
        "sessions": 1,
        "page_views": 1,
        "impressions": 1,
        "clicks": 1,
        "conversions": 1,
    }
    assert await models.rows("user_activity", by="day") == [
        NOTHING | first | {"active_users": 1, "new_users": 1},
        NOTHING | second | {"active_users": 2, "new_users": 1},
    ]
    (total,) = await models.rows("user_activity")
    assert total == NOTHING | {
        "events": 8,
        "sessions": 2,
        "page_views": 2,
        "impressions": 1,
        "clicks": 1,
        "conversions": 1,
        "feature_uses": 1,
        "active_users": 2,
        "new_users": 2,
    }


@pytest.mark.parametrize("seed", [1, 2])
async def test_equals_a_recount(models: ReadModels, seed: int) -> None:
    """Any dimensions, filters and period give what counting event by event gives, tenant by tenant."""
    facts = random_facts(seed)
    models.given((f.event for f in facts), batches_of=(7, 150, 1, 64))
    own = of("acme", facts)
    begin, end = own[0].day, own[1].day
    questions: list[tuple[dict[str, str], Callable[[Done], bool]]] = [
        ({}, lambda f: True),
        ({"user_id": "u3"}, lambda f: f.user == "u3"),
        ({"month": "2025-10"}, lambda f: f.month == "2025-10"),
        ({"day": begin}, lambda f: f.day == begin),
        ({"from_": min(begin, end), "to": max(begin, end)}, lambda f: min(begin, end) <= f.day < max(begin, end)),
    ]
    for by in ("", "user_id", "day", "month", "day,user_id", "user_id,month"):
        for params, keep in questions:
            expected = recount(own, tuple(filter(None, by.split(","))), keep)
            assert await models.rows("user_activity", by=by, **params) == expected, (by, params)
    other = recount(of("other", facts), ("month",), lambda f: True)
    assert await models.rows("user_activity", "other", by="month") == other


def active(facts: Sequence[Done], first: date, end: date) -> set[str]:
    return {f.user for f in facts if first <= f.at.date() < end}


def counted(facts: Sequence[Done], before: date, first: date, end: date) -> dict[str, int]:
    """Users of a period [first, end) and of the one before it, as sets."""
    now, earlier, ever = active(facts, first, end), active(facts, before, first), active(facts, date.min, first)
    windows = {name: active(facts, end - timedelta(days), end) for name, days in WINDOWS.items()}
    return {
        "active_users": len(now),
        "new_users": len(now - ever),
        "returning_users": len(now & earlier),
        "resurrected_users": len(now & ever - earlier),
        "dormant_users": len(earlier - now),
        **{name: len(users) for name, users in windows.items()},
        **{of: sum(first <= f.at.date() < end and f.name == name for f in facts) for name, of in MEASURES.items()},
        "sessions": sum(first <= visit[0].at.date() < end for visit in visits(facts)),
    }


WINDOWS = {"mau": 28, "wau": 7, "dau": 1}
PERIODS = [(9, 10), (10, 17), (3, 10), (8, 12), (1, 31)]  # days of October: first and end


@pytest.mark.parametrize(("first", "end"), PERIODS)
async def test_counts_of_users_are_those_of_sets(models: ReadModels, first: int, end: int) -> None:
    """All key figures at once, and each metric by itself, of users who come, stay, leave and come back."""
    chance = random.Random(7)
    facts = [
        Done("acme", f"u{user}", chance.choice(NAMES), datetime(2025, 9, 1, 12, tzinfo=UTC) + timedelta(day))
        for user in range(60)
        for day in chance.sample(range(60), chance.choice((1, 1, 2, 3, 9)))
    ]
    models.given((f.event for f in facts), batches_of=(90,))
    begin, until = date(2025, 10, first), date(2025, 10, end)
    expected = counted(facts, begin - (until - begin), begin, until)
    period = {"from_": begin.isoformat(), "to": until.isoformat()}
    told = {row["key"]: row for row in await models.rows("kpis", section="engagement", **period)}
    before = counted(facts, begin - 2 * (until - begin), begin - (until - begin), begin)
    assert {key: (told[key]["value"], told[key]["previous"]) for key in expected if key in told} == {
        key: (expected[key], before[key]) for key in expected if key in told
    }
    for key in expected:
        assert (await models.rows("metric", key=key, **period))[0]["value"] == expected[key], key


async def test_a_batch_event_counts_as_its_facts(models: ReadModels) -> None:
    """Facts published together count like facts published one by one."""
    items = [UserEvent(name="page_view"), UserEvent(name="click"), UserEvent(name="click")]
    when = ms(moment("2025-10-08T12:00:00"))
    models.given([user_event_batch(company_id="acme", user_id="ann", items=items, timestamp=when)])
    (row,) = await models.rows("user_activity", by="user_id")
    assert row == NOTHING | {
        "user_id": "ann",
        "events": 3,
        "sessions": 1,
        "page_views": 1,
        "clicks": 2,
        "active_users": 1,
        "new_users": 1,
    }


async def test_a_late_first_event_moves_the_new_user(models: ReadModels) -> None:
    """A user is new on the earliest day of its events, in whatever order they arrive."""
    history = [done("ann", "click", "2025-10-09T10:00:00"), done("ann", "click", "2025-10-02T10:00:00")]
    models.given((f.event for f in history), batches_of=(1,))
    rows = await models.rows("user_activity", by="day")
    assert [(r["day"], r["new_users"], r["active_users"]) for r in rows] == [("2025-10-02", 1, 1), ("2025-10-09", 0, 1)]


async def test_without_events_there_is_one_total_row_of_zeros(models: ReadModels) -> None:
    """A tenant without events gets zeros, and no rows when split."""
    assert await models.rows("user_activity", "nobody") == [NOTHING]
    assert await models.rows("user_activity", "nobody", by="day") == []


async def test_features_and_users(models: ReadModels) -> None:
    """Uses and users by feature; users are seen from their first event to their last, wherever batches are cut."""
    facts = random_facts(3, companies=("acme",))
    models.given((f.event for f in facts), batches_of=(50,))
    used = [f for f in facts if f.name == "feature_used"]
    assert await models.rows("feature_usage", by="feature,day") == [
        {"feature": feature, "day": day, "uses": len(uses), "users": len({f.user for f in uses})}
        for feature, day in sorted({(f.feature, f.day) for f in used})
        for uses in [[f for f in used if (f.feature, f.day) == (feature, day)]]
    ]
    seen = {u: [f.at for f in facts if f.user == u] for u in {f.user for f in facts}}
    assert [
        (r["user_id"], moment_of(r["first_seen"]), moment_of(r["last_seen"])) for r in await models.rows("users_seen")
    ] == [(u, min(at), max(at)) for u, at in sorted(seen.items())]


def moment_of(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    "params",
    [{"from_": "2025-10-08T12:07:00"}, {"month": "October"}, {"by": "page"}, {"day": "2025-10-08T03:00:00"}],
)
async def test_a_question_that_the_rows_cannot_answer_is_refused(models: ReadModels, params: dict[str, str]) -> None:
    """A period that cuts a quarter of an hour, and what is no month, day or dimension."""
    with pytest.raises(Invalid):
        await models.answer("user_activity", **params)


async def test_rows_beyond_the_bound_are_refused_and_not_left_out(
    models: ReadModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer of too many rows is an error that says so, unless a limit was asked for."""
    monkeypatch.setattr(row_limit, "MAX_ROWS", 3)
    models.given(done(f"u{i}", "click", "2025-10-08T12:00:00").event for i in range(4))
    with pytest.raises(LimitExceeded, match="more than 3 rows"):
        await models.rows("user_activity", by="user_id")
    assert [r["user_id"] for r in await models.rows("user_activity", by="user_id", limit="2")] == ["u0", "u1"]
