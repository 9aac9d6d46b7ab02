"""How a projection is declared: rows, folds and queries, in one file. Everything else is derived from this.

trading = Projection("trading", version=3)

class TradingByQuarter(Row):
    company_id: Key[Text]
    hour: Key[Hour]
    pnl: Sum[Money]

@trading.folds("trading_result", into=TradingByQuarter)
def by_hour(trade: Columns) -> Delta:
    return {"hour": trade.closed_at}          # company_id and pnl come from the columns of those names
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from domain.errors import Defect
from domain.events.catalogue import BY_NAME, CATALOGUE, EventType
from projections.engine.declare.live_window import LiveWindow
from projections.engine.declare.merge_rules import Newest, Own, Sum
from projections.engine.declare.rows import Columns, Row, Table, reports_of
from projections.engine.query.plain import Query

if TYPE_CHECKING:
    import polars as pl

Delta: TypeAlias = "Mapping[str, pl.Expr | int | str | None]"


@dataclass(frozen=True)
class AdditiveFold:
    """A fold whose rows are sums, extremes, firsts and lasts: any order of batches gives the same rows."""

    name: str
    reads: EventType
    into: Table
    expressions: Callable[[Columns], Delta]
    where: Callable[[Columns], pl.Expr] | None
    beforehand: Callable[[Columns], Mapping[str, pl.Expr]] | None = None


@dataclass(frozen=True)
class Ledger:
    """Facts that can be reported again, each as it was last reported; what counts them is brought up to date with it.

    `of`: their type. `folds`: of its reports, and of those that take one back. `counting`: the folds by which the facts
    count in other tables; they are run over facts and over rows of the ledger alike. `reports`: every report of a fact,
    once there are two of it.
    """

    of: EventType
    into: Table
    reports: Table
    folds: tuple[AdditiveFold, ...]
    counting: tuple[AdditiveFold, ...]


@cache
def ledgers_of(folds: tuple[AdditiveFold, ...]) -> tuple[Ledger, ...]:
    """The ledgers that are among the tables of these folds. Raises Defect where what they replace is not counted."""
    ledgers = []
    for fold in folds:
        if fold.into.ledger and not fold.reads.takes_back:
            into = tuple(other for other in folds if other.into is fold.into)
            counting = tuple(other for other in folds if other.reads is fold.reads and not other.into.ledger)
            if wrong := [other.into.name for other in counting if not other.into.counted]:
                raise Defect(f"{', '.join(wrong)}: rows that {fold.reads.name} counts in must be `counted`")
            ledgers.append(Ledger(fold.reads, fold.into, reports_of(fold.into), into, counting))
    return tuple(ledgers)


Fact = Mapping[str, Any]
State = bytes
RowValues = Mapping[str, Any]


@dataclass(frozen=True)
class OrderedFold:
    """A fold over one key's whole history: `advance(state, facts) → state`, and the rows that a state stands for.

    Rows of tables whose key contains all of `by` belong to one state and are replaced with it; rows of other tables
    are sums over all states, and the difference of the new state's rows to the old state's is added.
    It may read several event types of one stream: the member `_event` of a fact is the name of its type.
    Rows hold times in ms and leave out the columns of `by`; in a table of sums they may leave out those that are 0.
    """

    name: str
    reads: tuple[EventType, ...]
    by: tuple[str, ...]
    into: tuple[Table, ...]
    advance: Callable[[State | None, Sequence[Fact]], State]
    rows: Callable[[State], Mapping[str, Iterable[RowValues]]]

    @property
    def stream(self) -> str:
        """The stream of all event types that it reads."""
        return self.reads[0].stream

    def owns(self, table: Table) -> bool:
        """Whether each row of the table belongs to exactly one state."""
        return set(self.by) <= {c.name for c in table.keys}


@dataclass
class Projection:
    """A read model: its name, version, folds, tables and queries; live windows over those tables.

    As declared, `version` is that of the definition. `stored_as` gives the same folds under another stored version, by
    which tables and checkpoints are named; `live` says whether readers see that one. `shared`: rows of the company
    `_system` are for every tenant. `beside`: answers of other projections rest on its rows as well: on what the
    statement `defaults` gives of a company, on all of them where there is none.
    """

    name: str
    version: int
    summary: str = ""
    additive: list[AdditiveFold] = field(default_factory=list)
    ordered: list[OrderedFold] = field(default_factory=list)
    queries: list[Query] = field(default_factory=list)
    windows: list[LiveWindow] = field(default_factory=list)
    definition: int | None = None
    live: bool = True
    shared: bool = False
    beside: bool = False
    defaults: str = ""

    def stored_as(self, version: int, *, live: bool = True) -> Projection:
        """The same projection in another stored version."""
        return replace(self, version=version, definition=self.definition_version, live=live)

    def part(self, tables: Container[str]) -> Projection:
        """The folds that fill tables of these names, alone, and the ledgers of what they count."""
        needed = [e for e in self.ledgers if e.reports.name in tables or any(f.into.name in tables for f in e.counting)]
        additive = [f for f in self.additive if f.into.name in tables or f.into in [e.into for e in needed]]
        ordered = [f for f in self.ordered if any(t.name in tables for t in f.into)]
        return replace(self, additive=additive, ordered=ordered)

    @property
    def definition_version(self) -> int:
        """The declared version, whatever version it is stored as."""
        return self.version if self.definition is None else self.definition

    @property
    def tables(self) -> tuple[Table, ...]:
        """Every table that it fills, each once."""
        into = [f.into for f in self.additive] + [t for f in self.ordered for t in f.into]
        return tuple(dict.fromkeys([*into, *(ledger.reports for ledger in self.ledgers)]))

    @property
    def ledgers(self) -> tuple[Ledger, ...]:
        """The ledgers among its tables."""
        return ledgers_of(tuple(self.additive))

    def folds_of(self, window: LiveWindow) -> tuple[AdditiveFold, ...]:
        """The folds that fill the tables of a live window."""
        return tuple(f for f in self.additive if f.into in window.tables)

    @property
    def _events(self) -> list[EventType]:
        return [f.reads for f in self.additive] + [event for f in self.ordered for event in f.reads]

    @property
    def reads(self) -> frozenset[str]:
        """Names of the event types that it folds."""
        return frozenset(e.name for e in self._events)

    @property
    def topics(self) -> frozenset[str]:
        """Streams that it reads."""
        return frozenset(e.stream for e in self._events)

    @property
    def fingerprint(self) -> str:
        """Changes with the declared tables, so that old rows are never taken for rows of a new shape."""
        shape = [(t.name, [(c.name, c.rule.__name__, c.kind.__name__) for c in t.columns]) for t in self.tables]
        return hashlib.sha256(repr((self.name, self.definition_version, shape)).encode()).hexdigest()[:16]

    def folds(
        self,
        event: str,
        *,
        into: type[Row],
        where: Callable[[Columns], pl.Expr] | None = None,
        beforehand: Callable[[Columns], Mapping[str, pl.Expr]] | None = None,
    ) -> Callable[[Callable[[Columns], Delta]], Callable[[Columns], Delta]]:
        """Declare an additive fold: from the facts of one event type to the rows of one table.

        The function returns an expression for each column that is not simply the fact's column of the same name;
        times are cut to the column's kind by the engine. `where` keeps only some facts. `beforehand` adds columns to
        the facts: what several expressions have in common is worked out once.

        Raises Defect for rows with Own columns, KeyError for an event type that there is not.
        """
        if into.table.has(Own):
            raise Defect(f"{into.__name__} has Own columns: only an ordered fold can fill them")

        def register(expressions: Callable[[Columns], Delta]) -> Callable[[Columns], Delta]:
            name = expressions.__name__
            self.additive.append(AdditiveFold(name, BY_NAME[event], into.table, expressions, where, beforehand))
            if into.table.ledger:
                self.additive += _taking_back(BY_NAME[event], into.table)
            return expressions

        return register

    def ordered_fold(
        self,
        *events: str,
        by: tuple[str, ...],
        into: Sequence[type[Row]],
        advance: Callable[[State | None, Sequence[Fact]], State],
        rows: Callable[[State], Mapping[str, Iterable[RowValues]]],
    ) -> None:
        """Declare an ordered fold: the history of each key `by`, and the rows that follow from it.

        `events` are types of one stream, all of which have the fields of `by`: two streams are read at their own pace
        by lanes of their own, so that nothing would say which of their facts is in the state. `state` must be
        canonical: the same facts give the same bytes in whatever order they arrived.

        Raises Defect for a key without its tenant, types of several streams, and columns that it may not fill.
        """
        if by[0] != "company_id":
            raise Defect("an ordered fold's key begins with company_id: the tenant is part of every key")
        reads, tables = tuple(BY_NAME[event] for event in events), tuple(r.table for r in into)
        if len({event.stream for event in reads}) != 1:
            raise Defect(f"an ordered fold reads types of one stream, not {', '.join(events) or 'nothing'}")
        fold = OrderedFold(advance.__name__, reads, by, tables, advance, rows)
        for table in tables:
            allowed = (Own, Sum) if fold.owns(table) else (Sum,)
            if any(c.rule not in allowed for c in table.values):
                raise Defect(
                    f"{table.name} of an ordered fold may hold only {' and '.join(r.__name__ for r in allowed)}"
                )
        self.ordered.append(fold)


def _taking_back(event: EventType, ledger: Table) -> list[AdditiveFold]:
    """The folds of what takes facts of a type back: rows of its ledger that have a key, and nothing else.

    Raises Defect for a ledger that is not one row a fact.
    """
    keys = [c.name for c in ledger.keys]
    if keys != ["company_id", *event.identity] or any(c.rule is not Newest for c in ledger.values):
        raise Defect(f"{ledger.name} is no ledger: a row is a {event.name} by its identity, each value the newest")
    types = [each for each in CATALOGUE if each.takes_back == event.name]
    return [AdditiveFold(each.name, each, ledger, _nothing(each, ledger), None) for each in types]


def _nothing(event: EventType, ledger: Table) -> Callable[[Columns], Delta]:
    fields = {"user_id", "event_id", *(f.name for f in event.message.DESCRIPTOR.fields)}
    empty = {c.name: None for c in ledger.values if c.name not in fields}

    def expressions(report: Columns) -> Delta:
        return {**empty, "_rank": 2 * report.revision.cast(int) + 1}

    return expressions
