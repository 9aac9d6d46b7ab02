"""Which dashboards somebody can choose from."""

from __future__ import annotations

from domain.errors import AnalyticsError
from projections.engine.query.request import Question
from read_api.answers.configuration import IN_USE, KINDS
from read_api.dashboards.documents import NAMES, standard
from read_api.web.room import Page


async def dashboard_names(page: Page) -> list[tuple[str, str]]:
    """Names and titles: the standard ones, and those of the company that they may see."""
    found = [(name, standard()[name].contents.name) for name in NAMES]
    try:
        asked = Question(KINDS["dashboard"].query, page.company, IN_USE, page.side.questions.now())
        rows = (await page.side.questions.ask(page.principal, asked))["rows"]
    except AnalyticsError:
        rows = []  # not for this role
    return found + [(str(row["id"]), str(row["name"])) for row in rows]
