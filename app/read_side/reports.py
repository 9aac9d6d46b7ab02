"""Reports, with the table that lists them and the folder that holds their files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.files.reports import ReportFolder
from adapters.postgres.tables.reports import PostgresReports
from app.settings import Settings
from app.wiring import closed_at_end
from read_api.answers.questions import Questions
from read_api.answers.reports import Reports


@asynccontextmanager
async def reports(settings: Settings, questions: Questions) -> AsyncIterator[Reports]:
    """Makes reports out of answers, and keeps them in the database and the data folder."""
    async with closed_at_end(PostgresReports(settings.database_url)) as store:
        yield Reports(questions, store, ReportFolder(settings.data / "reports"))
