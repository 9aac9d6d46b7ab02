"""Audit: who did what, to what, through which door and with which outcome; and totals of it by time.

Additive: an audit event is a row, and counts in the totals of its quarter of an hour. Only those with the right to the
trail may ask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.access.rights import Right
from projections.engine.declare.merge_rules import Count, Key, Last, Moment, Quarter, Sum, Text
from projections.engine.declare.projection import Delta, Projection
from projections.engine.declare.rows import Columns, Row
from projections.engine.query.listing import listing
from projections.engine.query.totals import days, plain, totals

if TYPE_CHECKING:
    import polars as pl

audit = Projection("audit", version=2)


class AuditEntry(Row):
    """One thing that somebody did, or was refused."""

    company_id: Key[Text]
    at: Key[Moment]
    event_id: Key[Text]
    subject: Last[Text]
    role: Last[Text]
    action: Last[Text]
    target: Last[Text]
    outcome: Last[Text]
    code: Last[Text]  # of the error; '' where the outcome is ok
    door: Last[Text]
    position: Last[Text]  # of the answer
    correlation_id: Last[Text]
    count: Last[Count]  # refusals of callers whom nobody knows are put together


class AuditQuarter(Row):
    """How often each subject did each kind of thing in each quarter of an hour, by outcome."""

    company_id: Key[Text]
    quarter: Key[Quarter]
    subject: Key[Text]
    action: Key[Text]
    outcome: Key[Text]
    total: Sum[Count]


def times(event: Columns) -> pl.Expr:
    """How often it happened; events that do not say tell of one time."""
    return event.count.clip(1)


@audit.folds("audit_event", into=AuditEntry)
def entries(event: Columns) -> Delta:
    """Every audit event, when it happened."""
    return {"at": event.timestamp, "count": times(event), "correlation_id": event.correlation}


@audit.folds("audit_event", into=AuditQuarter)
def by_quarter(event: Columns) -> Delta:
    """Counted in the quarter of an hour in which it happened."""
    return {"quarter": event.timestamp, "total": times(event)}


FILTERS = ("subject", "role", "action", "target", "outcome", "door", "correlation_id")

audit.queries += [
    listing(
        "audit_trail",
        of=AuditEntry,
        filters=FILTERS,
        time="at",
        right=Right.TRAIL,
        summary="Who did what: every query, command, export, sign-in, refusal and operator's action, in order of time.",
    ),
    totals(
        "audit_totals",
        of=AuditQuarter,
        by={**{name: plain(name) for name in ("subject", "action", "outcome")}, **days("quarter")},
        time="quarter",
        right=Right.TRAIL,
        summary="How often each subject did each kind of thing, by outcome and time.",
    ),
]
