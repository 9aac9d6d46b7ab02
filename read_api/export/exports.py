"""Exports: all rows of a table as a file, which can be read while it is written, and again where that was broken off.

The rows are of one snapshot. They are written by a process of its own; here they are told what they are and given on,
a piece at a time, so that no number of rows takes memory or the time of others.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import msgspec

from domain.access.rights import Feature, Member, Principal, Right, whole_company
from domain.errors import AnalyticsError, Conflict, NotFound, Unavailable
from domain.events.identity import new_event_id
from domain.exports import Export, ExportFiles, Progress, State, with_progress
from domain.position import Position
from eventlog import tasks
from projections.engine.declare.registry import all_queries
from projections.engine.query.ask import WholeTable
from projections.engine.query.plain import Shown, Statement
from projections.engine.query.request import Question
from read_api.answers.ad_hoc import admit
from read_api.answers.questions import Questions
from read_api.export.tables import Format, format_of

LOOK = 0.02  # seconds between two looks at a file that is being written
PIECE = 256 * 1024  # bytes that are given on at once
BEGUN_WITHIN = 90.0  # seconds, waiting for a turn included


class Task(NamedTuple):
    """What is to be written: all rows of a statement, as who asks may see them, into a file."""

    company: str
    member: Member | None
    projection: str
    statement: Statement
    columns: Sequence[Shown]
    form: str
    file: str


Write = Callable[[Task], Awaitable[Progress]]
"""Writes the file, in a process of its own; tenants take turns. Raises Unavailable, LimitExceeded, Forbidden."""


def has_whole_table(query: str) -> bool:
    """Whether all rows of that query can be had, however many there are."""
    registered = all_queries().get(query)
    return registered is not None and registered[1].whole is not None


@dataclass(frozen=True, slots=True)
class Exports:
    """Begins exports, and gives them out."""

    questions: Questions
    files: ExportFiles
    write: Write

    async def begin(self, principal: Principal, question: Question, chosen: Format, at_least: Position) -> Export:
        """An export whose rows are being written. Raises Forbidden, Invalid, NotYet, NotFound, Unavailable."""
        admit(principal, Right.EXPORT, chosen.feature, question.company)
        table = await self.questions.whole_table(principal, question, at_least)
        new = Export(
            export_id=new_event_id(),
            company_id=question.company,
            requested_by=principal.sub,
            query=question.name,
            params=dict(question.params),
            format=chosen.name,
            asked_at=question.asked_at.isoformat(),
            requested_at=self._now(),
        )
        file = await self.files.begin(new)
        writing = tasks.start(self._written(new, table, chosen, file), f"export {new.export_id}")
        deadline = time.monotonic() + BEGUN_WITHIN
        while not writing.done():
            begun = await self._again(new)
            if begun.position:
                return msgspec.structs.replace(begun, position=table.position(begun.position))
            if time.monotonic() > deadline:
                raise Unavailable(f"the export was not begun within {BEGUN_WITHIN:g} s", code="busy")
            await asyncio.wait((writing,), timeout=LOOK)
        return await writing

    async def _written(self, export: Export, table: WholeTable, chosen: Format, file: str) -> Export:
        """Write it. Raises what kept it from being written, which is kept with it as well."""
        task = Task(
            export.company_id, table.member, table.projection, table.statement, table.columns, chosen.name, file
        )
        try:
            done = await self.write(task)
        except AnalyticsError as error:
            failed = msgspec.structs.replace(export, state=State.FAILED, error=str(error), finished_at=self._now())
            await self.files.save(failed)
            raise
        ended = with_progress(export, done)
        ended = msgspec.structs.replace(
            ended, state=State.READY, finished_at=self._now(), position=table.position(done.position)
        )
        await self.files.save(ended)
        return ended

    async def find(self, principal: Principal, company: str, export_id: str) -> Export:
        """One of their own, as long as they might begin it anew. Raises Forbidden, NotFound."""
        admit(principal, Right.EXPORT, Feature.CSV, company)
        found = await self.files.find(company, export_id)
        if found is None or found.requested_by != principal.sub:
            raise NotFound(f"there is no export {export_id[:40]} of yours; they are kept for a day", code="no_export")
        admit(principal, Right.EXPORT, format_of(found.format).feature, company)
        again = Question(found.query, company, found.params, datetime.fromisoformat(found.asked_at))
        if self.questions.allowed(principal, again).member is not None:
            raise whole_company(found.query)
        return found

    async def content(self, export: Export, begin: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Its bytes from one to before another, as they are written. Raises Unavailable where they do not come."""
        at = begin
        while export.state is not State.FAILED and (end is None or at < end):
            piece = await self.files.read(export, at, PIECE if end is None else min(PIECE, end - at))
            at += len(piece)
            if piece:
                yield piece
                continue
            if export.state is State.READY:
                return
            await asyncio.sleep(LOOK)
            export = await self._again(export)
        if export.state is State.FAILED:
            raise Unavailable(f"the export ended: {export.error}", code="export_failed")

    async def _again(self, export: Export) -> Export:
        found = await self.files.find(export.company_id, export.export_id)
        if found is None:
            raise Conflict("the export is gone", code="no_export")
        return found

    def _now(self) -> int:
        return round(self.questions.now().timestamp() * 1000)
