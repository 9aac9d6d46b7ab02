"""How a projection is declared: rows, folds and queries, in one file. Everything else is derived from this.

trading = Projection("trading", version=2)

class TradingByHour(Row):
    company_id: Key[Text]
    hour: Key[Hour]
    pnl: Sum[Money]

@trading.folds("trading_result", into=TradingByHour)
def by_hour(trade: Columns) -> Delta:
    return {"hour": trade.closed_at}          # company_id and pnl come from the columns of those names
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from domain.errors import Defect
from domain.events.catalogue import BY_NAME, EventType
from projections.engine.declare.live_window import LiveWindow
from projections.engine.declare.merge_rules import Own, Sum
from projections.engine.declare.rows import Columns, Row, Table
from projections.engine.query.plain import Query

if TYPE_CHECKING:
    import polars as pl

Delta: TypeAlias = "Mapping[str, pl.Expr | int | str]"


@dataclass(frozen=True)
class AdditiveFold:
    """A fold whose rows are sums, extremes, firsts and lasts: any order of batches gives the same rows."""

    name: str
    reads: EventType
    into: Table
    expressions: Callable[[Columns], Delta]
    where: Callable[[Columns], pl.Expr] | None
    beforehand: Callable[[Columns], Mapping[str, pl.Expr]] | None = None


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
    which tables and checkpoints are named; `live` says whether readers see that one.
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

    def stored_as(self, version: int, *, live: bool = True) -> Projection:
        """The same projection in another stored version."""
        return replace(self, version=version, definition=self.definition_version, live=live)

    def part(self, tables: Container[str]) -> Projection:
        """The folds that fill tables of these names, alone."""
        additive = [f for f in self.additive if f.into.name in tables]
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
        return tuple(dict.fromkeys(into))

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
