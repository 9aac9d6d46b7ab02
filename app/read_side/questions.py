"""Asking with position tokens, the same for the read API's roles and the command line."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app import wiring
from app.read_side.answer_tiers import code_version
from app.settings import Settings
from domain.ports import EventLog, LiveBus
from projections.engine.query.request import InstanceFigures, Question
from projections.engine.worker_process import MODELS
from read_api.answers.cache_tiers import Tiers
from read_api.answers.position_tokens import PositionTokens
from read_api.answers.prediction_log import PredictionLog
from read_api.answers.questions import Questions
from read_api.live.changes import ProjectionChanges
from read_api.live.metrics import LiveMetrics


@asynccontextmanager
async def position_tokens(
    settings: Settings, log: EventLog, movements: ProjectionChanges
) -> AsyncIterator[PositionTokens]:
    """Reads position tokens."""
    async with wiring.relay_progress(settings) as relay:
        yield PositionTokens(relay, log.heads, movements)


@asynccontextmanager
async def listening(bus: LiveBus) -> AsyncIterator[ProjectionChanges]:
    """Hears what moves."""
    movements = ProjectionChanges(bus)
    movements.start()
    try:
        yield movements
    finally:
        await movements.stop()


@asynccontextmanager
async def live_metrics(bus: LiveBus, questions: Questions) -> AsyncIterator[LiveMetrics]:
    """Reads what the live lane says."""

    async def currency(company: str) -> str:
        found = await questions.answer(Question("company_profile", company, {}, questions.now()))
        return str(found["rows"][0]["currency"])

    live = LiveMetrics(bus, currency)
    live.start()
    try:
        yield live
    finally:
        await live.stop()


@asynccontextmanager
async def questions(
    settings: Settings,
    log: EventLog,
    movements: ProjectionChanges,
    tiers: Tiers | None = None,
    instance: InstanceFigures | None = None,
) -> AsyncIterator[Questions]:
    """Answers questions, at the position that they need; with `tiers`, where answers are found, too.

    `instance`: who knows how it runs, for the questions about that.
    """
    async with (
        wiring.read_store(settings) as store,
        wiring.comparing(settings) as comparing,
        position_tokens(settings, log, movements) as tokens,
    ):
        recorded, patience = PredictionLog(log).record, settings.position_wait
        try:
            yield Questions(
                store,
                movements,
                tokens,
                patience=patience,
                record=recorded,
                comparing=comparing,
                instance=instance,
                of_member=store.of_member,
                tiers=tiers,
                code=code_version() if tiers else "",
            )
        finally:
            MODELS.stop()  # nobody waits for a model any more
