"""The OpenAPI 3.1 description of the read API: shapes of answers, declared once, and the settings of its generation."""

from __future__ import annotations

from datetime import datetime
from types import GenericAlias
from typing import Annotated, Any, Literal

import msgspec
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Components, Contact, License, SecurityScheme
from msgspec import UNSET, UnsetType

from domain.configuration.company import Calendar
from domain.problem_documents import MEDIA_TYPE, Problem
from projections.engine.query.answer_row import camel_case, struct
from projections.engine.query.composed import STAMP, Composed
from projections.engine.query.plain import Query
from projections.engine.query.request import Answerable

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Period(msgspec.Struct):
    """From a moment up to another (exclusive), UTC; null where it is open."""

    begin: Moment | None = msgspec.field(name="from")
    end: Moment | None = msgspec.field(name="to")


class StandsFor(msgspec.Struct, kw_only=True):
    """What every answer says of itself: about which period, whose definition, at which position (UTC moment), how far
    behind in ms. `limited`: what kept it from being more, `limit` (rows were left out) or `tier` (of the past).
    `unknown`: names, by parameter, that the question is limited to and of which nothing is known. `calendar`: by which
    days, weeks, months and years were cut; null where the answer rests on none.
    """

    query: str
    period: Period
    limited: list[Literal["limit", "tier"]]
    unknown: dict[str, str]
    calendar: Calendar | None
    definition_version: int
    position: str
    as_of: Moment | None
    complete: bool
    lag_ms: int


class Answer(StandsFor, kw_only=True):
    """Rows of a query and what they stand for. Some queries add members, such as next_cursor."""

    rows: list[dict[str, Any]]


class Parameter(msgspec.Struct):
    """A parameter of a query."""

    name: str
    meaning: str
    required: bool


class RegisteredQuery(msgspec.Struct):
    """A query that can be asked by name, and the right that it needs; `projection`: whose rows it reads, if one's."""

    name: str
    summary: str
    right: str
    projection: str | None
    params: list[Parameter]


class RegisteredQueries(msgspec.Struct):
    """All queries that can be asked by name."""

    queries: list[RegisteredQuery]


class FailureFigures(msgspec.Struct):
    """Why a projection does not get on: the error's code, the event behind it, the worker, since when (UTC)."""

    category: str
    message: str
    topic: str
    worker: str
    since: datetime
    position: str
    event_id: str
    company_id: str


class ProjectionState(msgspec.Struct):
    """How far a projection version has got; rate is in events a second."""

    name: str
    version: int
    live: bool
    state: str
    position: str
    lag_events: int
    lag_seconds: float
    rate: float
    error: str | None
    failure: FailureFigures | None


class ProjectionStates(msgspec.Struct):
    """Every version of every projection."""

    projections: list[ProjectionState]


class Component(msgspec.Struct):
    """State of something that the service needs: ok, degraded or down."""

    name: str
    status: str
    detail: str


class LiveLaneFigures(msgspec.Struct):
    """What the live lane has seen since it began, and what it holds: panes are minutes of a tenant's window.

    `failed`: good events that could not be folded; `late`: facts that came too late to count; `refused`: those for
    which their tenant had no room; `gaps`: how often messages of the bus may have been lost.
    """

    messages: int
    facts: int
    bad: int
    failed: int
    repeated: int
    late: int
    refused: int
    gaps: int
    tenants: int
    panes: int
    rows: int
    views: int


class HealthFigures(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How the service is. Without a token only live, ready and version; figures that are not known are missing.

    Totals of the whole instance (events to quarantined, queries, live connections, hit rates) are for who sees every
    company.
    """

    live: bool
    ready: bool
    version: str
    uptime_seconds: float | None = None
    components: list[Component] = []
    projections: list[ProjectionState] = []
    average_query_ms: float | None = None
    processing_success_rate: float | None = None
    queries_24h: int | None = None
    dashboard_reads_24h: int | None = None
    reports_24h: int | None = None
    average_report_ms: float | None = None
    accuracy: float | None = None
    live_connections: int | None = None
    live_lane: LiveLaneFigures | None = None
    cache_hit_rates: dict[str, float] = {}
    events: int | None = None
    duplicates: int | None = None
    refused: int | None = None
    quarantined: int | None = None


class ScannedFigures(msgspec.Struct):
    """Blocks that the index knew and those it ruled out; records read, and those of them after the index's end."""

    blocks: int
    blocks_skipped: int
    records: int
    unindexed_records: int


class FoundEvents(msgspec.Struct):
    """Events with their place; `cursor` goes on after them, `complete` says that nothing is left."""

    events: list[dict[str, Any]]
    cursor: str
    complete: bool
    scanned: ScannedFigures


class ExplainedEvent(msgspec.Struct):
    """An event behind a measure: its place, the row that it counts in, and its share.

    `counts` is false where another report of the same fact counts in its place: then the share is what it would be.
    """

    topic: str
    partition: int
    offset: int
    item: int
    event_id: str
    user_id: str
    timestamp: datetime
    row: dict[str, Any]
    share: Any
    counts: bool


class Explanation(msgspec.Struct, kw_only=True):
    """Where a measure comes from: how events make it (`rule`), its value, how many there are, and a page of them.

    `calendar`: by which days were cut. `currency`: of an amount; of several it has no value (`reasons`). Of a metric
    also its formula, and on the first page what it is computed from, rows of the query `ingredients`, and the rates of
    exchange that these took.
    """

    query: str
    measure: str
    definition_version: int
    position: str
    calendar: Calendar | None
    rule: str
    value: Any
    currency: str | None
    reasons: dict[str, str]
    total: int
    events: list[ExplainedEvent]
    next_cursor: str | None
    scanned: ScannedFigures
    metric: str | UnsetType = UNSET
    formula: str | UnsetType = UNSET
    ingredients: list[dict[str, Any]] | UnsetType = UNSET
    rates: dict[str, Any] | UnsetType = UNSET


class Reason(msgspec.Struct):
    """Why an event was set aside."""

    code: str
    reason: str


class Outcome(msgspec.Struct):
    """What the projector made of an event: waiting, admitted, duplicate or quarantined."""

    outcome: str
    reasons: list[Reason]


class Neighbours(msgspec.Struct):
    """The nearest events of the same company and user in the partition."""

    before: dict[str, Any] | None
    after: dict[str, Any] | None


class WholeEvent(msgspec.Struct):
    """An event with all that is known of it. `causes` nearest first; `root`: whether they reach a first cause."""

    event: dict[str, Any]
    decision: Outcome
    neighbours: Neighbours
    causes: list[dict[str, Any]]
    root: bool
    effects: list[dict[str, Any]]
    scanned: ScannedFigures


def answer_shape(query: Answerable) -> type[StandsFor]:
    """The shape of the answers of a query."""
    fields: list[Any] = [("rows", GenericAlias(list, (_row_of(query),)))]
    fields += [("next_cursor", str | None)] if isinstance(query, Query) and query.extra else []
    return struct(f"{camel_case(query.name)}Answer", fields, StandsFor, query.summary)


def _row_of(query: Answerable) -> Any:
    if isinstance(query, Composed) and query.stamped:
        return struct(query.row.__name__, STAMP.items(), query.row, query.row.__doc__)
    return query.row


_PROBLEMS = {
    status: ResponseSpec(Problem, description=text, media_type=MEDIA_TYPE, generate_examples=False)
    for status, text in (
        (400, "The request is wrong"),
        (401, "No valid token"),
        (403, "Not allowed"),
        (404, "There is no such thing"),
        (412, "The position asked for was not reached in time"),
        (429, "A limit was exceeded"),
        (503, "A server behind this one does not answer"),
    )
}


def with_problems(shape: Any, text: str) -> dict[int, ResponseSpec]:
    """What an operation answers: this shape, or a problem."""
    return {200: ResponseSpec(shape, description=text, generate_examples=False), **_PROBLEMS}


ANSWER = with_problems(Answer, "The answer")
QUERIES = with_problems(RegisteredQueries, "The registered queries")
PROJECTIONS = with_problems(ProjectionStates, "The projections")
EXPLANATION = with_problems(Explanation, "The events behind the measure")
EVENTS = with_problems(FoundEvents, "The events")
EVENT = with_problems(WholeEvent, "The event")
HEALTH = with_problems(HealthFigures, "The figures")
METRICS = {
    200: ResponseSpec(str, description="The metrics", media_type="text/plain; version=0.0.4", generate_examples=False),
    **_PROBLEMS,
}

CONFIG = OpenAPIConfig(
    title="Analytics service",
    version="1.0.0",
    description="Exact read models of a trading platform's events. Every request under /api wants a bearer token.",
    contact=Contact(name="The analytics service"),
    license=License(name="Apache-2.0", identifier="Apache-2.0"),
    use_handler_docstrings=True,
    security=[{"token": []}],
    components=Components(
        security_schemes={"token": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")}
    ),
)
