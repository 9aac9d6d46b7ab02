"""Questions followed over gRPC: answered, and answered again when what they read has moved.

The caller's reading sets the pace: the next answer is asked for when the last message was taken, so whoever reads
slowly gets the newest state and no queue. Every answer is judged anew, by the token and the tier as they are then.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from hashlib import blake2b
from typing import Any

from google.protobuf.message import Message

from domain.errors import Invalid, Unauthenticated
from domain.request.caller import Caller
from projections.engine.query.request import Question
from read_api.answers.questions import moves_with
from read_api.grpc.rpc import Answers, Asking, Rpc
from read_api.grpc.scope import company_of
from read_api.live.changes import wait_for
from read_api.live.feeds import IDLE, SHORTEST
from read_api.services import ReadServices


class QuestionStreams:
    """Follows the questions of an RPC."""

    def __init__(self, side: ReadServices, asking: Asking) -> None:
        self._side = side
        self._asking = asking

    async def states(
        self, rpc: Rpc, request: Any, caller: Caller, *, pause: float = SHORTEST
    ) -> AsyncGenerator[Answers]:
        """The answers now, and whenever they stand at another position; at most one in `pause` seconds.

        Raises as `Questions.ask` does, Unauthenticated when the token ends, LimitExceeded for more feeds than the
        tenant may follow.
        """
        self._asking.admit(rpc, request, caller)
        company, before = caller.company(company_of(request)), ""
        with self._side.rates.feed(caller.principal, company):
            while True:
                moved, began = self._side.movements.next(self._moving(rpc, request, company)), time.monotonic()
                answers = await self._asking.answers(rpc, request, caller)
                stand = " ".join(answer["position"] for answer in answers.values())
                if stand != before:
                    before = stand
                    yield answers
                await asyncio.sleep(max(0.0, began + pause - time.monotonic()))
                await wait_for(moved, IDLE)
                if caller.principal.expires_at <= self._side.questions.now().timestamp():
                    raise Unauthenticated("the token has ended", suggested_actions=("Resume with a new one.",))

    def _moving(self, rpc: Rpc, request: Any, company: str) -> str:
        """The projection that all questions read; any, where they read several."""
        now = self._side.questions.now()
        asked = rpc.asks(request).values()
        moving = {moves_with(Question(each.query, company, each.params, now)) for each in asked}
        return moving.pop() if len(moving) == 1 else "*"


def resume_token(request: Message, reached: str) -> str:
    """Where a stream has got to, for this request alone."""
    return f"{_digest(request)}.{reached}"


def reached_before(request: Any) -> str:
    """What the token of a request says was reached; empty without one. Raises Invalid for another request's."""
    if not request.resume_token:
        return ""
    digest, _, reached = request.resume_token.partition(".")
    if digest != _digest(request):
        raise Invalid("the resume token is of another request", code="bad_resume_token")
    return str(reached)


def _digest(request: Message) -> str:
    """The same for requests that ask for the same, wherever they resume."""
    asked = type(request)()
    asked.CopyFrom(request)
    asked.ClearField("resume_token")
    return blake2b(asked.SerializeToString(deterministic=True), digest_size=9).hexdigest()
