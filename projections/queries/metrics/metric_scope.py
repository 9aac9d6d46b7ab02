"""What sums of a metric are about, and what a source of sums is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from typing import Any

from projections.engine.query.asked_at import AskedAt
from projections.engine.query.composed import Part, Select
from projections.queries.metrics.periods import Span

Rows = Sequence[dict[str, Any]]
Sums = dict[str, Any]


@dataclass(frozen=True, slots=True)
class MetricScope:
    """What sums are wanted: of whom, of which period, split by what, of which rows alone, under which policy.

    `reads` names all sources that are asked at once, `rates` is what was said of rates of exchange.
    """

    company: str
    span: Span
    asked_at: AskedAt
    by: tuple[str, ...] = ()
    only: Mapping[str, str] = field(default_factory=dict)
    policy: str = ""
    reads: frozenset[str] = frozenset()
    rates: Mapping[str, str] = field(default_factory=dict)

    def before(self) -> MetricScope:
        """The same of the period before."""
        return replace(self, span=self.span.before())

    @property
    def last_day(self) -> date:
        """The last day of the period that has begun."""
        return self.asked_at.last_day(self.span.bounds[1])

    @property
    def up_to_today(self) -> MetricScope:
        """The same, up to the end of today where the period ends later."""
        return replace(self, span=self.span.until(self.asked_at.capped_today(self.span.bounds[1])))

    @property
    def months(self) -> float | None:
        """How long it is as far as MRR counts, up to the end of today; None where it is open."""
        return self.up_to_today.span.months if self.span.start else None

    def seconds(self, group: Mapping[str, object]) -> float | None:
        """How long the part of it that is over is, in the cuts of a group; None where it is open."""
        return self.span.until(self.asked_at.capped(self.span.bounds[1])).seconds({**self.only, **group})


@dataclass(frozen=True, slots=True)
class Source:
    """What is asked, and what the rows of one group come to. `money`: which sums are of money, in these `units`."""

    ask: Callable[[MetricScope], Part | Select]
    sums: Callable[[Rows, MetricScope], Sums] = lambda rows, _: copy(rows[0]) if rows else {}
    money: frozenset[str] = frozenset()
    units: Fraction = Fraction(1)  # trillionths


def query_of(name: str, *also: str, raw: bool = True, money: bool = False) -> Callable[[MetricScope], Part]:
    """A registered query over the period, split by `also` as well; of `money`, at the rates that were asked for."""

    def ask(scope: MetricScope) -> Part:
        by = {"by": ",".join((*scope.by, *also))} if scope.by or also else {}
        return Part(name, {**scope.span.params(), **scope.only, **by, **(scope.rates if money else {})}, raw)

    return ask
