"""Questions about the past have a share by tenant and a limit of time, and nobody computes for callers who left."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from app.read_side.past import WAITING, past_answers
from app.settings import Settings
from domain.errors import LimitExceeded
from eventlog import tasks
from projections.engine.query.request import Question
from read_api.answers.past import AnswerPast

ASKED = datetime(2025, 3, 1, tzinfo=UTC)


def slow_answer(_settings: Settings, question: Question) -> dict[str, Any]:
    """In the worker: an answer that takes as many seconds as the question says."""
    time.sleep(float(question.params["seconds"]))
    return {"company": question.company}


def question(company: str, seconds: float) -> Question:
    """One that takes so long."""
    return Question("trades", company, {"seconds": str(seconds)}, ASKED)


@asynccontextmanager
async def past_questions(monkeypatch: pytest.MonkeyPatch, seconds: float) -> AsyncIterator[AnswerPast]:
    """Tells slowly, in real processes, for so many seconds at most."""
    monkeypatch.setattr("app.read_side.past._answer_as_json", slow_answer)
    async with past_answers(replace(Settings.read({}), past_seconds=seconds)) as tell:
        yield tell


async def test_a_tenant_with_many_slow_questions_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve that take an hour each: another tenant is answered, one more of the first is refused at once."""
    async with past_questions(monkeypatch, 3_600) as tell:
        slow = [asyncio.ensure_future(tell(question("greedy", 3_600))) for _ in range(1 + WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(LimitExceeded, match="questions about the past of greedy wait already") as refused:
            await tell(question("greedy", 3_600))
        assert (refused.value.code, refused.value.retry_after) == ("too_many_questions", 900)
        assert await tell(question("quiet", 0)) == {"company": "quiet"}
        assert not any(each.done() for each in slow)
        await tasks.end(*slow)
        assert await tell(question("greedy", 0)) == {"company": "greedy"}  # those who left are computed for no longer


async def test_a_question_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says after how long; the next one is answered."""
    async with past_questions(monkeypatch, 0.2) as tell:
        with pytest.raises(LimitExceeded, match=r"the computation took more than 0\.2 s"):
            await tell(question("acme", 3_600))
