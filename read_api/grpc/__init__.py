"""The read side over gRPC: handlers by name of the RPC, for the server that `app` puts together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from read_api.grpc.event_history import EventHistory
from read_api.grpc.operations import Health, Operations, Statuses
from read_api.history.search import EventSearch


def handlers(search: EventSearch, statuses: Statuses, health: Health) -> Mapping[str, Any]:
    """Name of the RPC → handler, for every RPC that the read side serves."""
    history = EventHistory(search)
    operations = Operations(statuses, health)
    return {
        "StreamEvents": history.stream_events,
        "GetEvent": history.get_event,
        "GetProjectionStatus": operations.get_projection_status,
        "HealthCheck": operations.health_check,
    }
