"""Answering of the past: for the command line in its own process, for the read API in worker processes beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app import wiring
from app.settings import Settings
from domain.access.rights import Member
from domain.errors import AnalyticsError, Conflict, NotYet, Unavailable
from domain.position import Position
from eventlog.relay.ports import STORE
from projections.engine.query.ask import answer, answerable
from projections.engine.query.request import Past, Question, read_request
from projections.engine.turns import Share, Turns
from projections.engine.worker_process import WorkerProcess
from read_api.answers.past import AnswerPast

if TYPE_CHECKING:
    from projections.engine.past.past_store import PastStore

PROCESSES = 2  # that tell for one read API; a tenant has one of them at most, so that another one finds one free
WAITING = 8  # questions of one tenant that may wait for it


async def answer_question(settings: Settings, question: Question) -> dict[str, Any]:
    """The answer to a question about the past, in the form of the API.

    Raises Invalid, NotFound, NotYet, LimitExceeded, Unavailable.
    """
    from projections.engine.past.explain import explain, turn
    from projections.engine.past.past_store import answer_past

    request = read_request(answerable(question.name), question)
    past = request.past
    if past.position is not None:
        past = replace(past, position=await _in_log(settings, past.position))
    async with _past_store(settings, question.company, past, question.member) as store:
        question = replace(question, asked_at=store.past.moment(question.asked_at))
        if request.page is None:
            return await answer_past(question, store)
        return await explain(*turn(store, question, request.page))


async def answers_at(
    settings: Settings, questions: Sequence[Question], position: Position
) -> list[dict[str, Any] | AnalyticsError]:
    """What registered queries answer of one company as known at a position, each at the moment that it names itself.

    What they read is folded once for all of them. Raises NotYet, Conflict and Unavailable; what concerns one question
    is in its place.
    """
    first = replace(questions[0], about={"as_known_at": str(position)})
    past = read_request(answerable(first.name), first).past
    past = replace(past, position=await _in_log(settings, position))
    found: list[dict[str, Any] | AnalyticsError] = []
    async with _past_store(settings, questions[0].company, past, questions[0].member) as store:
        for question in questions:
            try:
                found.append(dict(await answer(question, store)))
            except (NotYet, Conflict, Unavailable):
                raise
            except AnalyticsError as error:
                found.append(error)
    return found


@asynccontextmanager
async def _past_store(settings: Settings, company: str, past: Past, member: Member | None) -> AsyncIterator[PastStore]:
    from adapters.postgres.read_models.scratch import PostgresScratch
    from app.evidence import check
    from projections.engine.past.history import History
    from projections.engine.past.past_store import PastStore

    tables = PostgresScratch(settings.database_url, check(settings), settings.query_seconds, settings.reader_url)
    with closing(tables) as scratch:
        async with wiring.event_log(settings) as log, wiring.event_index(settings) as index:
            history = History(log, scratch, settings.past_records, index)
            past = replace(past, log_time=await history.log_time(past))
            yield PastStore(history, scratch, company, past, member)


async def _in_log(settings: Settings, token: Position) -> Position:
    """The token as a position of the log alone. Raises NotYet for what was commanded and is not relayed."""
    number = token[STORE]
    if not number:
        return token
    async with wiring.relay_progress(settings) as relay:
        found = await relay.before(number)
    if found.next_number < number:
        raise NotYet(f"the relay is at {STORE[0]}:0={found.next_number} and has not reached {number}")
    return Position({place: offset for place, offset in token.merge(found.position).offsets.items() if place != STORE})


@asynccontextmanager
async def past_answers(settings: Settings) -> AsyncIterator[AnswerPast]:
    """Tells in processes of their own, which the first questions start: tenants take turns.

    A question whose caller is cancelled is told no longer.
    """
    work, seconds = "questions about the past", settings.past_seconds
    workers = [WorkerProcess(work) for _ in range(PROCESSES)]
    idle, turns = list(workers), Turns(work, Share(PROCESSES, of_tenant=1, waiting=WAITING, patience=seconds))

    async def answer_in_worker(question: Question) -> dict[str, Any]:
        async with turns.turn(question.company):
            worker = idle.pop()  # the one that was used last: the other one ends when it has rested for long
            try:
                return await worker.ask(_answer_as_json, settings, question, seconds=seconds)
            finally:
                idle.append(worker)

    try:
        yield answer_in_worker
    finally:
        for worker in workers:
            worker.stop()


def _answer_as_json(settings: Settings, question: Question) -> dict[str, Any]:
    """In the worker: the answer, its rows as JSON, since making objects of them would hold up who asked."""
    from app.cli.frame import run
    from read_api.http.encoding import with_raw

    return with_raw(run(answer_question(settings, question)))
