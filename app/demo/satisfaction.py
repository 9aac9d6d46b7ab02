"""Made-up satisfaction: tickets of users with what they thought of the help, and what they say once a quarter."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Literal

from app.demo.companies import DAY, HOUR, MINUTE, UNTIL, Company, User, origin, seeded, users
from eventlog.publish import builders
from eventlog.publish.event import Event

QUARTER = 91 * DAY
BETWEEN_TICKETS = 150 * DAY  # of a user, on average
ANSWERS, REOPENED = 0.4, 0.08  # shares of users and of tickets

Survey = Literal["nps", "csat", "ces"]
TicketStep = Literal["opened", "first_response", "resolved", "reopened"]


def satisfaction_events(company: Company) -> Iterator[Event]:
    """Per user in order of time: tickets, and a promoter score each quarter."""
    for user in users(company):
        chance = seeded("satisfaction", company.company_id, user.user_id)
        until = min(user.left, UNTIL)
        content = chance.random() ** 0.5 if user.left > UNTIL else chance.random() * 0.7  # who is not content leaves
        at = user.joined + int(chance.expovariate(1 / BETWEEN_TICKETS))
        while at < until - 10 * DAY:
            yield from _ticket(company.company_id, user, at, content, chance)
            at += int(DAY + chance.expovariate(1 / BETWEEN_TICKETS))
        for asked in range(user.joined + 30 * DAY, until - 3 * DAY, QUARTER):
            if chance.random() < ANSWERS:
                at = asked + chance.randrange(3 * DAY)
                yield _answer(company.company_id, user, "nps", at, _score(content, 10, 1.5, chance))


def _ticket(company_id: str, user: User, at: int, content: float, chance: Random) -> Iterator[Event]:
    """A ticket from the question to the answer, and what its user says of it."""
    ticket = f"{user.user_id}-{at // MINUTE}"
    steps: list[tuple[TicketStep, int]] = [("opened", at)]
    steps.append(("first_response", at + int(chance.expovariate(1 / (3 * HOUR))) + 5 * MINUTE))
    steps.append(("resolved", steps[-1][1] + int(chance.expovariate(1 / (20 * HOUR))) + 10 * MINUTE))
    if chance.random() < REOPENED:
        steps.append(("reopened", steps[-1][1] + 6 * HOUR))
        steps.append(("resolved", steps[-1][1] + DAY))
    for number, (step, when) in enumerate(steps):
        if when < UNTIL:
            yield builders.support_ticket(
                company_id=company_id,
                user_id=user.user_id,
                ticket_id=ticket,
                event=step,
                **origin(f"ticket/{company_id}/{ticket}/{number}", when),
            )
    said_at = steps[-1][1] + HOUR
    if said_at < UNTIL and chance.random() < ANSWERS:
        yield _answer(company_id, user, "csat", said_at, 1 + _score(content, 4, 0.8, chance))
        yield _answer(company_id, user, "ces", said_at + MINUTE, 1 + _score(content, 6, 1.2, chance))


def _score(content: float, most: int, spread: float, chance: Random) -> float:
    """A whole score from 0 to `most`, around how content somebody is (0 to 1)."""
    return float(min(most, max(0, round(chance.gauss(most * content, spread)))))


def _answer(company_id: str, user: User, survey: Survey, at: int, score: float) -> Event:
    return builders.survey_response(
        company_id=company_id,
        user_id=user.user_id,
        survey=survey,
        score=score,
        respondent_id=user.user_id,
        **origin(f"survey/{company_id}/{user.user_id}/{survey}/{at}", at),
    )
