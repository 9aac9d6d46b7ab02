"""Configuration events as aggregates decide them, for strategies: topics with bodies, and some that nobody can read."""

from __future__ import annotations

from collections.abc import Sequence

from domain.configuration.alert_rule import (
    AlertRuleDisabled,
    AlertRuleRenamed,
    AlertRuleSilenced,
    AlertRuleUnsilenced,
    CreateAlertRule,
    Silence,
)
from domain.configuration.alert_terms import Threshold, Trigger, WatchedMetric
from domain.configuration.company import Branding, BrandingChanged, CurrencyChanged
from domain.configuration.dashboard import (
    CreateDashboard,
    DashboardArchived,
    DashboardRenamed,
    DashboardRestored,
    DashboardShared,
    Layout,
    Sharing,
    Tile,
    TileAdded,
    TileRemoved,
)
from domain.configuration.kinds import Event, Issued
from domain.configuration.registry import AGGREGATES, write_body
from domain.configuration.report_schedule import (
    CreateReportSchedule,
    RecipientsChanged,
    Report,
    ReportScheduleArchived,
    Timing,
)

ISSUED = Issued("acme", "u1", "admin", 1_760_000_000_000, "c-1")
TILE = Tile("t1", "PnL", "line", "trading_totals", Layout(0, 0, 6, 4), {"by": "day"})
RULE = CreateAlertRule("loss", Trigger(WatchedMetric("win_rate"), Threshold("below", "0.4")))
SCHEDULE = CreateReportSchedule("weekly", Report("executive"), Timing("0 7 * * mon"))


def decided(aggregate: str, command: object) -> Event:
    """The first event of a command to an aggregate that is not there yet."""
    return AGGREGATES[aggregate].decide(None, command, ISSUED)[0]


EVENTS: Sequence[Event] = (
    decided("dashboard", CreateDashboard("first", tiles=(TILE,))),
    decided("dashboard", CreateDashboard("for two", sharing=Sharing("users", ("u2", 'u"3')))),
    DashboardRenamed("ü\"',\nb"),
    DashboardShared(Sharing("company")),
    TileAdded(TILE),
    TileRemoved("t1"),
    DashboardArchived(),
    DashboardRestored(),
    decided("alert_rule", RULE),
    AlertRuleRenamed("another"),
    AlertRuleSilenced(Silence("s1", 1, 9, "", "u1")),
    AlertRuleUnsilenced("s1"),
    AlertRuleDisabled(),
    decided("report_schedule", SCHEDULE),
    RecipientsChanged(()),
    ReportScheduleArchived(),
    CurrencyChanged("CHF"),
    BrandingChanged(Branding("#000000")),
)
UNREADABLE = (
    ("dashboard.coloured", "{}"),
    ("dashboard.renamed", '{"name":"a\\u0000b"}'),
    ("dashboard.renamed", '{"name":"a","colour":"red"}'),
    ("dashboard.created", "no JSON"),
    ("company", ""),
    (".", "[[["),
)
TOLD: Sequence[tuple[str, str]] = (*((e.topic, write_body(e).decode()) for e in EVENTS), *UNREADABLE)
