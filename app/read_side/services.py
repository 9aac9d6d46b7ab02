"""What the read side answers from, over HTTP and gRPC alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from app import wiring
from app.settings import Settings
from domain.access.rate_limits import Rates

if TYPE_CHECKING:
    from adapters.postgres.read_models.projection_store import PostgresProjectionStore
    from adapters.postgres.tables.seals import PostgresSeals
    from domain.access.rights import Authenticate
    from domain.access.sessions import Sessions
    from domain.audit import Trail
    from domain.ports import EventLog
    from read_api.answers.past import PastQuestions
    from read_api.answers.questions import Questions
    from read_api.answers.reports import Reports
    from read_api.dashboards.dashboards import Dashboards
    from read_api.export.exports import Exports
    from read_api.health.instance_status import InstanceStatus
    from read_api.live.changes import ProjectionChanges
    from read_api.services import ReadServices

VERSION = version("trading-analytics-service")


@asynccontextmanager
async def read_services(settings: Settings) -> AsyncIterator[tuple[ReadServices, EventLog]]:
    """What the read side answers from, over HTTP and gRPC alike: a list of parts, each begun once and ended in turn."""
    from app.read_side import answer_tiers, questions
    from eventlog.shared_call import SharedCall
    from read_api.dashboards.dashboards import Dashboards
    from read_api.health import health, prometheus
    from read_api.services import ReadServices

    with closing(wiring.projection_store(settings)) as db:
        async with (
            wiring.pipeline_figures(settings) as counts,
            wiring.event_log(settings) as log,
            wiring.event_details(settings, log) as (search, event_details),
            wiring.live_bus(settings) as bus,
            questions.listening(bus) as movements,
            _evidence(settings, log, db) as (trail, seals, instance),
            questions.questions(settings, log, movements, answer_tiers.answer_tiers(settings, bus), instance) as asked,
            questions.live_metrics(bus, asked) as live,
            _files(settings, asked, dashboards := Dashboards(asked, movements), movements) as (past, reports, exports),
            _sign_in(settings) as (authenticate, sessions),
            wiring.schedule_runs(settings) as runs,
            wiring.alerts(settings) as alerts,
        ):
            metrics, hits, statuses = prometheus.Metrics(), asked.cache.hit_rates, instance.statuses
            state = health.Health(VERSION, statuses, statuses.workers, counts, seals.problem, bus, metrics, live, hits)
            instance.health = state  # which knows the cache of those who ask the instance: so it comes after them
            reports.count = state.count_report
            instance.runs, state.scheduler = (
                runs.listing,
                SharedCall(runs.problem, "the store of runs", health.PATIENCE),
            )
            state.alerter = SharedCall(alerts.problem, "the store of alerts", health.PATIENCE)
            state.accuracy = SharedCall(instance.accuracy, "the store of seals", health.PATIENCE)
            services = ReadServices(
                questions=asked, dashboards=dashboards, past=past, statuses=statuses, health=state,
                movements=movements, live=live, metrics=metrics, search=search, event_details=event_details,
                authenticate=authenticate, sessions=sessions, trail=trail, rates=instance.rates, reports=reports,
                exports=exports,
            )  # fmt: skip
            yield services, log


@asynccontextmanager
async def _evidence(
    settings: Settings, log: EventLog, db: PostgresProjectionStore
) -> AsyncIterator[tuple[Trail, PostgresSeals, InstanceStatus]]:
    """What was done and how far it is sealed, and who tells how the instance runs."""
    from app.evidence import checkpoint_files, last_verified, rebuild_results
    from read_api.health.health import PATIENCE
    from read_api.health.instance_status import EvidenceSource, InstanceStatus
    from read_api.health.projection_status import ProjectionStatuses

    statuses = ProjectionStatuses(log, db, settings.stuck_seconds, patience=PATIENCE)
    async with wiring.trail(settings, log) as trail, wiring.seals(settings) as seals:
        files = checkpoint_files(settings).last, partial(last_verified, settings), partial(rebuild_results, settings)
        evidence = EvidenceSource(seals, *files)
        yield trail, seals, InstanceStatus(statuses, Rates(settings.rate_limits), evidence)


@asynccontextmanager
async def _sign_in(settings: Settings) -> AsyncIterator[tuple[Authenticate, Sessions]]:
    async with wiring.authenticator(settings) as authenticate, wiring.sessions(settings) as sessions:
        yield authenticate, sessions


@asynccontextmanager
async def _files(
    settings: Settings, questions: Questions, dashboards: Dashboards, movements: ProjectionChanges
) -> AsyncIterator[tuple[PastQuestions, Reports, Exports]]:
    from app.read_side.exports import exports
    from app.read_side.past import past_answers
    from app.read_side.reports import reports
    from read_api.answers.past import PastQuestions

    async with (
        past_answers(settings) as answer_past,
        reports(settings, questions, dashboards, movements) as made,
        exports(settings, questions) as files,
    ):
        yield PastQuestions(questions, answer_past), made, files
