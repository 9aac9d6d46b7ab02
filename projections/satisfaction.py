"""Satisfaction: answers to surveys by score, and the life of support tickets.

Additive: counts and extremes of times. Scores are whole numbers of their survey's scale, or the event is set aside.
"""

from __future__ import annotations

from domain.decimals import ONE
from projections.engine.declare.merge_rules import (
    Count,
    Key,
    Max,
    Min,
    Moment,
    Newest,
    Number,
    Quarter,
    Small,
    Sum,
    Text,
)
from projections.engine.declare.projection import Delta, Projection
from projections.engine.declare.rows import Columns, Row
from projections.engine.fold.expressions import only, own_or_place
from projections.engine.query.listing import listing
from projections.engine.query.restated import restatements
from projections.engine.query.totals import days, plain, totals, whole

satisfaction = Projection("satisfaction", version=4)


class SurveyQuarter(Row, counted=True):
    """How often each score was given in a quarter of an hour."""

    company_id: Key[Text]
    quarter: Key[Quarter]
    survey: Key[Text]  # nps, csat or ces
    score: Key[Small]
    answers: Sum[Count]


class Ticket(Row, counted=True):
    """What became of one ticket; null is what has not happened."""

    company_id: Key[Text]
    ticket_id: Key[Text]
    opened_at: Min[Moment]
    first_response_at: Min[Moment]
    resolved_at: Max[Moment]  # the last time
    reopened: Sum[Count]


class TicketQuarter(Row, counted=True):
    """Steps of tickets in a quarter of an hour."""

    company_id: Key[Text]
    quarter: Key[Quarter]
    opened: Sum[Count]
    first_responses: Sum[Count]
    resolved: Sum[Count]
    reopened: Sum[Count]


class SurveyAnswer(Row, ledger=True):
    """Each answer that has a name, as it was last reported."""

    company_id: Key[Text]
    response_id: Key[Text]
    survey: Newest[Text]
    score: Newest[Number]
    timestamp: Newest[Moment]
    event_id: Newest[Text]


class TicketStep(Row, indexed=("ticket_id",), ledger=True):
    """Each step of a ticket as it was last reported; one without a name stands for itself."""

    company_id: Key[Text]
    step_id: Key[Text]
    ticket_id: Newest[Text]
    event: Newest[Text]
    timestamp: Newest[Moment]
    event_id: Newest[Text]


@satisfaction.folds("survey_response", into=SurveyAnswer, where=lambda response: response.response_id != "")
def reported_answers(_response: Columns) -> Delta:
    """An answer reported again replaces what was known of it."""
    return {}


@satisfaction.folds("support_ticket", into=TicketStep)
def reported_steps(step: Columns) -> Delta:
    """A step reported again replaces what was known of it."""
    return {"step_id": own_or_place(step.step_id)}


@satisfaction.folds("survey_response", into=SurveyQuarter)
def answers(response: Columns) -> Delta:
    """Each answer counts in the quarter of an hour of its event."""
    return {"quarter": response.timestamp, "score": response.score // ONE, "answers": 1}


@satisfaction.folds("support_ticket", into=Ticket)
def tickets(step: Columns) -> Delta:
    """The first opening and response, the last resolution."""
    return {
        "opened_at": only(step.timestamp, step.event == "opened"),
        "first_response_at": only(step.timestamp, step.event == "first_response"),
        "resolved_at": only(step.timestamp, step.event == "resolved"),
        "reopened": step.event == "reopened",
    }


@satisfaction.folds("support_ticket", into=TicketQuarter)
def ticket_steps(step: Columns) -> Delta:
    """Each step counts in the quarter of an hour of its event."""
    return {
        "quarter": step.timestamp,
        "opened": step.event == "opened",
        "first_responses": step.event == "first_response",
        "resolved": step.event == "resolved",
        "reopened": step.event == "reopened",
    }


satisfaction.queries += [
    totals(
        "survey_answers",
        of=SurveyQuarter,
        by={"survey": plain("survey"), "score": whole("score"), **days("quarter")},
        time="quarter",
        summary="Answers to surveys by survey and score, by time of the event.",
    ),
    restatements(
        "restated_answers",
        of=SurveyAnswer,
        summary="Answers reported again or taken back: from what to what, and when that was known; the newest first.",
    ),
    restatements(
        "restated_steps",
        of=TicketStep,
        summary="Steps reported again or taken back: from what to what, and when that was known; the newest first.",
    ),
    totals(
        "ticket_totals",
        of=TicketQuarter,
        by=days("quarter"),
        time="quarter",
        summary="Tickets opened, answered, resolved and reopened, by time of the event.",
    ),
    listing(
        "tickets",
        of=Ticket,
        filters=("ticket_id",),
        time="opened_at",
        summary="One row a support ticket: its times, and how often it was reopened; null is what has not happened.",
    ),
]
