"""Reports, with the table that lists them, the folder that holds their files, and the processes that make them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from adapters.files.checkpoint_key import signing_key
from adapters.files.reports import ReportFolder
from adapters.postgres.tables.reports import PostgresReports
from app import wiring
from app.settings import Settings
from app.wiring import closed_at_end
from domain.position import Position
from domain.reports.document import Document
from projections.engine.query.request import Question
from projections.engine.turns import Share, Turns
from projections.engine.worker_process import WorkerProcess
from read_api.answers.questions import Questions
from read_api.answers.reports import Outcome, ReportDesk, Reports
from read_api.dashboards.dashboards import Dashboards
from read_api.live.changes import ProjectionChanges
from read_api.reports.writers import SECONDS, write_within_limits

WAITING = 8  # reports of one tenant that may wait for the process that writes them


@asynccontextmanager
async def reports(
    settings: Settings, questions: Questions, dashboards: Dashboards, movements: ProjectionChanges
) -> AsyncIterator[Reports]:
    """Makes reports out of answers, and keeps them in the database and the data folder.

    One process writes them, tenants taking turns; another one tells the past. Both are started by the first report.
    """
    writer, past = WorkerProcess("the writing of reports"), WorkerProcess("reports of the past")
    turns = Turns("reports", Share(1, of_tenant=1, waiting=WAITING, patience=SECONDS))

    async def write_in_turn(form: str, document: Document) -> bytes:
        async with turns.turn(document.owner.company_id):
            return await writer.ask(write_within_limits, form, document, seconds=SECONDS)

    async def answers_at(asked: Sequence[Question], position: Position) -> Sequence[Outcome]:
        return await past.ask(_answers_at, settings, list(asked), position, seconds=settings.past_seconds)

    def sign(message: bytes) -> bytes:
        return signing_key(wiring.keys(settings)).sign(message)

    try:
        async with closed_at_end(PostgresReports(settings.database_url)) as store:
            files = ReportFolder(settings.data / "reports")
            yield Reports(questions, dashboards, movements, ReportDesk(store, files, answers_at, write_in_turn, sign))
    finally:
        writer.stop()
        past.stop()


def _answers_at(settings: Settings, questions: Sequence[Question], position: Position) -> list[Outcome]:
    """In the worker."""
    from app.cli.frame import run
    from app.read_side.past import answers_at

    return run(answers_at(settings, questions, position))
