"""A dashboard as it was: each tile answered by the past, one after the other, because each folds events again."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from domain.access.rights import Principal
from domain.errors import AnalyticsError
from projections.engine.query.request import Question
from read_api.answers.past import plain
from read_api.dashboards.dashboards import COMPANY, DashboardQuestion, dashboard_answer
from read_api.dashboards.documents import Document
from read_api.dashboards.tiles import tile_answer
from read_api.services import ReadServices

Content = Mapping[str, Any] | AnalyticsError


async def dashboard_as_of(
    side: ReadServices,
    principal: Principal,
    document: Document,
    question: DashboardQuestion,
    as_of: str,
    now: datetime,
) -> dict[str, Any]:
    """A document as its figures were at a moment; its tiles and the company's profile are those of now.

    Raises Forbidden, NotFound, Invalid, NotYet; what concerns one tile is in that tile.
    """
    profile = Question(COMPANY, question.company, {}, now)
    (company,) = (await side.questions.ask(principal, profile))["rows"]
    tiles = side.dashboards.tile_requests(principal, document, profile, question.params)
    known: dict[Hashable, Content] = {}
    for asked in (one.question for one in tiles if isinstance(one.question, Question)):
        if asked.key not in known:
            known[asked.key] = await _answer(side, principal, asked, as_of)
    shown = [tile_answer(one, known[one.question.key] if isinstance(one.question, Question) else None) for one in tiles]
    answered = [tile for tile in shown if tile["position"]]
    stands_for = {
        "position": next((tile["position"] for tile in answered), ""),
        "as_of": as_of,
        "complete": all(tile["complete"] for tile in answered),
        "lag_ms": 0,
    }
    return dashboard_answer(document, question, company, stands_for, shown)


async def _answer(side: ReadServices, principal: Principal, question: Question, as_of: str) -> Content:
    try:
        return plain(await side.past.answer(principal, replace(question, about={"as_of": as_of})))
    except AnalyticsError as error:
        return error
