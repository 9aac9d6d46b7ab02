"""Errors over gRPC as `google.rpc.Status`: what HTTP says in problem documents, as details that clients read.

`ErrorInfo` has the stable code, `RequestInfo` the correlation id, `Help` what may be done, `RetryInfo` when to retry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.any_pb2 import Any as Packed
from google.rpc import error_details_pb2 as details
from google.rpc.status_pb2 import Status

from domain.clean_text import clean_message
from domain.errors import AnalyticsError

if TYPE_CHECKING:
    import grpc
    from google.protobuf.message import Message

DETAILS = "grpc-status-details-bin"  # where clients of every language look for them
DOMAIN = "analytics"


def rich_status(code: grpc.StatusCode, error: AnalyticsError, correlation_id: str) -> Status:
    """The status of an error, with its details."""
    told = clean_message(str(error))
    return Status(code=code.value[0], message=told, details=[_packed(each) for each in _details(error, correlation_id)])


def _details(error: AnalyticsError, correlation_id: str) -> list[Message]:
    found: list[Message] = [
        details.ErrorInfo(reason=error.code, domain=DOMAIN, metadata={"correlation_id": correlation_id}),
        details.RequestInfo(request_id=correlation_id),
    ]
    if error.suggested_actions:
        links = [details.Help.Link(description=clean_message(action)) for action in error.suggested_actions]
        found.append(details.Help(links=links))
    if error.retry_after is not None:
        retry = details.RetryInfo()
        retry.retry_delay.FromMilliseconds(round(error.retry_after * 1000))
        found.append(retry)
    return found


def _packed(detail: Message) -> Packed:
    packed = Packed()
    packed.Pack(detail)
    return packed
