"""An RPC as a declaration: which questions a request puts, and how their rows fill the response.

The questions are those that HTTP asks at /api/v1/query/{query}, so both doors have one answer. Rights, tiers, members,
positions and the past are judged where every question is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from services import analytics_service_pb2

from domain.access.rights import Right, require, whole_company
from domain.position import Position
from domain.request.caller import Caller
from projections.engine.query.ask import answerable
from projections.engine.query.asked_at import LastingAnswer
from projections.engine.query.formatting import show_time
from projections.engine.query.plain import Query
from projections.engine.query.request import Question
from projections.engine.query.wide_answers import FEW, beside
from read_api.answers.freshness import read_freshness
from read_api.export.exports import Exports
from read_api.grpc.answers import provenance
from read_api.grpc.messages import message
from read_api.grpc.scope import QueryCall, company_of, scope_of
from read_api.health.health import QUERY_PATH
from read_api.health.prometheus import Metric
from read_api.services import ReadServices

SERVICE = analytics_service_pb2.DESCRIPTOR.services_by_name["AnalyticsService"]

# Of one question: rows, position and what else it has, the company, and the moment that it was computed for.
Answer = dict[str, Any]
Answers = Mapping[str, Answer]
Ask = Callable[[Any], Mapping[str, QueryCall]]
Fill = Callable[[Any, Answers], Mapping[str, Any]]
Handler = Callable[[Any, Caller], Awaitable[Message]]


def _nothing(_request: Any, _answers: Answers) -> Mapping[str, QueryCall]:
    return {}


@dataclass(frozen=True, slots=True)
class Rpc:
    """`asks`: the questions of a request, by names of our own; `fills`: members of the response out of their answers.

    `then`: questions that follow from the first answers. `provenance` of the response is filled by itself. The
    functions are pure; `asks` and `then` raise Invalid. `members`: whether it can be about a member's own rows.
    """

    name: str
    asks: Ask
    fills: Fill
    then: Callable[[Any, Answers], Mapping[str, QueryCall]] = _nothing
    members: bool = False
    right: Right = Right.DASHBOARDS

    @property
    def response(self) -> type[Message]:
        """The class of what it answers."""
        return GetMessageClass(SERVICE.methods_by_name[self.name].output_type)


def one(
    name: str,
    asks: Callable[[Any], QueryCall],
    fills: Callable[[Any, Answer], Mapping[str, Any]],
    *,
    members: bool = False,
) -> Rpc:
    """An RPC of one question."""
    return Rpc(
        name,
        lambda request: {"": asks(request)},
        lambda request, answers: fills(request, answers[""]),
        members=members,
    )


class Asking:
    """Asks the questions of RPCs on somebody's behalf."""

    def __init__(self, side: ReadServices) -> None:
        self._side = side

    def handler(self, rpc: Rpc) -> Handler:
        """Answers an RPC. The handler raises as `Questions.ask` does."""
        return partial(self._answer, rpc)

    async def _answer(self, rpc: Rpc, request: Any, caller: Caller) -> Message:
        return await self.filled(rpc, request, await self.answers(rpc, request, caller), caller)

    @property
    def exports(self) -> Exports:
        """Who begins exports."""
        return self._side.exports

    def now(self) -> datetime:
        """The moment at which questions are put."""
        return self._side.questions.now()

    def admit(self, rpc: Rpc, request: Any, caller: Caller) -> None:
        """Raise Forbidden before a word of the request is judged, where its caller may not ask at all."""
        principal, company = caller.principal, caller.company(company_of(request))
        right = rpc.right
        if principal.member and right is not Right.CATALOGUE:
            if not rpc.members:
                raise whole_company(rpc.name)
            right = Right.OWN
        require(principal, right, company)

    async def filled(self, rpc: Rpc, request: Any, answers: Answers, caller: Caller) -> Message:
        """The response; one of many rows is made beside the event loop. Raises LimitExceeded where too many wait."""

        def fill(_rows: Any = None) -> Message:
            members = rpc.fills(request, answers)
            stands_for = {} if not answers else {"provenance": provenance(caller, *answers.values())}
            return message(rpc.response, {"correlation_id": caller.correlation_id, **members, **stands_for})

        longest = max(answers.values(), key=lambda answer: len(answer["rows"]), default=None)
        if longest is None or len(longest["rows"]) <= FEW:
            return fill()
        keep = not isinstance(answerable(longest["query"]), Query)
        return await beside(longest["rows"], caller.asked, fill, keep=keep)

    async def answers(self, rpc: Rpc, request: Any, caller: Caller) -> dict[str, Answer]:
        """The answers by the names of the questions. Raises as `Questions.ask` does."""
        self.admit(rpc, request, caller)
        now = self._side.questions.now()
        answers = await self.ask(request, rpc.asks(request), caller, now)
        return answers | await self.ask(request, rpc.then(request, answers), caller, now)

    async def ask(
        self, request: Any, asked: Mapping[str, QueryCall], caller: Caller, now: datetime
    ) -> dict[str, Answer]:
        """The answers to these questions, put at one moment. Raises as `Questions.ask` does."""
        company, scope = caller.company(company_of(request)), scope_of(request)
        least = Position.parse(scope.min_position or caller.min_position)
        asking = [
            self._ask(caller, Question(each.query, company, each.params, now), scope.at_position, least)
            for each in asked.values()
        ]
        found = [await asking[0]] if len(asking) == 1 else await asyncio.gather(*asking)  # most ask one
        return dict(zip(asked, found, strict=True))

    async def _ask(self, caller: Caller, question: Question, at: str, least: Position) -> Answer:
        self._side.health.queries.add()
        if at:
            past = replace(question, about={"as_known_at": at})
            found = await self._side.past.answer(caller.principal, past, least)
            found = {**found, "rows": msgspec.json.decode(found["rows"])}  # it is told elsewhere, and comes as JSON
        else:
            freshness, began = read_freshness(caller.max_staleness, caller.force_refresh), time.perf_counter()
            found = await self._side.questions.ask(caller.principal, question, least, freshness)
            self._side.metrics.observe(Metric.SECONDS, time.perf_counter() - began, QUERY_PATH)
        made = {"asked_at": show_time(found.asked_at)} if isinstance(found, LastingAnswer) else {}
        return {**made, **found, "company": question.company}
