"""The collaborators of the read side, the same for HTTP, WebSocket and gRPC. No web framework here: gRPC needs none."""

from __future__ import annotations

from dataclasses import dataclass

from domain.access.rate_limits import Rates
from domain.access.rights import Authenticate
from domain.audit import Trail
from read_api.health import Health
from read_api.history.search import EventSearch
from read_api.history.story import Stories
from read_api.metric_defs import Metrics
from read_api.movements import Movements
from read_api.past import PastDesk
from read_api.questions import Questions
from read_api.status import ProjectionStatuses


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
