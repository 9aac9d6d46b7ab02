"""Reports in PostgreSQL (table `reports`, made by migration 0024)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from adapters.postgres.connections.link import Link
from domain.reports.report import StoredReport

BEGIN = """
    INSERT INTO reports (company_id, report_id, kind, requested_by, requested_at, idempotency_key, report)
    VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (company_id, requested_by, idempotency_key) DO NOTHING
"""
EARLIER = "SELECT report FROM reports WHERE company_id = %s AND requested_by = %s AND idempotency_key = %s"
END = "UPDATE reports SET report = %s WHERE company_id = %s AND report_id = %s"
FIND = "SELECT report FROM reports WHERE company_id = %s AND report_id = %s"
LIST = """
    SELECT report FROM reports WHERE company_id = %s AND (%s = '' OR kind = %s)
    AND (requested_at, report_id) < (%s, %s) ORDER BY requested_at DESC, report_id DESC LIMIT %s
"""
LAST = (2**62, "")  # after every report


class PostgresReports:
    """`domain.reports.report.ReportStore` on PostgreSQL; connects when first used. Methods raise Unavailable."""

    def __init__(self, database_url: str) -> None:
        self._link = Link(database_url)

    async def begin(self, report: StoredReport, key: str) -> StoredReport:
        """Keep a new one; the earlier one, where its requester has used this key before."""
        document = msgspec.json.encode(report).decode()
        row = (report.company_id, report.report_id, report.request.kind, report.requested_by, report.requested_at)
        async with self._link.use() as connection:
            made = await connection.execute(BEGIN, (*row, key or None, document))
            if made.rowcount:
                return report
            cursor = await connection.execute(EARLIER, (report.company_id, report.requested_by, key))
            ((earlier,),) = await cursor.fetchall()
        return _report(earlier)

    async def end(self, report: StoredReport) -> None:
        """Keep what came of it."""
        async with self._link.use() as connection:
            document = msgspec.json.encode(report).decode()
            await connection.execute(END, (document, report.company_id, report.report_id))

    async def find(self, company: str, report_id: str) -> StoredReport | None:
        """The report of that id, where it is the company's."""
        async with self._link.use() as connection:
            cursor = await connection.execute(FIND, (company, report_id))
            row = await cursor.fetchone()
        return _report(row[0]) if row else None

    async def listing(
        self, company: str, kind: str, before: tuple[int, str] | None, limit: int
    ) -> Sequence[StoredReport]:
        """The newest first, of one kind or (empty) of any, from before a place in the list on."""
        async with self._link.use() as connection:
            cursor = await connection.execute(LIST, (company, kind, kind, *(before or LAST), limit))
            return [_report(row[0]) for row in await cursor.fetchall()]

    async def close(self) -> None:
        """Close the connection."""
        await self._link.close()


def _report(stored: Any) -> StoredReport:
    return msgspec.convert(stored, StoredReport)
