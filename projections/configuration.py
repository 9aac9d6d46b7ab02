"""Configuration: dashboards, alert rules, report schedules and the company as commanded, and every change of them.

Ordered: an aggregate's events are replayed by version, with the rules of `domain/configuration`, whatever the order in
which they arrive. An event that this release cannot read is counted, stays in the history, and holds nothing up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import structs

from domain.configuration import forms
from domain.configuration.alert_rule import AlertRule
from domain.configuration.company import Company
from domain.configuration.dashboard import Dashboard
from domain.configuration.kinds import Aggregate, Event
from domain.configuration.registry import AGGREGATES, aggregate_of, company_aggregate_id, read_event
from domain.configuration.report_schedule import ReportSchedule
from domain.errors import AnalyticsError, Unavailable
from projections.engine.declare.merge_rules import Count, Flag, Json, Key, Last, Moment, Own, Text
from projections.engine.declare.projection import Delta, Fact, Projection, RowValues, State
from projections.engine.declare.rows import Columns, Row, Table
from projections.engine.query.answer_row import AnswerRow, AnswerTime, struct
from projections.engine.query.company_settings import CONFIGURATION, SETTINGS
from projections.engine.query.listing import Condition, Listing, listing
from projections.engine.query.params import Param
from projections.engine.query.plain import Query, Selected, Statement
from projections.engine.query.request import Request
from projections.engine.store.sql import equals

configuration = Projection(CONFIGURATION, version=5, beside=True, defaults=SETTINGS)


class History:
    """When it began and who changed it last."""

    created_at: Own[Moment]
    changed_at: Own[Moment]
    changed_by: Own[Text]
    unread_events: Own[Count]  # that this release cannot read: the rest of the row may be older than its version


class ConfiguredDashboard(History, Row):
    """A dashboard as its last event left it."""

    company_id: Key[Text]
    aggregate_id: Key[Text]
    version: Own[Count]
    name: Own[Text]
    description: Own[Text]
    owner: Own[Text]  # subject that created it
    sharing: Own[Json]
    tiles: Own[Json]
    archived: Own[Flag]


class ConfiguredAlertRule(History, Row):
    """An alert rule as its last event left it, with its silences."""

    company_id: Key[Text]
    aggregate_id: Key[Text]
    version: Own[Count]
    name: Own[Text]
    description: Own[Text]
    trigger: Own[Json]
    severity: Own[Text]
    notification: Own[Json]
    silences: Own[Json]
    enabled: Own[Flag]
    archived: Own[Flag]


class ConfiguredReportSchedule(History, Row):
    """A report schedule as its last event left it."""

    company_id: Key[Text]
    aggregate_id: Key[Text]
    version: Own[Count]
    name: Own[Text]
    description: Own[Text]
    report: Own[Json]
    timing: Own[Json]
    recipients: Own[Json]
    failure_recipients: Own[Json]
    enabled: Own[Flag]
    archived: Own[Flag]
    pause: Own[Json]


class ConfiguredCompany(History, Row, open_to_members=True):
    """A company as its last event left it."""

    company_id: Key[Text]
    aggregate_id: Key[Text]
    version: Own[Count]
    profile: Own[Json]
    tier: Own[Text]  # null while none was stored
    branding: Own[Json]
    calendar: Own[Json]
    currency: Own[Text]
    currency_set: Own[Flag]
    benchmark_consent: Own[Flag]
    retention: Own[Json]


class ConfigurationChange(Row):
    """One event of the configuration."""

    company_id: Key[Text]
    aggregate_id: Key[Text]
    version: Key[Count]
    aggregate: Last[Text]  # its kind, such as dashboard
    topic: Last[Text]
    actor: Last[Text]
    role: Last[Text]
    at: Last[Moment]
    body: Last[Json]
    event_id: Last[Text]


@configuration.folds("config_event", into=ConfigurationChange)
def configuration_change(event: Columns) -> Delta:
    """Every event as it is, whether this release can read it or not."""
    return {
        "version": event.aggregate_version,
        "aggregate": event.topic.str.extract(r"^([^.]*)"),
        "at": event.timestamp,
    }


class ConfigFact(NamedTuple):
    """An event of an aggregate; sorts in the order of versions, whatever else differs."""

    version: int
    at: int
    event_id: str
    item: int
    topic: str
    actor: str
    body: str


@dataclass(frozen=True, slots=True)
class AggregateState:
    """An aggregate after its events: the state, and what the row says beside it."""

    state: msgspec.Struct
    beside: Mapping[str, Any]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[ConfigFact]).decode
_write = msgspec.json.Encoder(order="deterministic").encode

TABLES: Mapping[str, Table] = {
    "company": ConfiguredCompany.table,
    "dashboard": ConfiguredDashboard.table,
    "alert_rule": ConfiguredAlertRule.table,
    "report_schedule": ConfiguredReportSchedule.table,
}


def aggregate_history(state: State | None, facts: Sequence[Fact]) -> State:
    """The state of an aggregate is its events in order."""
    return _encode(sorted([*(_decode(state) if state else ()), *map(_fact, facts)]))


def _fact(fact: Fact) -> ConfigFact:
    return ConfigFact(
        fact["aggregate_version"],
        fact["timestamp"],
        fact["event_id"],
        fact["_item"],
        fact["topic"],
        fact["actor"],
        fact["body"],
    )


def rows(state: State) -> Mapping[str, Iterable[RowValues]]:
    """What an aggregate's history comes to: one row, or none where nothing of it can be read."""
    facts = _decode(state)
    table_rows: dict[str, list[RowValues]] = {table.name: [] for table in TABLES.values()}
    for name in dict.fromkeys(a.name for f in facts if (a := aggregate_of(f.topic)) is not None):
        after = replay(AGGREGATES[name], facts)
        if after is not None:
            table_rows[TABLES[name].name].append(_row(TABLES[name], after))
    return table_rows


def replay(aggregate: Aggregate, facts: Sequence[ConfigFact]) -> AggregateState | None:
    """The aggregate after these events; None where it never came to be, as far as this release can read."""
    state: msgspec.Struct | None = None
    unread = 0
    for fact in facts:
        try:
            state = aggregate.evolve(state, _event(aggregate, fact))
        except AnalyticsError:  # of a newer release, or of an aggregate whose beginning cannot be read
            unread += 1
    if state is None:
        return None
    first, last = facts[0], facts[-1]
    beside = {
        "version": last.version,
        "created_at": first.at,
        "changed_at": last.at,
        "changed_by": last.actor,
        "unread_events": unread,
    }
    return AggregateState(state, beside)


def _event(aggregate: Aggregate, fact: ConfigFact) -> Event:
    """The event of a fact. Raises Unavailable where this release cannot read it, or could not store what it says."""
    event = read_event(fact.topic, fact.body.encode())
    if type(event) not in aggregate.events or any(forms.text_problems(event)):
        raise Unavailable(f"{fact.topic} is no event that a {aggregate.name} can have")
    return event


def _row(table: Table, after: AggregateState) -> RowValues:
    row = dict(after.beside)
    for column in table.values:
        if column.name not in row:
            value = getattr(after.state, column.name)
            row[column.name] = _write(value).decode() if column.kind is Json else value
    return row


configuration.ordered_fold(
    "config_event",
    by=("company_id", "aggregate_id"),
    into=(ConfiguredCompany, ConfiguredDashboard, ConfiguredAlertRule, ConfiguredReportSchedule),
    advance=aggregate_history,
    rows=rows,
)

ID = {"aggregate_id": "id"}
VIEWER = Param("viewer", "only what this subject may see; set by the API for everybody but administrators")
# An unread event may have changed who sees it: until this release can read it, only the owner does.
VISIBLE = """(owner = %s OR unread_events = 0 AND (
    sharing::jsonb ->> 'audience' = 'company'
    OR sharing::jsonb ->> 'audience' = 'users' AND sharing::jsonb -> 'users' ? %s))"""
VISIBLE_CHANGE = f"""(aggregate <> 'dashboard' OR EXISTS (
    SELECT FROM {{configured_dashboard}} AS d
    WHERE d.company_id = {{configuration_change}}.company_id AND d.aggregate_id = {{configuration_change}}.aggregate_id
    AND {VISIBLE}))"""


def _seen(condition: str) -> Callable[[Request], Condition | None]:
    def narrowed(request: Request) -> Condition | None:
        viewer = request.get("viewer")
        return None if viewer is None else (condition, (viewer, viewer))

    return narrowed


AggregateId = Annotated[str, msgspec.Meta(extra_json_schema={"format": "uuid"})]


class Configured(AnswerRow, kw_only=True):
    """What every configured item has. `version` is what If-Match takes; `unread_events`: of a newer release."""

    id: AggregateId
    version: int
    created_at: AnswerTime | None
    changed_at: AnswerTime | None
    changed_by: str
    unread_events: int


class ConfigurationEvent(AnswerRow, kw_only=True):
    """An event of the configuration; `body` is what changed, `event_id` finds it in the log."""

    id: AggregateId
    version: int
    aggregate: str
    topic: str
    actor: str
    role: str
    at: AnswerTime
    body: Any
    event_id: str


def _item(state: type[msgspec.Struct], meaning: str) -> type[Configured]:
    """The type of an item: the fields of the aggregate's state, whose documents the columns hold, and of every one."""
    own = [(each.encode_name, each.type) for each in structs.fields(state)]
    return struct(state.__name__, own, Configured, meaning)


_COMPANY = Listing(ConfiguredCompany.table, (), "", ID)


def _own(request: Request) -> Selected:
    condition, values = equals(ConfiguredCompany.table, "aggregate_id", str(company_aggregate_id(request.company)))
    return Selected(ConfiguredCompany.table, f"company_id = %s AND {condition}", (request.company, *values))


def _ask_company(request: Request) -> Statement:
    own, names = _own(request), ", ".join(f'"{c.name}"' for c in _COMPANY.columns)
    return Statement(f"SELECT {names} FROM {{{own.table.name}}} WHERE {own.where}", own.params)


def _shape_company(request: Request, table_rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The company's row; a company that never said anything about itself has the defaults, at version 0."""
    if table_rows:
        return _COMPANY.shape(request, table_rows)
    beside = dict.fromkeys(("created_at", "changed_at"))
    return [
        {"id": str(company_aggregate_id(request.company)), "version": 0}
        | msgspec.to_builtins(Company())
        | beside
        | {"changed_by": "", "unread_events": 0}
    ]


configuration.queries += [
    listing(
        "dashboards",
        of=ConfiguredDashboard,
        filters=("aggregate_id", "name", "owner", "archived"),
        names=ID,
        also=(VIEWER,),
        narrowed=_seen(VISIBLE),
        summary="Dashboards as they are configured, by id.",
        row=_item(Dashboard, "A dashboard as it is configured."),
    ),
    listing(
        "alert_rules",
        of=ConfiguredAlertRule,
        filters=("aggregate_id", "name", "severity", "enabled", "archived"),
        names=ID,
        summary="Alert rules with their silences, by id.",
        row=_item(AlertRule, "An alert rule with its silences."),
    ),
    listing(
        "report_schedules",
        of=ConfiguredReportSchedule,
        filters=("aggregate_id", "name", "enabled", "archived"),
        names=ID,
        summary="Report schedules, by id.",
        row=_item(ReportSchedule, "A report schedule."),
    ),
    Query(
        "company_profile",
        "What the company says about itself: profile, tier, branding, calendar, currency, consent, retention.",
        (),
        _ask_company,
        _shape_company,
        selects=_own,
        open_to_members=True,
        row=_item(Company, "What a company says about itself."),
    ),
    listing(
        "configuration_history",
        of=ConfigurationChange,
        filters=("aggregate_id", "aggregate", "topic", "actor"),
        names=ID,
        also=(VIEWER,),
        narrowed=_seen(VISIBLE_CHANGE),
        summary="Every event of the configuration, by id and version: what changed, by whom, when.",
        row=ConfigurationEvent,
    ),
]
