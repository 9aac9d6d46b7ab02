"""Satisfaction: answers to surveys by score, and the life of support tickets.

Additive: counts and extremes of times. Scores are whole numbers of their survey's scale, or the event is set aside.
"""

from __future__ import annotations

from domain.decimals import ONE
from projections.engine.declare.merge_rules import Count, Day, Key, Max, Min, Moment, Small, Sum, Text
from projections.engine.declare.projection import Delta, Projection
from projections.engine.declare.rows import Columns, Row
from projections.engine.fold.expressions import only
from projections.engine.query.listing import listing
from projections.engine.query.totals import days, plain, totals, whole

satisfaction = Projection("satisfaction", version=2)


class SurveyDay(Row):
    """How often each score was given on one day."""

    company_id: Key[Text]
    day: Key[Day]
    survey: Key[Text]  # nps, csat or ces
    score: Key[Small]
    answers: Sum[Count]


class Ticket(Row):
    """What became of one ticket; null is what has not happened."""

    company_id: Key[Text]
    ticket_id: Key[Text]
    opened_at: Min[Moment]
    first_response_at: Min[Moment]
    resolved_at: Max[Moment]  # the last time
    reopened: Sum[Count]


class TicketDay(Row):
    """Steps of tickets on one day."""

    company_id: Key[Text]
    day: Key[Day]
    opened: Sum[Count]
    first_responses: Sum[Count]
    resolved: Sum[Count]
    reopened: Sum[Count]


@satisfaction.folds("survey_response", into=SurveyDay)
def answers(response: Columns) -> Delta:
    """Each answer counts on the day of its event."""
    return {"day": response.timestamp, "score": response.score // ONE, "answers": 1}


@satisfaction.folds("support_ticket", into=Ticket)
def tickets(step: Columns) -> Delta:
    """The first opening and response, the last resolution."""
    return {
        "opened_at": only(step.timestamp, step.event == "opened"),
        "first_response_at": only(step.timestamp, step.event == "first_response"),
        "resolved_at": only(step.timestamp, step.event == "resolved"),
        "reopened": step.event == "reopened",
    }


@satisfaction.folds("support_ticket", into=TicketDay)
def ticket_steps(step: Columns) -> Delta:
    """Each step counts on the day of its event."""
    return {
        "day": step.timestamp,
        "opened": step.event == "opened",
        "first_responses": step.event == "first_response",
        "resolved": step.event == "resolved",
        "reopened": step.event == "reopened",
    }


satisfaction.queries += [
    totals(
        "survey_answers",
        of=SurveyDay,
        by={"survey": plain("survey"), "score": whole("score"), **days("day")},
        time="day",
        summary="Answers to surveys by survey and score, by day of the event, UTC.",
    ),
    totals(
        "ticket_totals",
        of=TicketDay,
        by=days("day"),
        time="day",
        summary="Tickets opened, answered, resolved and reopened, by day of the event, UTC.",
    ),
    listing(
        "tickets",
        of=Ticket,
        filters=("ticket_id",),
        time="opened_at",
        summary="One row a support ticket: its times, and how often it was reopened; null is what has not happened.",
    ),
]
