"""Rows of ad-hoc questions over gRPC: in parts, or as a file in pieces; either goes on where it was broken off."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from hashlib import blake2b
from typing import Any

import msgspec
from common.provenance_pb2 import Provenance
from services.queries_pb2 import (
    ExportAnalyticsRequest,
    ExportAnalyticsResponse,
    RunAnalyticsQueryRequest,
    RunAnalyticsQueryResponse,
)

from domain.access.rights import Feature, Right
from domain.exports import Export
from domain.position import Position
from domain.request.caller import Caller
from domain.whole_number import whole_number
from projections.engine.query.wide_answers import beside
from read_api.answers.ad_hoc import AdHoc, Table, admit, question, table
from read_api.export.exports import has_whole_table
from read_api.export.tables import Format, format_of
from read_api.grpc.answers import provenance
from read_api.grpc.cells import cells
from read_api.grpc.messages import message
from read_api.grpc.question_streams import reached_before, resume_token
from read_api.grpc.rpc import Answer, Asking
from read_api.grpc.scope import QueryCall, about, company_of, scope_of
from read_api.grpc.tile_series import unit_of

PART = 500  # rows of one message
PIECE = 256 * 1024  # bytes of one message


def ad_hoc(request: RunAnalyticsQueryRequest) -> AdHoc:
    """The question of a request. Raises Invalid for a period that is none."""
    asked = about("", request.scope)
    filters = dict(request.scope.filters)
    period = {name: text for name, text in asked.params.items() if name not in filters}
    return AdHoc(
        query=request.query,
        metrics=list(request.metrics),
        by=list(request.by),
        filters=filters,
        params={**period, **request.params},
        order_by=list(request.order_by),
        limit=request.limit,
    )


class RowStreams:
    """Handlers of RunAnalyticsQuery and ExportAnalytics."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    async def run_analytics_query(
        self, request: RunAnalyticsQueryRequest, caller: Caller
    ) -> AsyncGenerator[RunAnalyticsQueryResponse]:
        """The rows in parts; after a token of the same answer only those that are left, else all of them anew."""
        admit(caller.principal, Right.QUERY, Feature.AD_HOC, caller.company(company_of(request)))
        answer, found = await self._table(request, request, caller)
        reached, (content, skipped) = reached_before(request), _reached(request)
        now = await beside(found.rows, caller.asked, lambda rows: _digest(msgspec.json.encode(rows)), keep=True)
        begin = skipped if content == now else 0
        stands_for, restarted = provenance(caller, answer), bool(reached) and content != now
        columns = _columns(found) if not begin else []
        while True:
            rows = found.rows[begin : begin + PART]
            begin += len(rows)
            shown = {"columns": columns, "rows": cells(answer["query"], found.columns, found.dimensions, rows)}
            token = resume_token(request, f"{now}.{begin}")
            part = {"table": shown, "provenance": stands_for, "resume_token": token, "restarted": restarted}
            yield message(RunAnalyticsQueryResponse, part)
            columns, restarted = [], False
            if begin >= len(found.rows):
                return

    async def export_analytics(
        self, request: ExportAnalyticsRequest, caller: Caller
    ) -> AsyncGenerator[ExportAnalyticsResponse]:
        """The file in pieces; after a token of the same file only those that are left, else all of it anew."""
        chosen, company = _format(request), caller.company(company_of(request))
        admit(caller.principal, Right.EXPORT, chosen.feature, company)
        if _is_of_whole_table(request):
            async for piece in self._written(request, chosen, company, caller):
                yield piece
            return
        answer, found = await self._table(request, request.question, caller)
        file = await beside(found.rows, company, lambda _: chosen.write(found), keep=True)
        content, skipped = _reached(request)
        now = _digest(file)
        begin, restarted = (skipped, False) if content == now else (0, bool(content))
        name, stands_for = f"{answer['query']}.{chosen.name}", provenance(caller, answer)
        first: dict[str, Any] = _head(name, chosen, stands_for, restarted=restarted)
        while True:
            piece_of_file = file[begin : begin + PIECE]
            begin += len(piece_of_file)
            token = resume_token(request, f"{now}.{begin}")
            yield message(ExportAnalyticsResponse, {"content": piece_of_file, "resume_token": token, **first})
            first = {}
            if begin >= len(file):
                return

    async def _written(
        self, request: ExportAnalyticsRequest, chosen: Format, company: str, caller: Caller
    ) -> AsyncGenerator[ExportAnalyticsResponse]:
        """All rows of a table while they are written; after a token of an export that is kept what is left of it."""
        exports, (earlier, begin) = self._asking.exports, _reached(request)
        export = await exports.find(caller.principal, company, earlier) if earlier else None
        if export is None:
            begin, wanted, least = 0, ad_hoc(request.question), scope_of(request).min_position or caller.min_position
            put = question(wanted, company, self._asking.now())
            limited = {"limit": str(wanted.limit)} if wanted.limit else {}
            put = replace(put, params={**put.params, **limited})
            export = await exports.begin(caller.principal, put, chosen, Position.parse(least))
        first = _head(export.file_name, chosen, _stands_for(caller, export), restarted=False)
        async for content in exports.content(export, begin):
            begin += len(content)
            token = resume_token(request, f"{export.export_id}.{begin}")
            yield message(ExportAnalyticsResponse, {"content": content, "resume_token": token, **first})
            first = {}
        if first:
            yield message(ExportAnalyticsResponse, first)

    async def _table(self, request: Any, asked: RunAnalyticsQueryRequest, caller: Caller) -> tuple[Answer, Table]:
        wanted, now = ad_hoc(asked), self._asking.now()
        put = question(wanted, caller.asked, now)
        answers = await self._asking.ask(request, {"": QueryCall(put.name, put.params)}, caller, now)
        return answers[""], table(wanted, answers[""]["rows"])


def _is_of_whole_table(request: ExportAnalyticsRequest) -> bool:
    asked = request.question
    plain = not (asked.metrics or asked.by or asked.order_by or scope_of(request).at_position)
    return plain and has_whole_table(asked.query)


def _head(name: str, chosen: Format, stands_for: Provenance, *, restarted: bool) -> dict[str, Any]:
    """What the first message says of the file."""
    return {
        "file_name": name,
        "media_type": chosen.media_type,
        "provenance": stands_for,
        "restarted": restarted,
    }


def _stands_for(caller: Caller, export: Export) -> Provenance:
    return Provenance(
        query=export.query,
        definition_version=export.definition_version,
        position=export.position,
        complete=not export.lag_ms,
        lag_ms=export.lag_ms,
        correlation_id=caller.correlation_id,
    )


def _format(request: ExportAnalyticsRequest) -> Format:
    name = ExportAnalyticsRequest.Format.Name(request.format).lower() if request.format else ""
    return format_of(name)


def _reached(request: Any) -> tuple[str, int]:
    """Which content the token is of, and how much of it was received."""
    content, _, count = reached_before(request).partition(".")
    try:
        return content, whole_number(count)
    except ValueError:
        return content, 0


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=12).hexdigest()


def _columns(found: Table) -> list[dict[str, Any]]:
    return [
        {"name": name, "unit": found.units.get(name) or unit_of(name), "dimension": name in found.dimensions}
        for name in found.columns
    ]
