"""How the service is and how far its projections have got: the same figures as over HTTP, in protobuf.

Both doors are given the same two functions, whose JSON members have the names of the message fields.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from google.protobuf import json_format
from google.protobuf.message import Message
from services import operations_pb2 as operations

from domain.access.rights import Right, require
from domain.errors import NotFound
from domain.request.caller import Caller
from read_api.health.projection_status import Status, health_seen_by, visible_to

M = TypeVar("M", bound=Message)

# One entry a projection version: name, version, state, position, lag_events, lag_seconds, rate, error.
Statuses = Callable[[], Awaitable[Sequence[Status]]]
# The body of `GET /api/v1/health`.
Health = Callable[[], Awaitable[Mapping[str, Any]]]


class Operations:
    """Handlers of GetProjectionStatus and HealthCheck."""

    def __init__(self, statuses: Statuses, health: Health) -> None:
        self._statuses = statuses
        self._health = health

    async def get_projection_status(
        self, request: operations.GetProjectionStatusRequest, caller: Caller
    ) -> operations.GetProjectionStatusResponse:
        """State of the projections named, or of all; raises NotFound for a name that no projection has."""
        require(caller.principal, Right.STATUS)
        found = [_status(entry) for entry in visible_to(caller.principal, await self._statuses())]
        if missing := set(request.names) - {status.name for status in found}:
            raise NotFound(f"there is no projection {', '.join(sorted(missing))}", code="unknown_projection")
        wanted = [status for status in found if not request.names or status.name in request.names]
        wanted.sort(key=lambda status: (status.name, status.version))
        return operations.GetProjectionStatusResponse(projections=wanted, correlation_id=caller.correlation_id)

    async def health_check(
        self, request: operations.HealthCheckRequest, caller: Caller
    ) -> operations.HealthCheckResponse:
        """How the service is."""
        require(caller.principal, Right.STATUS)
        answer = _read(health_seen_by(caller.principal, await self._health()), operations.HealthCheckResponse())
        answer.correlation_id = caller.correlation_id
        return answer


def _status(entry: Mapping[str, object]) -> operations.ProjectionStatus:
    return _read(entry, operations.ProjectionStatus())


def _read(json: Mapping[str, object], message: M) -> M:
    """The message with the members that it knows; HTTP may answer more."""
    json_format.ParseDict(dict(json), message, ignore_unknown_fields=True)
    return message
