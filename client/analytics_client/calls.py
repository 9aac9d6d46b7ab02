"""What every call gets: the token of the moment, and by the channel's configuration a deadline and a few attempts."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import grpc

SERVICE = "services.AnalyticsService"
ONCE = ("Publish", "GenerateReport")  # what is done by a call is done again by another one
STREAMS = (
    *("GetDashboardData", "GetRealTimeMetrics", "WatchDashboards", "GetMarketInsightStream", "GetChartDataStream"),
    *("GetTechnicalIndicatorStream", "StreamEvents", "RunAnalyticsQuery", "ExportAnalytics", "DownloadReport"),
)  # they last as long as they are read, and go on by themselves
Sign = Callable[[grpc.aio.ClientCallDetails], grpc.aio.ClientCallDetails]


def options(timeout: float) -> Sequence[tuple[str, Any]]:
    """Of the channel: calls that answer once have a deadline (seconds), and reads among them up to four attempts."""
    retry = {
        "maxAttempts": 4,
        "initialBackoff": "0.2s",
        "maxBackoff": "5s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    config = {
        "methodConfig": [
            {"name": [{"service": SERVICE, "method": name} for name in STREAMS]},
            {"name": [{"service": SERVICE, "method": name} for name in ONCE], "timeout": f"{timeout:g}s"},
            {"name": [{"service": SERVICE}], "timeout": f"{timeout:g}s", "retryPolicy": retry},
        ]
    }
    return (("grpc.service_config", json.dumps(config)), ("grpc.max_receive_message_length", 8 * 1024 * 1024))


def signing(token: Callable[[], str]) -> Sequence[grpc.aio.ClientInterceptor]:
    """Interceptors that send the token, one for each kind of call."""

    def sign(details: grpc.aio.ClientCallDetails) -> grpc.aio.ClientCallDetails:
        metadata = grpc.aio.Metadata(*(details.metadata or ()), ("authorization", f"Bearer {token()}"))
        return grpc.aio.ClientCallDetails(
            details.method, details.timeout, metadata, details.credentials, details.wait_for_ready
        )

    return [kind(sign) for kind in (_UnaryUnary, _UnaryStream, _StreamUnary, _StreamStream)]


class _Signed:
    def __init__(self, sign: Sign) -> None:
        self.sign = sign


class _UnaryUnary(_Signed, grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await continuation(self.sign(client_call_details), request)


class _UnaryStream(_Signed, grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await continuation(self.sign(client_call_details), request)


class _StreamUnary(_Signed, grpc.aio.StreamUnaryClientInterceptor):
    async def intercept_stream_unary(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return await continuation(self.sign(client_call_details), request_iterator)


class _StreamStream(_Signed, grpc.aio.StreamStreamClientInterceptor):
    async def intercept_stream_stream(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return await continuation(self.sign(client_call_details), request_iterator)
