"""The past over HTTP: queries as of an event time or a position, and the events behind a measure.

Telling it folds events, which would hold up every other request of this process: whoever tells does it elsewhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from domain.access.rights import Principal, Right, require
from domain.errors import Invalid
from domain.position import Position
from domain.whole_number import whole_number
from eventlog.search.criteria import NEVER
from projections.engine.query.params import read_time
from projections.engine.query.request import Question
from read_api.answers.position_tokens import NOTHING
from read_api.answers.questions import Questions

DEFAULT_LIMIT, MAX_LIMIT = 100, 10_000
OF_PAST = ("as_of", "as_known_at")
OF_EXPLANATION = ("measure", "cursor", "limit", "order")


@dataclass(frozen=True, slots=True)
class PastQuestion:
    """A question about the past of one company: a query, and for an explanation the measure and the page.

    `time`: events before it count, ms since 1970 UTC; `position`: token of what was known, None for everything. The
    question's own `asked_at` is when it came in, which the past has not come to yet.
    """

    question: Question
    time: int = NEVER
    position: str | None = None
    measure: str = ""
    cursor: str = ""
    limit: int = DEFAULT_LIMIT
    newest: bool = False


AnswerPast = Callable[[PastQuestion], Awaitable[dict[str, Any]]]


class PastQuestions:
    """Lets those ask about the past who may."""

    def __init__(self, questions: Questions, tell: AnswerPast) -> None:
        self._questions = questions
        self._tell = tell

    async def answer(
        self, principal: Principal, question: Question, asked: Mapping[str, str], at_least: Position = NOTHING
    ) -> dict[str, Any]:
        """A query's answer as of `as_of` or `as_known_at`. Raises Forbidden, Invalid, and what telling raises."""
        time, position = moment(asked.get("as_of", "")), asked.get("as_known_at")
        found = await self._allowed(principal, question, at_least)
        return await self._tell(PastQuestion(found, time, position))

    async def explain(
        self, principal: Principal, question: Question, asked: Mapping[str, str], at_least: Position = NOTHING
    ) -> dict[str, Any]:
        """The events behind a measure. Raises Forbidden, Invalid, and what telling raises."""
        found = await self._allowed(principal, question, at_least)
        if not asked.get("measure"):
            raise Invalid("parameter measure is missing", code="missing_parameter")
        return await self._tell(
            PastQuestion(
                found,
                moment(asked.get("as_of", "")),
                asked.get("as_known_at"),
                asked["measure"],
                asked.get("cursor", ""),
                _limit(asked.get("limit", "")),
                _newest(asked.get("order", "oldest")),
            )
        )

    async def _allowed(self, principal: Principal, question: Question, at_least: Position) -> Question:
        """The question as they may ask it, once what it is about is in the log and decided on."""
        require(principal, Right.OWN if principal.member else Right.EXPLAIN, question.company)
        allowed = self._questions.allowed(principal, question)
        await self._questions.reach(allowed, at_least)
        return allowed


def time_and_position(params: tuple[str, ...]) -> tuple[int, str | None]:
    """Event time and position out of texts that are one or the other. Raises Invalid for two of a kind."""
    positions = [text for text in params if "=" in text]
    times = [text for text in params if "=" not in text]
    if len(positions) > 1 or len(times) > 1:
        raise Invalid("give one time, one position, or one of each", code="bad_parameter")
    for text in positions:
        Position.parse(text)
    return moment(times[0] if times else ""), positions[0] if positions else None


def moment(text: str) -> int:
    """An event time as ms since 1970 UTC; the end of time for no text. Raises Invalid."""
    try:
        return int(read_time(text).timestamp() * 1000) if text else NEVER
    except ValueError as error:
        raise Invalid(f"parameter as_of: {error}", code="bad_parameter") from None


def _limit(text: str) -> int:
    try:
        return whole_number(text, 1, MAX_LIMIT) if text else DEFAULT_LIMIT
    except ValueError as error:
        raise Invalid(f"parameter limit: {error}", code="bad_parameter") from None


def _newest(order: str) -> bool:
    if order not in ("oldest", "newest"):
        raise Invalid(f"order is {order!r}, and must be oldest or newest", code="bad_parameter")
    return order == "newest"
