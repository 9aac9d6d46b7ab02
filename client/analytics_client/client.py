"""The client. Every RPC is there, typed, as `client.rpc.<Name>`; what streams, pages or publishes has a helper."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import grpc
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from common.read_scope_pb2 import ReadScope
from services.analytics_service_pb2_grpc import AnalyticsServiceStub
from services.charts_pb2 import GetChartDataStreamRequest, GetChartDataStreamResponse
from services.operations_pb2 import LoggedEvent, PublishRequest, PublishResponse, StreamEventsRequest
from services.queries_pb2 import ExportAnalyticsRequest, ExportAnalyticsResponse, RunAnalyticsQueryRequest
from services.reports_pb2 import DownloadReportRequest

from analytics_client.calls import options, signing
from analytics_client.errors import AnalyticsError
from analytics_client.resuming import by_offset, by_position, by_token, resumed
from analytics_client.values import milliseconds, python

if TYPE_CHECKING:
    from services.analytics_service_pb2_grpc import AnalyticsServiceAsyncStub  # exists for the type checker only

Token = str | Callable[[], str]
EVENTS_AT_ONCE = 500  # of one message of a publication; a message has at most 4 MB


class AnalyticsClient:
    """A connection. `token` is a bearer token, or what gives the current one; `company` is asked about by default.

    Calls at `rpc` raise grpc's own error, of which `AnalyticsError` reads the details; the helpers raise that one.
    `timeout` (seconds) is the deadline of calls that answer once; reads among these are tried again while the service
    is not there.
    """

    def __init__(
        self,
        address: str,
        token: Token,
        company: str = "",
        *,
        credentials: grpc.ChannelCredentials | None = None,
        timeout: float = 30.0,
    ) -> None:
        signed, settings = signing(token if callable(token) else lambda: token), options(timeout)
        if credentials is None:
            self._channel = grpc.aio.insecure_channel(address, settings, interceptors=signed)
        else:
            self._channel = grpc.aio.secure_channel(address, credentials, settings, interceptors=signed)
        self.company = company
        self.rpc: AnalyticsServiceAsyncStub = AnalyticsServiceStub(self._channel)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the connection."""
        await self._channel.close()

    def scope(
        self,
        begin: datetime | None = None,
        end: datetime | None = None,
        *,
        min_position: str = "",
        at_position: str = "",
        **filters: str,
    ) -> ReadScope:
        """The client's company, from `begin` to before `end`; `filters` by names of dimensions.

        `min_position`: the answer has at least that (a publication's position, for one's own writes); `at_position`:
        it is as it was then.
        """
        return ReadScope(
            company_id=self.company,
            from_time=milliseconds(begin),
            to_time=milliseconds(end),
            min_position=min_position,
            at_position=at_position,
            filters=filters,
        )

    def question(
        self,
        query: str = "",
        *,
        metrics: Sequence[str] = (),
        by: Sequence[str] = (),
        order_by: Sequence[str] = (),
        limit: int = 0,
        scope: ReadScope | None = None,
        params: Mapping[str, str] | None = None,
    ) -> RunAnalyticsQueryRequest:
        """An ad-hoc question: a registered query by its name, or metrics by their keys."""
        return RunAnalyticsQueryRequest(
            scope=scope or self.scope(),
            query=query,
            metrics=metrics,
            by=by,
            order_by=order_by,
            limit=limit,
            params=dict(params or {}),
        )

    async def rows(self, question: RunAnalyticsQueryRequest) -> list[dict[str, Any]]:
        """All rows of an ad-hoc question, by names of columns. It goes on where a connection breaks off."""
        columns: list[str] = []
        rows: list[dict[str, Any]] = []
        async for part in resumed(self.rpc.RunAnalyticsQuery, _copy(question), by_token):
            if part.restarted:
                rows = []
            columns = [column.name for column in part.table.columns] or columns
            for row in part.table.rows:
                rows.append(dict(zip(columns, map(python, row.values), strict=True)))
        return rows

    async def export(self, request: ExportAnalyticsRequest) -> bytes:
        """The file of a question's rows. It goes on where a connection breaks off."""
        content = b""
        pieces: AsyncIterator[ExportAnalyticsResponse] = resumed(self.rpc.ExportAnalytics, _copy(request), by_token)
        async for piece in pieces:
            content = piece.content if piece.restarted else content + piece.content
        return content

    async def report(self, report_id: str) -> AsyncIterator[bytes]:
        """The file of a report, piece by piece. It goes on where a connection breaks off."""
        request = DownloadReportRequest(company_id=self.company, report_id=report_id)
        async for piece in resumed(self.rpc.DownloadReport, request, by_offset):
            yield piece.content

    def chart(self, request: GetChartDataStreamRequest) -> AsyncIterator[GetChartDataStreamResponse]:
        """A chart that is kept up to date: a snapshot, then changes; after a break the changes go on."""
        return resumed(self.rpc.GetChartDataStream, _copy(request), by_token)

    async def events(self, request: StreamEventsRequest) -> AsyncIterator[LoggedEvent]:
        """Events of the log; after a break from where it was reached, without gap or repetition."""
        async for page in resumed(self.rpc.StreamEvents, _copy(request), by_position):
            for event in page.events:
                yield event

    async def publish(self, events: Iterable[AnalyticsProcessingEnvelope]) -> PublishResponse:
        """Publish in order; returns when all that was accepted is durable. Raises AnalyticsError.

        Give the events ids or stamps (producer_id and producer_seq): what is published again then counts once.
        """
        try:
            return await self.rpc.Publish(_messages(events))
        except grpc.aio.AioRpcError as error:
            raise AnalyticsError(error) from error


def _messages(events: Iterable[AnalyticsProcessingEnvelope]) -> Iterator[PublishRequest]:
    left = iter(events)
    while some := list(islice(left, EVENTS_AT_ONCE)):
        yield PublishRequest(events=some)


def _copy(request: Any) -> Any:
    """The request to be changed as the stream goes on; the caller's own stays as it is."""
    own = type(request)()
    own.CopyFrom(request)
    return own
