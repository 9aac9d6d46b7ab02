"""Alerts: the state that each rule is in on each series, and every change of it.

Additive: a change is a row of the history, and of the states the last one by the period that it came of. Nothing else
says what state a rule is in: who loses these rows gets them again out of the log.
"""

from __future__ import annotations

from projections.engine.declare.merge_rules import Count, Key, Last, Moment, Text
from projections.engine.declare.projection import Delta, Projection
from projections.engine.declare.rows import Columns, Row
from projections.engine.query.listing import listing

alerts = Projection("alerts", version=1)


class AlertState(Row):
    """The state of a rule on a series, since it was first another one than normal."""

    company_id: Key[Text]
    rule_id: Key[Text]
    series: Key[Text]  # its dimensions as a JSON object; '' is the rule as a whole
    rule: Last[Text]
    severity: Last[Text]
    state: Last[Text]
    at: Last[Moment]  # end of the period that brought it into this state
    since: Last[Moment]
    value: Last[Text]  # of that period; '' where there was none
    condition: Last[Text]
    reason: Last[Text]


class AlertChange(Row):
    """A change of state."""

    company_id: Key[Text]
    at: Key[Moment]
    rule_id: Key[Text]
    series: Key[Text]
    event_id: Key[Text]
    rule: Last[Text]
    severity: Last[Text]
    before: Last[Text]
    after: Last[Text]
    since: Last[Moment]
    value: Last[Text]
    condition: Last[Text]
    reason: Last[Text]
    every_seconds: Last[Count]


@alerts.folds("alert_transition", into=AlertState)
def states(event: Columns) -> Delta:
    """The state after the last change."""
    return {"state": event.after}


@alerts.folds("alert_transition", into=AlertChange)
def changes(event: Columns) -> Delta:
    """Every change."""
    return {}


alerts.queries += [
    listing(
        "alerts",
        of=AlertState,
        filters=("rule_id", "state", "severity", "series"),
        summary="The state that each alert rule is in on each series that was ever in another one than normal.",
    ),
    listing(
        "alert_history",
        of=AlertChange,
        filters=("rule_id", "series", "before", "after", "severity"),
        time="at",
        summary="Every change of the states of alert rules, with value, condition and since when.",
    ),
]
