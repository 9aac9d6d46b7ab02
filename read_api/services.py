"""The collaborators of the read side, the same for HTTP, WebSocket and gRPC. No web framework here: gRPC needs none."""

from __future__ import annotations

from dataclasses import dataclass

from domain.access.rate_limits import Rates
from domain.access.rights import Authenticate
from domain.access.sessions import Sessions
from domain.audit import Trail
from eventlog.search.event_detail import EventDetails
from eventlog.search.search import EventSearch
from read_api.answers.past import PastQuestions
from read_api.answers.questions import Questions
from read_api.answers.reports import Reports
from read_api.dashboards.dashboards import Dashboards
from read_api.export.exports import Exports
from read_api.health.health import Health
from read_api.health.projection_status import ProjectionStatuses
from read_api.health.prometheus import Metrics
from read_api.live.changes import ProjectionChanges
from read_api.live.metrics import LiveMetrics


@dataclass(frozen=True, slots=True)
class ReadServices:
    """What the read API answers from."""

    questions: Questions
    dashboards: Dashboards
    past: PastQuestions
    statuses: ProjectionStatuses
    health: Health
    movements: ProjectionChanges
    live: LiveMetrics
    metrics: Metrics
    search: EventSearch
    event_details: EventDetails
    authenticate: Authenticate
    sessions: Sessions
    trail: Trail
    rates: Rates
    reports: Reports
    exports: Exports
