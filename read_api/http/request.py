"""One question over HTTP: its parameters, the position that it waits for, and the answer with what it stands for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, MutableMapping
from datetime import datetime
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl

from litestar import Request, Response
from litestar.datastructures import State

from domain.errors import Invalid, Unavailable
from domain.position import Position
from domain.request.caller import Caller
from domain.whole_number import whole_number
from eventlog import tasks
from projections.engine.query.ask import answerable
from projections.engine.query.plain import Query
from projections.engine.query.request import OF_EXPLANATION, OF_PAST, Question
from read_api.answers.cache import EXACT, Freshness
from read_api.answers.freshness import FORCE_REFRESH, MAX_STALENESS, read_freshness
from read_api.answers.position_tokens import NOTHING
from read_api.http.encoding import encoded, encoded_here
from read_api.services import ReadServices

JSON = "application/json"
LOOK = 0.05  # seconds after which it is looked whether the caller is still there
T = TypeVar("T")
ASKED = "asked"  # of a scope: what was read of a request that may be answered with what is kept
HttpRequest = Request[Caller, Any, State]


def parameters(request: HttpRequest) -> dict[str, str]:
    """The query's parameters; one that is given twice is refused, because either value would be a guess."""
    pairs = _pairs(request.scope["query_string"])
    params = dict(pairs)
    if len(params) < len(pairs):
        name = next(name for at, (name, _) in enumerate(pairs) if name in dict(pairs[:at]))
        raise Invalid(f"parameter {name!r} is given twice", code="bad_parameter")
    return params


@lru_cache(1_000)
def _pairs(query: bytes) -> tuple[tuple[str, str], ...]:
    return tuple(parse_qsl(query.decode("latin-1"), keep_blank_values=True))


def whole_parameter(params: Mapping[str, str], name: str, least: int, most: int, default: int) -> int:
    """A whole number among the parameters. Raises Invalid for what is none, or too small or too large."""
    try:
        return whole_number(params[name], least, most) if params.get(name) else default
    except ValueError as error:
        raise Invalid(f"parameter {name}: {error}", code="bad_parameter") from None


def min_position(request: HttpRequest) -> Position:
    """What the answer must have reached. Raises Invalid for a text that is no position."""
    given = next((value for name, value in request.scope["headers"] if name == b"x-min-position"), b"")
    return Position.parse(given.decode("latin-1")) if given else NOTHING


def question_of(
    request: HttpRequest, name: str, params: Mapping[str, str], about: Collection[str] = OF_PAST
) -> Question:
    """The question of this request, asked now: `company` says of whom, what is in `about` is no parameter of the query.

    Raises Forbidden or Invalid for a company that the caller cannot mean.
    """
    own = {key: text for key, text in params.items() if key != "company" and key not in about}
    asked_about = {key: params[key] for key in about if key in params}
    return Question(name, request.user.company(params.get("company")), own, asked_at(request), about=asked_about)


def asked_at(request: HttpRequest) -> datetime:
    """The moment of this request, of which a door takes one for all that it asks."""
    side: ReadServices = request.app.state.side
    return side.questions.now()


async def ask(request: HttpRequest, question: Question, freshness: Freshness = EXACT) -> dict[str, Any]:
    """The answer to a question of the caller, of the present or of the past.

    Raises as `Questions.ask` and `PastQuestions.answer` do, Invalid for a position that is none.
    """
    side: ReadServices = request.app.state.side
    side.health.queries.add()
    if question.about:
        return await side.past.answer(request.user.principal, question, min_position(request))
    return await side.questions.ask(request.user.principal, question, min_position(request), freshness)


def freshness_of(params: dict[str, str]) -> Freshness:
    """How old the answer may be; the parameters that say so are taken out. Raises Invalid for others than they have."""
    return read_freshness(params.pop(MAX_STALENESS, "0"), params.pop(FORCE_REFRESH, "false"))


async def for_caller(request: HttpRequest, work: Coroutine[Any, Any, T]) -> T:
    """What the work gives; it is ended where the caller leaves first. Raises what the work raises, Unavailable then."""
    caller = _Listening(request.receive)
    try:
        return await work
    except asyncio.CancelledError:
        if not caller.left:
            raise
        raise Unavailable("the caller has left", code="caller_left") from None
    finally:
        await caller.forget()


class _Listening:
    """Looks whether the caller of the task in hand is still there, from LOOK seconds on: most are answered by then."""

    def __init__(self, receive: Callable[[], Awaitable[Any]]) -> None:
        self.left = False
        self._receive = receive
        self._work = asyncio.current_task()
        self._looking: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(LOOK, self._look)

    def _look(self) -> None:
        self._looking = tasks.start(self._until_left(), "caller")

    async def _until_left(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.left = True
        assert self._work is not None
        self._work.cancel()

    async def forget(self) -> None:
        """The work has ended."""
        self._timer.cancel()
        if self._looking is not None:
            try:
                await tasks.end(self._looking)
            except asyncio.CancelledError:
                if not self.left:  # else it came when the work was done
                    raise


async def answer_query(request: HttpRequest, name: str, params: dict[str, str]) -> Response[bytes]:
    """A registered query's answer, of the present or of the past: `company`, `as_of` and `as_known_at` say which.

    Raises as `Questions.ask` does, Invalid for parameters that are none, Unavailable where the caller has left.
    """
    freshness = freshness_of(params)
    question = question_of(request, name, params)
    return await answer_question(request, question, freshness)


async def answer_question(request: HttpRequest, question: Question, freshness: Freshness) -> Response[bytes]:
    """The answer to a question. Raises as `answer_query`.

    What is kept may answer the same path and parameters the next time: who calls this judges nothing of the caller's
    before, since `Questions` judges all of it.
    """
    if not (question.about or freshness.force_refresh):
        name, _, params, *_ = question.key
        scope: MutableMapping[str, Any] = request.scope  # type: ignore[assignment]  # with a member of ours
        scope[ASKED] = Asked(name, parameters(request).get("company"), params)
    return await for_caller(request, _response(request, question, freshness))


class Asked(NamedTuple):
    """What a request asks: the query, the company if it names one, and the query's parameters, in order."""

    name: str
    company: str | None
    params: tuple[tuple[str, str], ...]


def at_hand(side: ReadServices, caller: Caller, asked: Asked) -> Response[bytes] | None:
    """The response to what was asked, where the exact answer is kept; it is made once for all who ask it.

    Raises Forbidden, Invalid, NotFound.
    """
    key = (asked.name, caller.company(asked.company), asked.params, (), None)
    answer = side.questions.at_hand(caller.principal, key, side.questions.now())
    if answer is None:
        return None
    side.health.queries.add()
    if answer.response is None:
        answer.response = with_headers(answer, encoded_here(answer))
    response: Response[bytes] = answer.response
    return response


async def _response(request: HttpRequest, question: Question, freshness: Freshness) -> Response[bytes]:
    return await response_to(question, await ask(request, question, freshness))


async def explanation(request: HttpRequest, name: str, params: Mapping[str, str]) -> Response[bytes]:
    """The events behind a measure of a query, a page of them. Raises as `PastQuestions.answer` does, Unavailable."""
    question = question_of(request, name, {"measure": "", **params}, (*OF_PAST, *OF_EXPLANATION))
    found = await for_caller(request, _explained(request, question))
    return Response(await encoded(question.company, found), media_type=JSON)


async def _explained(request: HttpRequest, question: Question) -> dict[str, Any]:
    side: ReadServices = request.app.state.side
    return await side.past.answer(request.user.principal, question, min_position(request))


async def response_to(question: Question, answer: Mapping[str, Any]) -> Response[bytes]:
    """The answer to a question; what it stands for is in the headers, too. Rows that no cache keeps are used up.

    Raises LimitExceeded where too many wide answers wait.
    """
    keep = not isinstance(answerable(question.name), Query)
    return with_headers(answer, await encoded(question.company, answer, keep=keep))


class Ready(Response[bytes]):
    """A response whose head is written once, however often it is sent."""

    @cached_property
    def head(self) -> list[tuple[bytes, bytes]]:
        """Its headers as the server takes them."""
        return head_of(self)


def head_of(response: Response[bytes]) -> list[tuple[bytes, bytes]]:
    """Headers of a response as the server takes them."""
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.headers.items()]
    headers.append((b"content-type", str(response.media_type).encode()))
    headers.append((b"content-length", b"%d" % len(response.content)))
    return headers


def with_headers(
    answer: Mapping[str, Any], content: bytes, headers: Mapping[str, str] = MappingProxyType({})
) -> Response[bytes]:
    """A response that says in its headers what the answer stands for."""
    stands_for = {
        "X-Position": answer["position"],
        "X-Lag-Ms": str(answer["lag_ms"]),
        "X-Definition-Version": str(answer["definition_version"]),
    }
    return Ready(content, media_type=JSON, headers={**stands_for, **headers})
