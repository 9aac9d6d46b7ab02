"""Health and status over gRPC are those over HTTP."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from services import operations_pb2 as operations

from app.serving.grpc_server import Handlers
from domain.errors import Unavailable
from read_api.grpc.operations import Operations
from tests.read_api.grpc.serving import refused, service, serving, signed_in

STATUSES: list[dict[str, object]] = [
    {
        "name": "user_activity",
        "version": 1,
        "state": "live",
        "position": "user-behavior:0=7",
        "lag_events": 3,
        "lag_seconds": 0.25,
        "rate": None,
        "error": None,
    },
    {
        "name": "trading",
        "version": 2,
        "state": "stopped",
        "position": "",
        "lag_events": 0,
        "lag_seconds": 0.0,
        "rate": 12.5,
        "error": "too many bad events",
    },
]
LOG_IS_DOWN = {"name": "log", "status": "down", "detail": "no broker answers"}
HEALTH: dict[str, object] = {
    "live": True,
    "ready": False,
    "version": "0.1.0",
    "uptime_seconds": 1.5,
    "components": [LOG_IS_DOWN],
    "projections": STATUSES,
    "average_query_ms": 0.4,
    "quarantined": 0,
    "completeness": None,
    "something_of_http_alone": 1,
}


async def statuses() -> list[dict[str, object]]:
    return STATUSES


async def health() -> dict[str, object]:
    return HEALTH


def handlers() -> Handlers:
    side = Operations(statuses, health)
    return {"GetProjectionStatus": side.get_projection_status, "HealthCheck": side.health_check}


async def test_projection_statuses_are_sorted_and_complete() -> None:
    """Every member of the JSON entry, missing where it is null."""
    async with serving(handlers()) as channel:
        answer = await service(channel).GetProjectionStatus(
            operations.GetProjectionStatusRequest(), metadata=signed_in("engineer")
        )
    assert [status.name for status in answer.projections] == ["trading", "user_activity"]
    assert answer.projections[0].error == "too many bad events"
    assert not answer.projections[1].HasField("rate")
    assert answer.projections[1].lag_events == 3


async def test_projections_are_chosen_by_name() -> None:
    """Those named; a name that no projection has is NOT_FOUND, not left out in silence."""
    async with serving(handlers()) as channel:
        stub, who = service(channel), signed_in("engineer")
        answer = await stub.GetProjectionStatus(operations.GetProjectionStatusRequest(names=["trading"]), metadata=who)
        assert [status.name for status in answer.projections] == ["trading"]
        error = await refused(
            stub.GetProjectionStatus(operations.GetProjectionStatusRequest(names=["trading", "nope"]), metadata=who)
        )
    assert (error.code(), error.details()) == (grpc.StatusCode.NOT_FOUND, "there is no projection nope")


async def test_health_has_the_figures_that_are_known() -> None:
    """0 is a figure, null is none, and what only HTTP answers is left out."""
    async with serving(handlers()) as channel:
        answer = await service(channel).HealthCheck(operations.HealthCheckRequest(), metadata=signed_in("operator"))
    assert (answer.live, answer.ready, answer.version) == (True, False, "0.1.0")
    assert answer.HasField("quarantined")
    assert answer.quarantined == 0
    assert not answer.HasField("completeness")
    assert json_format.MessageToDict(answer.components[0]) == LOG_IS_DOWN
    assert len(answer.projections) == 2


@pytest.mark.parametrize("rpc", ["HealthCheck", "GetProjectionStatus"])
async def test_a_store_that_does_not_answer_is_said_so(rpc: str) -> None:
    """UNAVAILABLE: trying again may help."""

    async def down() -> Any:
        raise Unavailable("the store does not answer")

    side = Operations(down, down)
    offered: Handlers = {"GetProjectionStatus": side.get_projection_status, "HealthCheck": side.health_check}
    async with serving(offered) as channel:
        request = operations.HealthCheckRequest() if rpc == "HealthCheck" else operations.GetProjectionStatusRequest()
        error = await refused(getattr(service(channel), rpc)(request, metadata=signed_in("viewer")))
    assert error.code() == grpc.StatusCode.UNAVAILABLE
