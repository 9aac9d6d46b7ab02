"""The collaborators of the read side, the same for HTTP, WebSocket and gRPC. No web framework here: gRPC needs none."""

from __future__ import annotations

from dataclasses import dataclass

from domain.access.rate_limits import Rates
from domain.access.rights import Authenticate
from domain.audit import Trail
from eventlog.search.event_detail import Stories
from eventlog.search.search import EventSearch
from read_api.answers.questions import Questions
from read_api.health.health import Health
from read_api.health.projection_status import ProjectionStatuses
from read_api.health.prometheus import Metrics
from read_api.http.past import PastDesk
from read_api.live.changes import Movements


@dataclass(frozen=True, slots=True)
class ReadSide:
    """What the read API answers from."""

    questions: Questions
    past: PastDesk
    statuses: ProjectionStatuses
    health: Health
    movements: Movements
    metrics: Metrics
    search: EventSearch
    stories: Stories
    authenticate: Authenticate
    trail: Trail
    rates: Rates
