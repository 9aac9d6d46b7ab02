"""What the service refuses, as one exception with what its details say."""

from __future__ import annotations

from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as Packed
from google.rpc.error_details_pb2 import ErrorInfo, Help, RetryInfo
from google.rpc.status_pb2 import Status

DETAILS = "grpc-status-details-bin"


class AnalyticsError(Exception):
    """A call that was refused or failed.

    `status` is gRPC's, `code` the service's own and stable; `correlation_id` finds the call in its logs;
    `retry_after` (seconds) is None where trying again is not said to help.
    """

    def __init__(self, error: grpc.aio.AioRpcError) -> None:
        super().__init__(error.details() or error.code().name)
        self.status = error.code()
        self.code = error.code().name.lower()
        self.correlation_id = ""
        self.suggested_actions: tuple[str, ...] = ()
        self.retry_after: float | None = None
        for detail in _details(error):
            self._read(detail)

    def _read(self, detail: Packed) -> None:
        info, helps, retry = ErrorInfo(), Help(), RetryInfo()
        if detail.Unpack(info):
            self.code, self.correlation_id = info.reason, info.metadata.get("correlation_id", "")
        elif detail.Unpack(helps):
            self.suggested_actions = tuple(link.description for link in helps.links)
        elif detail.Unpack(retry):
            self.retry_after = retry.retry_delay.ToMilliseconds() / 1000


def _details(error: grpc.aio.AioRpcError) -> list[Packed]:
    metadata: Any = error.trailing_metadata() or ()
    packed = dict(metadata).get(DETAILS)
    return list(Status.FromString(packed).details) if isinstance(packed, bytes) else []
