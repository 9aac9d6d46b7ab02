"""The process roles: what each one opens, how it says that it is ready, how it drains.

A role runs until `stop` is set. Several may run in one process; `up` gives each a process of its own, so that a burst
of events at one door never slows the reads at another.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from importlib.metadata import version
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from app import wiring
from app.settings import Settings
from domain.access.rate_limits import Rates
from domain.events import upcasting
from eventlog import tasks

if TYPE_CHECKING:
    from domain.ports import EventLog
    from read_api.services import ReadServices

Ready = Callable[[int], None]  # called with the port, 0 where there is none
Serve = Callable[[Settings, asyncio.Event, Ready], Awaitable[None]]

STAND_BY = 2.0  # seconds between two looks of a role that another process has at the moment
logger = logging.getLogger(__name__)

VERSION = version("trading-analytics-service")


@dataclass(frozen=True, slots=True)
class Role:
    """A process role: what it does, how to serve it, and the variable of its port."""

    name: str
    summary: str
    serve: Serve
    port_variable: str | None = None


@asynccontextmanager
async def read_side(settings: Settings) -> AsyncIterator[tuple[ReadServices, EventLog]]:
    """What the read side answers from, over HTTP and gRPC alike."""
    from app.roles.past import past_answers
    from app.roles.questions import listening
    from app.roles.questions import questions as asking
    from read_api.health.health import PATIENCE, Health
    from read_api.health.projection_status import ProjectionStatuses
    from read_api.health.prometheus import Metrics
    from read_api.http.past import PastQuestions
    from read_api.services import ReadServices

    with closing(wiring.projection_store(settings)) as projection_store:
        async with (
            wiring.pipeline_figures(settings) as figures,
            wiring.event_log(settings) as log,
            wiring.event_details(settings, log) as (search, event_details),
            wiring.live_bus(settings) as bus,
            listening(bus) as movements,
            asking(settings, log, movements) as questions,
            wiring.trail(settings, log) as trail,
            wiring.seals(settings) as seals,
            past_answers(settings) as tell,
            wiring.authenticator(settings) as authenticate,
        ):
            metrics = Metrics()
            statuses = ProjectionStatuses(log, projection_store, settings.stuck_seconds, patience=PATIENCE)
            side = ReadServices(
                questions=questions,
                past=PastQuestions(questions, tell),
                statuses=statuses,
                health=Health(VERSION, statuses, statuses.workers, figures, seals.problem, bus, metrics),
                movements=movements,
                metrics=metrics,
                search=search,
                event_details=event_details,
                authenticate=authenticate,
                trail=trail,
                rates=Rates(settings.rate_limits),
            )
            yield side, log


async def read_api(settings: Settings, stop: asyncio.Event, ready: Ready) -> None:
    """HTTP queries, live figures and pages."""
    from app.serving.audit_middleware import AuditMiddleware
    from app.serving.gate import Gate
    from app.serving.http_server import serve_http
    from app.serving.routing import routes_of
    from app.serving.tls import certificate_files
    from read_api.http.app import create_app
    from read_api.http.problems import problem

    files = certificate_files(settings)
    async with read_side(settings) as (side, _):
        gate = Gate(side.authenticate, side.trail, side.rates)
        application = create_app(side)
        middleware = AuditMiddleware(application, routes_of(application), gate, problem, side.metrics.request)
        await serve_http(middleware, settings.host, settings.read_port, stop, ready, files)


async def command_api(settings: Settings, stop: asyncio.Event, ready: Ready) -> None:
    """Commands and events over HTTP."""
    from app.publisher import ingest
    from app.serving.audit_middleware import AuditMiddleware
    from app.serving.gate import Gate
    from app.serving.http_server import serve_http
    from app.serving.routing import routes_of
    from app.serving.tls import certificate_files
    from command_api.answers import document_of
    from command_api.health import Health
    from command_api.http import create_app

    files = certificate_files(settings)
    async with (
        ingest(settings) as doors,
        wiring.command_handler(settings) as handler,
        wiring.event_log(settings) as log,
        wiring.live_bus(settings) as bus,
        wiring.trail(settings, log) as trail,
        wiring.authenticator(settings) as authenticate,
    ):
        health = Health({"log": lambda: log.heads("trading-events"), "bus": bus.flush, "event-store": handler.check})
        rates = Rates(settings.rate_limits)
        application = create_app(
            ingest=doors,
            command_handler=handler,
            health=health,
            rates=rates,
            upload_seconds=settings.upload_seconds,
        )
        gate = Gate(authenticate, trail, rates)
        middleware = AuditMiddleware(application, routes_of(application), gate, document_of)
        await serve_http(middleware, settings.host, settings.command_port, stop, ready, files)


async def grpc(settings: Settings, stop: asyncio.Event, ready: Ready) -> None:
    """All RPCs: the read side's and the write side's handlers behind one port."""
    from app.evidence import evidence
    from app.publisher import ingest
    from app.serving.gate import Gate
    from app.serving.grpc_server import Tls, grpc_server
    from app.serving.tls import certificate_files
    from command_api.grpc_publish import publishing
    from read_api.grpc import handlers
    from read_api.grpc.verify import verifying

    files = certificate_files(settings)
    async with read_side(settings) as (side, log), ingest(settings) as doors, evidence(settings) as kept:
        reading = handlers(side.search, side.statuses, side.health, side.questions)
        server = grpc_server(
            [reading, {"VerifyLog": verifying(log, kept)}, {"Publish": publishing(doors, side.rates)}],
            Gate(side.authenticate, side.trail, side.rates),
            address=f"{settings.host}:{settings.grpc_port}",
            tls=Tls(*files.read()) if files else None,
        )
        await server.start()
        ready(server.port)
        await stop.wait()
        await server.stop(2.0)


async def projector(settings: Settings, stop: asyncio.Event, ready: Ready) -> None:
    """Folds the log into read models, sharing the partitions with the other projectors."""
    os.environ.setdefault("POLARS_MAX_THREADS", "1")  # read when Polars is loaded; more processes instead of threads
    from projections.engine.declare.registry import all_projections
    from projections.engine.project.cohort import Limits
    from projections.engine.project.projector import Projector

    async with wiring.event_log(settings) as log, wiring.live_bus(settings) as bus:
        worker = Projector(
            list(all_projections().values()),
            log,
            lambda: wiring.projection_store(settings),
            bus,
            Limits(batch=settings.batch, poison=settings.poison_limit, tokens=wiring.event_tokens(settings)),
        )
        working = tasks.owned(worker.run(), "the projector")
        ready(0)
        try:
            await tasks.first(asyncio.wait({working}), stop.wait(), _until_stuck(worker.idle, settings.stuck_seconds))
        finally:
            worker.stop()
            await working


async def _until_stuck(idle: Callable[[], float], seconds: float) -> None:
    """End this process when its work rests for so long: a call that hangs in a thread can be ended in no other way.

    A crash loses nothing, and whoever supervises starts it again.
    """
    while idle() < seconds:  # noqa: ASYNC110  # nothing can tell that nothing happens
        await asyncio.sleep(1.0)
    logger.critical("no progress for %.0f s: this process ends, to be started again", seconds)
    logging.shutdown()
    os._exit(70)


async def sealer(settings: Settings, stop: asyncio.Event, ready: Ready) -> None:
    """Seals the log and signs checkpoints; a second one in the same data folder stands by."""
    from adapters.files.checkpoint_key import key_id, signing_key
    from app.evidence import checkpoint_files, only_sealer
    from domain.events.catalogue import STREAMS
    from eventlog.seals.sealer import Sealer, waited

    key = signing_key(wiring.keys(settings))
    ready(0)
    while not stop.is_set():
        with only_sealer(settings) as alone:
            if not alone:
                await waited(stop, STAND_BY)
                continue
            async with wiring.event_log(settings) as log, wiring.seals(settings) as seals:
                files, name = checkpoint_files(settings), key_id(key.public_key())
                await Sealer(log, seals, files, name, key.sign, settings.seal_seconds).run(STREAMS, stop)


async def indexer(settings: Settings, stop: asyncio.Event, ready: Ready) -> None:
    """Keeps the sparse index of the log, by which auditors' searches pass over most of it."""
    from domain.events.catalogue import STREAMS
    from eventlog.search.indexer import index

    async with wiring.event_log(settings) as log, wiring.event_index(settings) as kept:
        ready(0)
        await tasks.keep(
            lambda: index(log, kept, STREAMS, stop), "the index of the log"
        )  # servers that go away come back


async def relay(settings: Settings, stop: asyncio.Event, ready: Ready) -> None:
    """Carries what was decided from the event store to the log; a second one stands by."""
    from adapters.postgres.configuration_store.relay import PostgresRelayedStore
    from domain.errors import Unavailable
    from eventlog.relay.ports import RELAYED
    from eventlog.relay.relay import Relay

    async with wiring.event_log(settings) as log, wiring.live_bus(settings) as bus:

        async def announce() -> None:
            with suppress(Unavailable):  # whoever waits looks by itself, too
                await bus.publish(RELAYED, b"")

        ready(0)
        await Relay(PostgresRelayedStore(settings.database_url), log, announce).run(stop)


async def demo(settings: Settings, stop: asyncio.Event, ready: Ready) -> None:
    """Keeps the sample data moving."""
    from app.demo.moving import keep_moving

    await keep_moving(settings, stop, ready)


ROLES: Mapping[str, Role] = MappingProxyType(
    {
        role.name: role
        for role in (
            Role("read-api", "queries over HTTP, live figures, pages", read_api, "ANALYTICS_READ_PORT"),
            Role("command-api", "takes commands and events over HTTP", command_api, "ANALYTICS_COMMAND_PORT"),
            Role("grpc", "all RPCs", grpc, "ANALYTICS_GRPC_PORT"),
            Role("projector", "folds the log into read models", projector),
            Role("relay", "carries the configuration's events from the event store to the log", relay),
            Role("sealer", "seals the log against tampering and signs checkpoints", sealer),
            Role("indexer", "keeps the index that searches of the log go by", indexer),
            Role("demo", "publishes made-up events of the sample companies", demo),
        )
    }
)


async def serve(names: list[str], settings: Settings, stop: asyncio.Event, ready: Callable[[str, int], None]) -> None:
    """Serve these roles in this process until `stop`; the first that fails stops the others and is raised."""

    upcasting.check()

    async def one(name: str) -> Any:
        try:
            await ROLES[name].serve(settings, stop, lambda port: ready(name, port))
        finally:
            stop.set()

    with wiring.spans(settings, "+".join(names)):
        outcomes = await asyncio.gather(*(one(name) for name in names), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
