"""Made-up behaviour: visits of users over the last 60 days, and when each signed up and was activated."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from app.demo.companies import DAY, HOUR, MINUTE, SECOND, UNTIL, Company, User, origin, seeded, users
from eventlog.publish import builders
from eventlog.publish.event import Event

DAYS = 60
PAGES = ("/portfolio", "/markets", "/orders", "/strategies", "/reports", "/account")
FEATURES = ("backtest", "alerts", "screener", "chart", "export")
WEEKEND = 0.35  # how eager users are on Saturdays and Sundays, against other days
REST, RESTS = 35 * DAY, 0.4  # for how long users stay away who do, and how many do at a time
LOOKED = 2 * MINUTE  # at the first page, before they signed up


class Step(NamedTuple):
    """Something that a user does in a visit."""

    name: str
    page: str | None = None
    feature: str | None = None


def next_step(chance: Random) -> Step:
    """What a user does next."""
    name = chance.choices(("page_view", "feature_used", "impression", "click", "conversion"), (50, 22, 16, 11, 1), k=1)[
        0
    ]
    page = chance.choices(PAGES, (8, 6, 4, 3, 2, 1))[0]
    return Step(name, page, chance.choices(FEATURES, (5, 4, 3, 6, 1))[0] if name == "feature_used" else None)


def steps_of_visit(chance: Random) -> int:
    """How many steps a visit has: often few, sometimes many."""
    return 2 + min(25, int(chance.expovariate(1 / 4)))


def behaviour_events(company: Company) -> Iterator[Event]:
    """Per user in order of time."""
    for user in users(company):
        chance = seeded("behaviour", company.company_id, user.user_id)
        yield from _arrival(company.company_id, user, chance)
        for day in range(UNTIL - DAYS * DAY, UNTIL, DAY):
            for visit in range(0 if rests(company, user, day) else _visits(user, day, chance)):
                yield from _visit(company.company_id, user, day, visit, chance)


def rests(company: Company, user: User, day: int) -> bool:
    """Whether a user stays away on a day (ms): for weeks, though they may come back."""
    return seeded("rest", company.company_id, user.user_id, (UNTIL - 1 - day) // REST).random() < RESTS


def _arrival(company_id: str, user: User, chance: Random) -> Iterator[Event]:
    yield _event(company_id, user, Step("page_view", "/"), "", user.joined - LOOKED)
    yield _event(company_id, user, Step("signup", "/signup"), "", user.joined)
    activated = user.joined + int(3 * DAY * chance.random())
    if chance.random() < 0.7 and activated < UNTIL:
        yield _event(company_id, user, Step("activated"), "", activated)


def _visits(user: User, day: int, chance: Random) -> int:
    """How many visits on a day; none before the user joined or after they left."""
    weekday = (day // DAY + 3) % 7  # 1970-01-01 was a Thursday
    eagerness = user.eagerness * (WEEKEND if weekday >= 5 else 1.0)
    comes = chance.random() < eagerness
    again = chance.random() < eagerness / 2
    return (comes + (comes and again)) if user.joined < day < user.left else 0


def _visit(company_id: str, user: User, day: int, visit: int, chance: Random) -> Iterator[Event]:
    at = day + (6 + 8 * visit) * HOUR + chance.randrange(6 * HOUR)
    session = f"{company_id}-{user.user_id}-{day // DAY}-{visit}"
    steps = [next_step(chance) for _ in range(steps_of_visit(chance))]
    for step in [Step("session_started"), *steps, Step("session_ended")]:
        yield _event(company_id, user, step, session, at)
        at += SECOND + int(chance.expovariate(1 / 40) * SECOND)


def _event(company_id: str, user: User, step: Step, session: str, at: int) -> Event:
    return builders.user_event(
        company_id=company_id,
        user_id=user.user_id,
        name=step.name,
        session_id=session or None,
        page=step.page,
        feature=step.feature,
        **origin(f"behaviour/{company_id}/{user.user_id}/{step.name}/{at}", at),
    )
