"""Exports, with the folder that holds them and the processes that write them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec.structs import replace

from adapters.files.exports import ExportFolder, GrowingFile
from adapters.postgres.read_models.read_store import Statement
from adapters.postgres.read_models.row_copy import CopiedRows, copied
from app.settings import Settings
from domain.errors import Invalid, Unavailable
from domain.exports import Progress
from projections.engine.turns import Share, Turns
from projections.engine.worker_process import WorkerProcess
from read_api.answers.questions import Questions
from read_api.export.exports import Exports, Task

PROCESSES = 2  # that write for one API; a tenant has one of them at most
WAITING = 4  # exports of one tenant that may wait for it
PATIENCE = 60.0  # seconds that they wait
SECONDS = 3_600.0  # that one may take


@asynccontextmanager
async def exports(settings: Settings, questions: Questions) -> AsyncIterator[Exports]:
    """Begins exports, whose rows processes of their own write: the first ones start them."""
    workers = [WorkerProcess("the writing of exports") for _ in range(PROCESSES)]
    idle, turns = list(workers), Turns("exports", Share(PROCESSES, of_tenant=1, waiting=WAITING, patience=PATIENCE))

    async def write_in_worker(task: Task) -> Progress:
        async with turns.turn(task.company):
            worker = idle.pop()
            try:
                return await worker.ask(write_rows, settings, task, seconds=SECONDS)
            finally:
                idle.append(worker)

    try:
        yield Exports(questions, ExportFolder(settings.data / "exports"), write_in_worker)
    finally:
        for worker in workers:
            worker.stop()


def write_rows(settings: Settings, task: Task) -> Progress:
    """All rows into the file, in the form of the task. Raises Unavailable, LimitExceeded, Forbidden."""
    url = settings.reader_url if task.member is None else settings.member_url
    asked = Statement(task.company, task.projection, task.statement.sql, task.statement.params, task.member)
    with copied(url, asked, SECONDS) as rows:
        try:
            file = GrowingFile(task.file)
        except OSError as error:
            raise Invalid(f"{task.file} cannot be written: {error.strerror}", code="bad_file") from None
        try:
            return _written(task, rows, file)
        except BaseException:
            file.give_up()
            raise


def _written(task: Task, rows: CopiedRows, file: GrowingFile) -> Progress:
    from read_api.export.forms import FORMS

    progress, count = Progress(rows.position, rows.lag_ms, rows.definition_version, rows.estimate), 0
    file.say(progress, now=True)
    try:
        writer = FORMS[task.form](file, task.columns)
        for piece, lines in rows.pieces:
            writer.write(piece)
            count += lines
            progress = replace(progress, rows=count)
            file.say(progress)
        writer.end()
        return file.end(progress)
    except OSError as error:
        raise Unavailable(f"the disk does not take the export: {error}", code="no_room") from None
