"""What the catalogue says of a metric: one entry each, from which queries, pages, help and documentation are made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from domain.access.rights import Feature


class Unit(StrEnum):
    """What a value is measured in."""

    COUNT = "count"
    MONEY = "money"  # trillionths of the currency; whole, or the unrounded quotient where it is a mean
    FRACTION = "fraction"  # 0.01 is one percent
    RATIO = "ratio"
    POINTS = "points"
    MILLISECONDS = "milliseconds"
    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"
    MONTHS = "months"
    PER_SECOND = "per_second"
    TABLE = "table"  # no single value: a query of its own answers with rows


class Section(StrEnum):
    """Part of the catalogue."""

    REVENUE = "revenue"
    ACQUISITION = "acquisition"
    ENGAGEMENT = "engagement"
    TRADING = "trading"
    SYSTEM = "system"
    SATISFACTION = "satisfaction"


DAYS_BY = ("day", "weekday", "week", "month", "quarter", "year")  # what sums over time are split by, of a calendar


@dataclass(frozen=True, slots=True)
class Explained:
    """Where a metric comes from: a measure of a registered query, whose events can be listed."""

    query: str
    measure: str


@dataclass(frozen=True, slots=True)
class Metric:
    """One entry.

    `reads` names the sources of its value (`projections/queries/metrics/sources.py`); `dimensions` is what it may be
    split and filtered by. `absent` says why it never has a value, `told_by` which query answers where the value is a
    table. `kpi`: whether it is one of the figures of a whole company that are cheap enough to be answered all at once.
    """

    key: str
    title: str
    unit: Unit
    formula: str
    section: Section
    reads: tuple[str, ...] = ()
    explained: tuple[Explained, ...] = ()
    dimensions: tuple[str, ...] = ()
    convention: str = "canonical"
    version: int = 1
    kpi: bool = True
    absent: str = ""
    told_by: str = ""
    feature: Feature | None = None


def explained(query: str, measures: str) -> tuple[Explained, ...]:
    """Measures (separated by spaces) of one query."""
    return tuple(Explained(query, measure) for measure in measures.split())


def by_key(entries: Iterable[Metric]) -> dict[str, Metric]:
    """The entries by their keys. Raises ValueError for a key that is there twice."""
    by_its_key: dict[str, Metric] = {}
    for entry in entries:
        if entry.key in by_its_key:
            raise ValueError(f"two metrics are called {entry.key}")
        by_its_key[entry.key] = entry
    return by_its_key
