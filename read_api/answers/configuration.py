"""Questions about the configuration, the same for HTTP and gRPC: lists, an item, its history. No web framework here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from domain.errors import NotFound
from projections.engine.query.request import Question

HISTORY = "configuration_history"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of aggregate: its name in the store, its query, and where it is read."""

    name: str
    query: str
    path: str

    @property
    def words(self) -> str:
        """What people call it."""
        return self.name.replace("_", " ")


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Kind("dashboard", "dashboards", "/api/v1/dashboard/config"),
            Kind("alert_rule", "alert_rules", "/api/v1/alerts/config"),
            Kind("report_schedule", "report_schedules", "/api/v1/reports/schedule"),
        )
    }
)
IN_USE = MappingProxyType({"archived": "false"})  # what a list shows unless it is asked for something else


def list_question(kind: Kind, company: str, params: Mapping[str, str], asked_at: datetime) -> Question:
    """The list of a kind; without archived ones, unless `archived` is given."""
    return Question(kind.query, company, {**IN_USE, **params}, asked_at)


def item_question(kind: Kind, company: str, item: str, asked_at: datetime) -> Question:
    """One item of a kind, archived or not."""
    return Question(kind.query, company, {"id": item}, asked_at)


def history_question(kind: Kind, company: str, item: str, params: Mapping[str, str], asked_at: datetime) -> Question:
    """Every event of an item."""
    return Question(HISTORY, company, {**params, "id": item, "aggregate": kind.name}, asked_at)


def only(rows: Sequence[Mapping[str, Any]], kind: Kind, item: str) -> Mapping[str, Any]:
    """The one row. Raises NotFound where the company has none, or none that the caller may see."""
    if not rows:
        raise NotFound(f"there is no {kind.words} {item}", code=f"no_{kind.name}")
    return rows[0]
