"""Engagement from events to answers: equal to recounts that follow each user of a random stream."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.errors import Invalid, LimitExceeded
from eventlog.publish.builders import payment
from eventlog.publish.event import Event
from projections.queries.users import funnels_and_paths
from tests.projections.harness import ReadModels
from tests.projections.test_user_activity import Done, done, moment, ms

FIRST = date(2025, 10, 6)
NAMES = ("signup", "page_view", "click", "feature_used", "conversion")
USERS = ("ann", "ben", "cem", "dia", "eve", "zoë")


def stream(seed: int, number: int = 120, days: int = 40) -> list[Done]:
    """Random events of few users, each at a moment of its own."""
    chance = random.Random(seed)
    moments = chance.sample(range(days * 86_400_000), number)
    found = []
    for at in moments:
        when = moment(FIRST.isoformat()) + timedelta(milliseconds=at)
        name = chance.choice(NAMES)
        feature = chance.choice(["charts", "alerts", "news"]) if name == "feature_used" else ""
        session = f"s{chance.randrange(3)}" if chance.random() < 0.5 else ""
        found.append(Done("acme", chance.choice(USERS), name, when, session, feature))
    return found


def by_user(facts: Sequence[Done]) -> Iterator[tuple[str, list[Done]]]:
    for user in sorted({f.user for f in facts}):
        yield user, sorted((f for f in facts if f.user == user), key=lambda f: f.at)


def day_of(fact: Done) -> date:
    return fact.at.date()


@pytest.mark.parametrize("seed", [1, 2])
async def test_retention_equals_a_recount(models: ReadModels, seed: int) -> None:
    """Of days: whoever began on a day with any event, and came back at each age with a click."""
    facts = stream(seed)
    models.given((f.event for f in facts), batches_of=(11, 3, 70))
    rows = await models.rows("retention", return_="click", ages="20")
    *cohorts, mean = rows
    own = dict(by_user(facts))
    began = {user: day_of(done_by[0]) for user, done_by in own.items()}
    assert [row["cohort"] for row in cohorts] == sorted({day.isoformat() for day in began.values()})
    for row in cohorts:
        members = [user for user, day in began.items() if day.isoformat() == row["cohort"]]
        assert row["users"] == len(members)
        for cell in row["ages"]:
            back = [
                user
                for user in members
                if any(f.name == "click" and (day_of(f) - began[user]).days == cell["age"] for f in own[user])
            ]
            assert (cell["retained"], cell["rate"]) == (len(back), len(back) / len(members))
    assert (mean["cohort"], mean["users"]) == (None, len(own))


async def test_weekly_retention_on_or_after_in_a_zone(models: ReadModels) -> None:
    """Sunday night in UTC is Monday in Tokyo: the cohort is the next week's."""
    models.given(f.event for f in [done("ann", "signup", "2025-10-12T20:00"), done("ann", "click", "2025-10-22T20:00")])
    asked = {"unit": "week", "measure": "on_or_after", "start": "signup", "until": "2025-11-02"}
    in_utc = (await models.rows("retention", **asked))[0]
    in_tokyo = (await models.rows("retention", **asked, zone="Asia/Tokyo"))[0]
    assert (in_utc["cohort"], [cell["retained"] for cell in in_utc["ages"]]) == ("2025-10-06", [1, 1, 1, 0])
    assert (in_tokyo["cohort"], [cell["retained"] for cell in in_tokyo["ages"]]) == ("2025-10-13", [1, 1, 0])


@pytest.mark.parametrize("order", ["ordered", "strict", "any"])
@pytest.mark.parametrize("seed", [3, 4])
async def test_funnels_equal_a_recount(models: ReadModels, order: str, seed: int) -> None:
    """The furthest attempt of each user within ten days, ended by a sign-up."""
    facts = stream(seed, 200)
    models.given(f.event for f in facts)
    steps = ["page_view", "click", "conversion"]
    rows = await models.rows("funnel", steps=",".join(steps), order=order, window="10d", exclude="signup")
    furthest = [furthest_attempt(own, steps, order) for _, own in by_user(facts)]
    assert [row["users"] for row in rows] == [sum(depth > k for depth in furthest) for k in range(len(steps))]
    by_day = await models.rows("funnel", steps=",".join(steps), order=order, window="10d", exclude="signup", by="day")
    for k, row in enumerate(rows, 1):
        assert sum(each["users"] for each in by_day if each["step"] == k) == row["users"]


def furthest_attempt(own: list[Done], steps: list[str], order: str) -> int:
    """How many steps the best attempt of a user reached."""
    begins = steps if order == "any" else steps[:1]
    return max((depth(own[i:], steps, order) for i, f in enumerate(own) if f.name in begins), default=0)


def depth(own: list[Done], steps: list[str], order: str) -> int:
    missing = [step for step in steps if step != own[0].name]
    for fact in own[1:]:
        if fact.name == "signup" or ms(fact.at) - ms(own[0].at) > 10 * 86_400_000 or not missing:
            break
        if fact.name == missing[0] or (order == "any" and fact.name in missing):
            missing.remove(fact.name)
        elif order == "strict":
            break
    return len(steps) - len(missing)


async def test_a_funnel_by_what_its_entry_is_about(models: ReadModels) -> None:
    """Ann enters with charts and clicks, Ben with news and does not."""
    history = [
        done("ann", "feature_used", "2025-10-08T09:00", feature="charts"),
        done("ann", "click", "2025-10-08T09:01"),
        done("ben", "feature_used", "2025-10-08T09:00", feature="news"),
    ]
    models.given(f.event for f in history)
    rows = await models.rows("funnel", steps="feature_used,click", by="subject")
    assert [(r["subject"], r["name"], r["users"]) for r in rows] == [
        ("charts", "feature_used", 1),
        ("charts", "click", 1),
        ("news", "feature_used", 1),
        ("news", "click", 0),
    ]
    assert rows[1]["median_ms"] == 60_000
    assert rows[3]["reasons"] == {"median_ms": "no_data"}


@pytest.mark.parametrize("order", ["ordered", "any"])
@pytest.mark.parametrize("seed", [7, 8])
async def test_a_funnel_by_subject_equals_a_recount(models: ReadModels, order: str, seed: int) -> None:
    """Each user belongs to what the entry of the furthest attempt was about, the earliest of several."""
    facts = stream(seed, 200)
    models.given(f.event for f in facts)
    steps = ["feature_used", "click", "conversion"]
    expected: dict[tuple[str, int], int] = {}
    for _, own in by_user(facts):
        begins = [i for i, f in enumerate(own) if f.name in (steps if order == "any" else steps[:1])]
        best = max(begins, key=lambda i: (depth(own[i:], steps, order), -i))
        for step in range(depth(own[best:], steps, order)):
            expected[own[best].feature, step + 1] = expected.get((own[best].feature, step + 1), 0) + 1
    asked = {"steps": ",".join(steps), "order": order, "window": "10d", "exclude": "signup", "by": "subject"}
    rows = await models.rows("funnel", **asked)
    assert {(row["subject"], row["step"]): row["users"] for row in rows if row["users"]} == expected


async def test_a_step_that_nobody_did(models: ReadModels) -> None:
    """Is reached by nobody, whether it comes first or last."""
    models.given([done("ann", "click", "2025-10-08T09:00").event])
    assert [r["users"] for r in await models.rows("funnel", steps="click,nothing")] == [1, 0]
    assert [r["users"] for r in await models.rows("funnel", steps="nothing,click")] == [0, 0]
    with pytest.raises(Invalid):
        await models.rows("funnel", steps="click,click")


@pytest.mark.parametrize("seed", [5, 6])
async def test_journeys_equal_a_recount(models: ReadModels, seed: int) -> None:
    """Of users from their first click on, repeated events counting once."""
    facts = stream(seed)
    models.given(f.event for f in facts)
    rows = await models.rows("journey", begin="click", length="3", top="100")
    expected: dict[tuple[str, ...], int] = {}
    for _, own in by_user(facts):
        names = [f.name for i, f in enumerate(own) if i == 0 or own[i - 1].name != f.name]
        if "click" in names:
            path = tuple(names[names.index("click") :][:3])
            expected[path] = expected.get(path, 0) + 1
    assert {tuple(row["path"]): row["sequences"] for row in rows} == expected
    assert rows == sorted(rows, key=lambda row: -row["sequences"])


async def test_journeys_of_sessions_to_an_event_with_its_subject(models: ReadModels) -> None:
    """A session is its user's; of events that name none a pause of more than 30 minutes begins another."""
    history = [
        done("ann", "page_view", "2025-10-08T09:00", session="s1"),
        done("ann", "feature_used", "2025-10-08T09:01", session="s1", feature="charts"),
        done("ann", "feature_used", "2025-10-08T09:02", feature="charts"),
        done("ann", "click", "2025-10-08T09:32"),
        done("ann", "feature_used", "2025-10-08T10:02", feature="charts"),
        done("ann", "click", "2025-10-08T10:32:00.001"),
        done("ann", "click", "2025-10-08T11:02"),
        done("ann", "feature_used", "2025-10-08T11:32", feature="charts"),
        done("ben", "feature_used", "2025-10-08T09:03", session="s1", feature="charts"),
    ]
    models.given(f.event for f in history)
    rows = await models.rows("journey", of="sessions", detail="subject", end="feature_used:charts")
    assert [(row["path"], row["sequences"]) for row in rows] == [
        (["feature_used:charts"], 2),
        (["click", "feature_used:charts"], 1),
        (["page_view", "feature_used:charts"], 1),
    ]


@pytest.mark.parametrize("seed", [7, 8])
async def test_activity_and_life_cycle_equal_a_recount(models: ReadModels, seed: int) -> None:
    """Every day of two weeks, every user."""
    facts = stream(seed)
    models.given(f.event for f in facts)
    active = {(f.user, day_of(f)) for f in facts}
    first_seen = {user: day_of(own[0]) for user, own in by_user(facts)}
    first = FIRST + timedelta(days=20)
    period = {"from_": first.isoformat(), "to": (first + timedelta(days=14)).isoformat()}
    rows = await models.rows("active_users", **period)
    assert [row["day"] for row in rows] == [(first + timedelta(days=i)).isoformat() for i in range(14)]
    for i, row in enumerate(rows):
        day = first + timedelta(days=i)
        for name, window in (("dau", 1), ("wau", 7), ("mau", 28)):
            assert row[name] == len({u for u, d in active if timedelta(0) <= day - d < timedelta(days=window)})
    for i, row in enumerate(await models.rows("lifecycle", **period)):
        day = first + timedelta(days=i)
        now = {u for u, d in active if d == day}
        before = {u for u, d in active if d == day - timedelta(days=1)}
        new = {u for u in now if first_seen[u] == day}
        assert row["day"] == day.isoformat()
        assert row["new_users"] == len(new)
        assert row["returning_users"] == len((now & before) - new)
        assert row["resurrected_users"] == len(now - before - new)
        assert row["dormant_users"] == len(before - now)


async def test_monthly_life_cycle_knows_the_month_before(models: ReadModels) -> None:
    """Ann comes in September and October, Ben is new in October, Cem was there in September alone."""
    history = [
        *(done("ann", "click", f"2025-{month}-01") for month in ("09", "10")),
        done("ben", "click", "2025-10-31T23:00"),
        done("cem", "click", "2025-09-01"),
    ]
    models.given(f.event for f in history)
    (row,) = await models.rows("lifecycle", unit="month", from_="2025-10-01", to="2025-11-01")
    assert row == {
        "month": "2025-10",
        "new_users": 1,
        "returning_users": 1,
        "resurrected_users": 0,
        "dormant_users": 1,
        "pulse": 1.0,
    }


async def test_stickiness_features_and_segments(models: ReadModels) -> None:
    """Recounted on a random stream, as of its last day."""
    facts = stream(9, 400)
    models.given(f.event for f in facts)
    last = max(day_of(f) for f in facts)
    window = {user: len({day_of(f) for f in own if (last - day_of(f)).days < 28}) for user, own in by_user(facts)}
    for row in await models.rows("stickiness"):
        assert row["users"] == sum(days == row["days"] for days in window.values())
    *rows, whole = await models.rows("features")
    users = {f.feature: {g.user for g in facts if g.feature == f.feature} for f in facts if f.feature}
    assert {row["feature"]: row["users"] for row in rows} == {name: len(who) for name, who in users.items()}
    assert all(row["feature_adoption_rate"] == row["users"] / len(USERS) for row in rows)
    assert whole["feature_depth"] == sum(map(len, users.values())) / len(set().union(*users.values()))
    segments = await models.rows("segments")
    assert sum(row["users"] for row in segments) == len(USERS)
    power = [user for user, days in window.items() if days >= 14]
    assert next(row["users"] for row in segments if row["segment"] == "power") == len(power)


async def test_segments_of_a_day_in_the_past(models: ReadModels) -> None:
    """What came later does not count: Ann was new, Ben silent for a month; whoever came later is not there."""
    history = [
        done("ann", "click", "2025-10-08"),
        done("ben", "click", "2025-09-01"),
        done("ben", "click", "2025-10-20"),
        done("cem", "click", "2025-10-20"),
        done("dia", "click", "2025-05-01"),
        done("eve", "activated", "2025-10-09"),
    ]
    models.given(f.event for f in history)
    found = {}
    for segment in ("new", "dormant", "churned", "activated"):
        found[segment] = [r["user_id"] for r in await models.rows("segments", at="2025-10-10", segment=segment)]
    assert found == {"new": ["ann"], "dormant": ["ben"], "churned": ["dia"], "activated": ["eve"]}
    (ben,) = await models.rows("segments", user_id="ben")
    assert (ben["segment"], ben["active_days"]) == ("activated", 1)


async def test_no_more_events_are_read_than_stated(models: ReadModels, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clear refusal instead of a slow answer."""
    models.given(f.event for f in stream(10))
    monkeypatch.setattr(funnels_and_paths, "MOST_EVENTS", 100)
    with pytest.raises(LimitExceeded, match="more than 100 events"):
        await models.rows("journey")
    assert await models.rows("journey", from_="2025-10-06", to="2025-10-20")


async def test_answers_of_nobody_are_empty(models: ReadModels) -> None:
    """No events: no rows, no error."""
    asked: dict[str, dict[str, Any]] = {
        "retention": {},
        "journey": {},
        "active_users": {},
        "lifecycle": {},
        "stickiness": {},
        "segments": {},
    }
    for query, params in asked.items():
        assert await models.rows(query, **params) == [], query
    assert [row["users"] for row in await models.rows("funnel", steps="a,b")] == [0, 0]


async def test_retention_of_revenue(models: ReadModels) -> None:
    """Of what was paid in the first month, less what was given back."""

    def paid(customer: str, day: str, amount: float, kind: Any = "succeeded") -> Event:
        at = ms(moment(day))
        return payment(company_id="acme", customer_id=customer, kind=kind, amount=amount, currency="USD", timestamp=at)

    models.given(
        [
            paid("ann", "2025-10-05", 100),
            paid("ben", "2025-10-20", 50),
            paid("ann", "2025-11-05", 90),
            paid("ann", "2025-11-06", 15, "refunded"),
            paid("ben", "2025-11-20", 1, "failed"),
        ]
    )
    october, mean = await models.rows("retention", what="revenue", unit="month")
    assert (october["cohort"], october["users"], october["base"]) == ("2025-10-01", 2, "150")
    assert [(cell["retained"], cell["rate"]) for cell in october["ages"]] == [("150", 1.0), ("75", 0.5)]
    assert mean["base"] == "150"


async def test_nothing_ahead_of_the_question_counts_as_past(models: ReadModels) -> None:
    """An event of tomorrow, which a clock that is ahead may send, ends no age, makes nobody silent and adds no day."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    day, ahead = today.date().isoformat(), (today + timedelta(days=1)).date().isoformat()
    models.given(
        done(user, "click", at).event for user, at in (("ann", day), ("ben", day), ("ben", ahead), ("cem", ahead))
    )
    far = {"to": (today + timedelta(days=400)).date().isoformat()}
    for period in ({}, far):
        assert [row["day"] for row in await models.rows("active_users", **period)] == [day]
        assert [row["day"] for row in await models.rows("lifecycle", **period)] == [day]
    for at in ({}, {"at": far["to"]}):
        segments = {row["segment"]: row["users"] for row in await models.rows("segments", **at)}
        assert {name: users for name, users in segments.items() if users} == {"new": 2}, at
        assert {row["days"]: row["users"] for row in await models.rows("stickiness", **at) if row["users"]} == {1: 2}
    for until in ({}, {"until": far["to"]}):
        cohort, _ = await models.rows("retention", **until)
        assert (cohort["cohort"], cohort["users"]) == (day, 2)
        assert [(cell["age"], cell["retained"], cell["unfinished"]) for cell in cohort["ages"]] == [(0, 2, True)]
