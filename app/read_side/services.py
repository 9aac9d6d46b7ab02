"""What the read side answers from, over HTTP and gRPC alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from importlib.metadata import version
from typing import TYPE_CHECKING

from app import wiring
from app.settings import Settings
from domain.access.rate_limits import Rates

if TYPE_CHECKING:
    from domain.ports import EventLog
    from read_api.answers.past import PastQuestions
    from read_api.answers.questions import Questions
    from read_api.services import ReadServices

VERSION = version("trading-analytics-service")


@asynccontextmanager
async def read_services(settings: Settings) -> AsyncIterator[tuple[ReadServices, EventLog]]:
    """What the read side answers from, over HTTP and gRPC alike."""
    from app.read_side import answer_tiers, questions
    from read_api.dashboards.dashboards import Dashboards
    from read_api.health.health import PATIENCE, Health
    from read_api.health.projection_status import ProjectionStatuses
    from read_api.health.prometheus import Metrics
    from read_api.services import ReadServices

    with closing(wiring.projection_store(settings)) as projection_store:
        async with (
            wiring.pipeline_figures(settings) as figures,
            wiring.event_log(settings) as log,
            wiring.event_details(settings, log) as (search, event_details),
            wiring.live_bus(settings) as bus,
            questions.listening(bus) as movements,
            questions.questions(settings, log, movements, answer_tiers.answer_tiers(settings, bus)) as asked,
            questions.live_metrics(bus, asked) as live,
            wiring.trail(settings, log) as trail,
            wiring.seals(settings) as seals,
            _past_questions(settings, asked) as past,
            wiring.authenticator(settings) as authenticate,
        ):
            metrics, rates = Metrics(), asked.cache.hit_rates
            statuses = ProjectionStatuses(log, projection_store, settings.stuck_seconds, patience=PATIENCE)
            side = ReadServices(
                questions=asked,
                dashboards=Dashboards(asked, movements),
                past=past,
                statuses=statuses,
                health=Health(VERSION, statuses, statuses.workers, figures, seals.problem, bus, metrics, live, rates),
                movements=movements,
                live=live,
                metrics=metrics,
                search=search,
                event_details=event_details,
                authenticate=authenticate,
                trail=trail,
                rates=Rates(settings.rate_limits),
            )
            yield side, log


@asynccontextmanager
async def _past_questions(settings: Settings, questions: Questions) -> AsyncIterator[PastQuestions]:
    from app.read_side.past import past_answers
    from read_api.answers.past import PastQuestions

    async with past_answers(settings) as answer_past:
        yield PastQuestions(questions, answer_past)
