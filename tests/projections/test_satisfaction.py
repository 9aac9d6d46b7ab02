"""Surveys and support tickets, by hand, in any order of delivery."""

from __future__ import annotations

from typing import Any

from eventlog.publish.builders import support_ticket, survey_response
from eventlog.publish.event import Event
from tests.projections.harness import ReadModels
from tests.projections.test_user_activity import moment, ms


def answered(at: str, survey: Any, score: float) -> Event:
    when = ms(moment(at))
    return survey_response(company_id="acme", survey=survey, score=score, respondent_id="r1", timestamp=when)


def step(at: str, ticket: str, event: Any) -> Event:
    return support_ticket(company_id="acme", ticket_id=ticket, event=event, timestamp=ms(moment(at)))


async def test_answers_by_score(models: ReadModels) -> None:
    """Each survey apart."""
    day = "2025-10-01T09:00:00"
    given = [("nps", 10), ("nps", 10), ("nps", 0), ("csat", 4), ("ces", 7)]
    models.given([answered(day, survey, score) for survey, score in given], batches_of=(1, 2))
    rows = await models.rows("survey_answers", by="survey,score")
    assert [(r["survey"], r["score"], r["answers"]) for r in rows] == [
        ("ces", 7, 1),
        ("csat", 4, 1),
        ("nps", 0, 1),
        ("nps", 10, 2),
    ]


async def test_the_life_of_a_ticket(models: ReadModels) -> None:
    """Opened, answered twice, resolved, reopened, resolved again; delivered backwards."""
    life = [
        step("2025-10-01T09:00:00", "t1", "opened"),
        step("2025-10-01T09:05:00", "t1", "first_response"),
        step("2025-10-01T12:00:00", "t1", "resolved"),
        step("2025-10-02T09:00:00", "t1", "reopened"),
        step("2025-10-02T10:00:00", "t1", "resolved"),
        step("2025-10-03T10:00:00", "t2", "resolved"),
    ]
    models.given(reversed(life), batches_of=(1,))
    first, second = await models.rows("tickets")
    assert first == {
        "ticket_id": "t1",
        "opened_at": "2025-10-01T09:00:00Z",
        "first_response_at": "2025-10-01T09:05:00Z",
        "resolved_at": "2025-10-02T10:00:00Z",
        "reopened": 1,
    }
    assert (second["opened_at"], second["reopened"]) == (None, 0)
    assert await models.rows("ticket_totals", by="day", to="2025-10-03") == [
        {"day": "2025-10-01", "opened": 1, "first_responses": 1, "resolved": 1, "reopened": 0},
        {"day": "2025-10-02", "opened": 0, "first_responses": 0, "resolved": 1, "reopened": 1},
    ]
