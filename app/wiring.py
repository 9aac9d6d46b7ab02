"""The composition root: which adapter stands behind each port. Each function opens one thing and closes it again.

Imports are inside, so that a process loads only the drivers of the things that it opens.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from app.settings import Settings
from domain.access.rights import NONE_STORED, Tier
from domain.errors import Invalid

if TYPE_CHECKING:
    from adapters.auth.tokens import TokenIssuer, TokenVerifier
    from adapters.delivery.channels import Channels
    from adapters.nats.bus import NatsBus
    from adapters.postgres.configuration_store.event_store import PostgresEventStore
    from adapters.postgres.configuration_store.relay import PostgresRelayProgress
    from adapters.postgres.read_models.builder import PostgresBuild, PostgresVersions
    from adapters.postgres.read_models.projection_store import PostgresProjectionStore
    from adapters.postgres.read_models.read_store import PostgresReadStore
    from adapters.postgres.tables.alerts import PostgresAlerts
    from adapters.postgres.tables.event_index import PostgresDecisions, PostgresEventIndex
    from adapters.postgres.tables.pipeline_figures import PostgresPipelineFigures
    from adapters.postgres.tables.schedule_runs import PostgresRuns
    from adapters.postgres.tables.seals import PostgresSeals
    from command_api.command_handler import CommandHandler
    from domain.access.rights import Authenticate
    from domain.access.sessions import Sessions
    from domain.audit import Trail
    from domain.ports import EventLog
    from eventlog.intake.event_tokens import EventTokens
    from eventlog.search.event_detail import EventDetails
    from eventlog.search.search import EventSearch
    from projections.engine.declare.projection import Projection
    from projections.engine.query.compared import Comparing


class _Closable(Protocol):
    async def close(self) -> None: ...


C = TypeVar("C", bound=_Closable)


@asynccontextmanager
async def closed_at_end(part: C) -> AsyncIterator[C]:
    """The part, which is closed when this ends."""
    try:
        yield part
    finally:
        await part.close()


def event_log(settings: Settings) -> AbstractAsyncContextManager[EventLog]:
    """The event log: Kafka where brokers are named, otherwise the table in PostgreSQL."""
    return closed_at_end(_event_log(settings))


def _event_log(settings: Settings) -> EventLog:
    if settings.kafka_bootstrap_servers:
        from adapters.kafka.log import KafkaEventLog
        from adapters.kafka.settings import KafkaSettings

        return KafkaEventLog(
            KafkaSettings(
                bootstrap_servers=settings.kafka_bootstrap_servers,
                security_protocol=settings.kafka_security,
                sasl_mechanism=settings.kafka_sasl_mechanism,
                sasl_username=settings.kafka_username or None,
                sasl_password=settings.kafka_password or None,
                ca_file=settings.kafka_ca_file or None,
                retention_ms=settings.kafka_retention_ms,
            )
        )
    from adapters.postgres.log.log import EmbeddedLog

    return EmbeddedLog(settings.database_url)


SHORTEST_SECRET = 32  # characters: 128 bits where they are hexadecimal
NOISE_KEY, WEBHOOK_KEY = "comparison-noise.pem", "webhooks.pem"
DRAIN = 1.5  # seconds that a process that ends gives the log to take what waits for it


@asynccontextmanager
async def trail(settings: Settings, log: EventLog) -> AsyncIterator[Trail]:
    """The audit trail on this log. What the log has not taken at the end is kept in the data folder."""
    from adapters.files.audit_spill import SpillFiles
    from eventlog.publish.audit_writer import LogTrail, NoTrail

    if not settings.trail_notes:
        yield NoTrail()
        return
    opened = LogTrail(log, SpillFiles(settings.data / "trail"), most=settings.trail_notes)
    opened.open()
    try:
        yield opened
    finally:
        await opened.close(DRAIN)


@contextmanager
def spans(settings: Settings, role: str) -> Iterator[None]:
    """Spans for as long as this lasts, where a collector is named."""
    if not settings.otlp_endpoint:
        yield
        return
    from adapters.telemetry.spans import OtlpTracer
    from domain.request import tracing

    tracer = OtlpTracer(settings.otlp_endpoint, role, settings.trace_share)
    tracing.install(tracer)
    try:
        yield
    finally:
        tracing.install(None)
        tracer.close()


def event_index(settings: Settings) -> AbstractAsyncContextManager[PostgresEventIndex]:
    """The sparse index of the log."""
    from adapters.postgres.tables.event_index import PostgresEventIndex

    return closed_at_end(PostgresEventIndex(settings.database_url))


@asynccontextmanager
async def event_search(settings: Settings, log: EventLog) -> AsyncIterator[EventSearch]:
    """Searches of the log by its index."""
    from eventlog.search.search import EventSearch

    async with event_index(settings) as index:
        yield EventSearch(log, index)


def decisions(settings: Settings) -> AbstractAsyncContextManager[PostgresDecisions]:
    """The projector's decisions on events."""
    from adapters.postgres.tables.event_index import PostgresDecisions

    return closed_at_end(PostgresDecisions(settings.database_url))


def relay_progress(settings: Settings) -> AbstractAsyncContextManager[PostgresRelayProgress]:
    """How far the relay is."""
    from adapters.postgres.configuration_store.relay import PostgresRelayProgress

    return closed_at_end(PostgresRelayProgress(settings.database_url))


@asynccontextmanager
async def event_details(settings: Settings, log: EventLog) -> AsyncIterator[tuple[EventSearch, EventDetails]]:
    """Searches of the log, and the stories of single events that are told by them."""
    from eventlog.search.event_detail import EventDetails

    async with event_search(settings, log) as search, decisions(settings) as decided:
        yield search, EventDetails(search, decided)


@asynccontextmanager
async def live_bus(settings: Settings) -> AsyncIterator[NatsBus]:
    """The live bus, connecting in the background for as long as the server is away."""
    from adapters.nats.bus import NatsBus

    async with closed_at_end(await NatsBus.connect(settings.nats_url)) as bus:
        yield bus


@asynccontextmanager
async def read_store(settings: Settings) -> AsyncIterator[PostgresReadStore]:
    """Read models for queries."""
    from adapters.postgres.read_models.read_store import PostgresReadStore

    store = PostgresReadStore(
        settings.reader_url,
        connections=settings.read_connections,
        timeout=settings.query_seconds,
        member_url=settings.member_url,
    )
    await store.open()
    async with closed_at_end(store):
        yield store


@asynccontextmanager
async def comparing(settings: Settings) -> AsyncIterator[Comparing]:
    """Sets companies beside those that agreed to it. Raises Invalid for a secret of the noise that is too short."""
    from adapters.postgres.tables.consents import PostgresConsents
    from projections.engine.query.compared import Comparing

    _check_secret("ANALYTICS_NOISE_SECRET", settings.noise_secret)
    async with closed_at_end(PostgresConsents(settings.reader_url)) as consents:
        yield Comparing(consents, partial(_secret, settings, settings.noise_secret, NOISE_KEY))


def _check_secret(name: str, secret: str) -> None:
    if secret and len(secret) < SHORTEST_SECRET:
        raise Invalid(
            f"{name} must have at least {SHORTEST_SECRET} characters",
            code="bad_setting",
            suggested_actions=("Make one with `openssl rand -hex 32`, the same for all processes.",),
        )


def _secret(settings: Settings, secret: str, key: str) -> bytes:
    """That of the settings, or a key of the data folder, which is made if it is missing."""
    from adapters.files.key_pair import load_or_create

    return secret.encode() or load_or_create(keys(settings) / key).private_bytes_raw()


def schedule_runs(settings: Settings) -> AbstractAsyncContextManager[PostgresRuns]:
    """Runs of report schedules."""
    from adapters.postgres.tables.schedule_runs import PostgresRuns

    return closed_at_end(PostgresRuns(settings.database_url, settings.lease_seconds))


def alerts(settings: Settings) -> AbstractAsyncContextManager[PostgresAlerts]:
    """Watches of alert rules, and their notices."""
    from adapters.postgres.tables.alerts import PostgresAlerts

    return closed_at_end(PostgresAlerts(settings.database_url, settings.lease_seconds))


def webhook_secret(settings: Settings) -> bytes:
    """What the secrets of webhooks are made of. Raises Invalid for one that is too short."""
    _check_secret("ANALYTICS_WEBHOOK_SECRET", settings.webhook_secret)
    return _secret(settings, settings.webhook_secret, WEBHOOK_KEY)


def deliveries(settings: Settings) -> Channels:
    """What sends reports and notices. Raises Invalid for settings that are none."""
    from adapters.delivery.channels import Channels
    from adapters.delivery.mail import Mail, server_of
    from adapters.delivery.public_network import PublicNetwork, named_hosts
    from adapters.delivery.webhook import Webhooks

    network = PublicNetwork(named_hosts(settings.delivery_hosts))
    mail = Mail(server_of(settings.smtp_url), settings.mail_from) if settings.smtp_url else None
    return Channels(Webhooks(network, webhook_secret(settings)), mail)


def event_store(settings: Settings) -> AbstractAsyncContextManager[PostgresEventStore]:
    """The event store of the aggregates."""
    from adapters.postgres.configuration_store.event_store import PostgresEventStore

    return closed_at_end(PostgresEventStore(settings.database_url))


@asynccontextmanager
async def command_handler(settings: Settings) -> AsyncIterator[CommandHandler]:
    """What takes commands."""
    from app.vocabulary import RegisteredVocabulary
    from command_api.command_handler import CommandHandler

    async with event_store(settings) as store:
        more = filter(None, map(str.strip, settings.currencies.split(",")))
        yield CommandHandler(store, RegisteredVocabulary(frozenset(more), partial(_exists, settings, store)))


async def _exists(settings: Settings, store: PostgresEventStore, company: str) -> bool:
    """Whether a company has decided anything, or any projection has a row of it."""
    from domain.configuration.registry import company_aggregate_id
    from domain.errors import NO_TABLES, Unavailable
    from projections.engine.declare.registry import all_projections

    if await store.events(company_aggregate_id(company), 0):
        return True
    async with read_store(settings) as rows:
        for projection in all_projections().values():
            for table in projection.tables:
                one = f"SELECT 1 AS one FROM {{{table.name}}} WHERE company_id = %s LIMIT 1"
                try:
                    if (await rows.ask(company, projection.name, one, (company,))).rows:
                        return True
                except Unavailable as error:
                    if error.code != NO_TABLES:
                        raise
    return False


def pipeline_figures(settings: Settings) -> AbstractAsyncContextManager[PostgresPipelineFigures]:
    """What the pipeline has done."""
    from adapters.postgres.tables.pipeline_figures import PostgresPipelineFigures

    return closed_at_end(PostgresPipelineFigures(settings.database_url))


def projection_store(settings: Settings) -> PostgresProjectionStore:
    """Rows and positions of projections; opens its connection at first use."""
    from adapters.postgres.read_models.projection_store import PostgresProjectionStore

    return PostgresProjectionStore(settings.database_url)


def versions(settings: Settings) -> PostgresVersions:
    """The stored versions of projections; opens its connection at first use."""
    from adapters.postgres.read_models.builder import PostgresVersions

    return PostgresVersions(settings.database_url)


def build(settings: Settings, stored: Projection) -> PostgresBuild:
    """A version that is being built; opens its connection at first use."""
    from adapters.postgres.read_models.builder import PostgresBuild

    return PostgresBuild(settings.database_url, stored)


def seals(settings: Settings) -> AbstractAsyncContextManager[PostgresSeals]:
    """The seals of the log's blocks."""
    from adapters.postgres.tables.seals import PostgresSeals

    return closed_at_end(PostgresSeals(settings.database_url))


def keys(settings: Settings) -> Path:
    """Where the private keys of this data folder are."""
    return settings.data / "keys"


def token_issuer(settings: Settings) -> TokenIssuer:
    """Signs tokens with the key of the data folder, which is made if it is missing.

    Raises Invalid, Defect or Unavailable for a key that others can read, is none or cannot be made.
    """
    from adapters.auth.keys import signing_key
    from adapters.auth.tokens import TokenIssuer

    return TokenIssuer(signing_key(keys(settings)), settings.auth_issuer, settings.auth_audience)


@asynccontextmanager
async def authenticator(settings: Settings) -> AsyncIterator[Authenticate]:
    """Turns a bearer token into a principal, by the keys of the settings or of the data folder, and by stored tiers."""
    from adapters.postgres.tables.tiers import PostgresTiers

    async with PostgresTiers(settings.database_url).followed() as tiers:
        yield _verifier(settings, tiers)


def sessions(settings: Settings) -> AbstractAsyncContextManager[Sessions]:
    """Sessions of the pages."""
    from adapters.postgres.tables.sessions import PostgresSessions

    return closed_at_end(PostgresSessions(settings.database_url))


def event_tokens(settings: Settings) -> EventTokens | None:
    """Who judges the tokens on events; None where they are ignored."""
    from eventlog.intake.event_tokens import EventTokenMode, EventTokens

    if settings.event_tokens == EventTokenMode.IGNORED:
        return None
    required = settings.event_tokens == EventTokenMode.REQUIRED
    return EventTokens(_verifier(settings).whose, required=required)


def _verifier(settings: Settings, stored_tiers: Mapping[str, Tier] = NONE_STORED) -> TokenVerifier:
    from adapters.auth.jwks import keys_of
    from adapters.auth.keys import signing_key
    from adapters.auth.tokens import TokenVerifier

    trusted = keys_of(settings.auth_jwks) if settings.auth_jwks else signing_key(keys(settings)).public()
    return TokenVerifier(trusted, settings.auth_issuer, settings.auth_audience, stored_tiers=stored_tiers)
