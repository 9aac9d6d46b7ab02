"""Questions about the past: queries as of an event time or a position, and the events behind a measure.

Answering them folds events, which would hold up every other request of this process: it is done elsewhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from domain.access.rights import Principal, Right, require
from domain.position import Position
from projections.engine.query.ask import answerable
from projections.engine.query.request import Question, read_request
from read_api.answers.position_tokens import NOTHING
from read_api.answers.questions import Questions

AnswerPast = Callable[[Question], Awaitable[dict[str, Any]]]


def plain(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer of the past with its rows as values: they come as JSON of another process."""
    read: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(answer))
    return read


class PastQuestions:
    """Lets those ask about the past who may."""

    def __init__(self, questions: Questions, answer_past: AnswerPast) -> None:
        self._questions = questions
        self._answer_past = answer_past

    async def answer(self, principal: Principal, question: Question, at_least: Position = NOTHING) -> dict[str, Any]:
        """A query's answer as of a past state, or the events behind a measure, as `question.about` says.

        It is read before anything is waited for, and answered once what it is about is in the log and decided on.
        Raises Forbidden, Invalid, NotFound, NotYet, and what answering raises.
        """
        require(principal, Right.OWN if principal.member else Right.EXPLAIN, question.company)
        allowed = self._questions.allowed(principal, question)
        read_request(answerable(allowed.name), allowed)
        await self._questions.reach(allowed, at_least)
        await self._questions.require_company(principal, allowed)
        return await self._answer_past(allowed)
