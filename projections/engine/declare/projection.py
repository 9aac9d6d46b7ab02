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
import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from domain.errors import Defect
from domain.events.catalogue import BY_NAME, EventType
from projections.engine.declare.merge_rules import First, Key, Kind, Last, Own, Rule, Sum

if TYPE_CHECKING:
    import polars as pl

    from projections.engine.query.request import Query

    Delta = Mapping[str, pl.Expr | int | str]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a row: its name, merge rule and kind."""

    name: str
    rule: type[Rule[Any]]
    kind: type[Kind]


@dataclass(frozen=True, slots=True)
class Table:
    """What a Row class declares, as data."""

    name: str
    columns: tuple[Column, ...]
    indexed: tuple[str, ...] = ()  # a column each by which rows of a tenant are found beside the key
    open_to_members: bool = False  # whether members see all rows of their company

    @property
    def keys(self) -> tuple[Column, ...]:
        """The columns that identify a row, tenant first."""
        return tuple(c for c in self.columns if c.rule is Key)

    @property
    def values(self) -> tuple[Column, ...]:
        """The columns that merge."""
        return tuple(c for c in self.columns if c.rule is not Key)

    @property
    def of_users(self) -> bool:
        """Whether its rows say whose they are."""
        return any(c.name in ("user_id", "account_id") for c in self.columns)

    def has(self, rule: type[Rule[Any]]) -> bool:
        """Whether some column merges by that rule."""
        return any(c.rule is rule for c in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(c for c in self.columns if c.name == name)


class Row:
    """Base of row declarations; the class body lists `name: Rule[Kind]`. The first column is company_id.

    `indexed`: columns by which rows are looked up although the key does not begin with them. Each costs writing time,
    so only where a user waits for the answer. `open_to_members`: nothing in it is of somebody, so that members see all
    of their company; else they see the rows whose user_id or account_id is theirs, and of other tables nothing.
    """

    table: Table

    def __init_subclass__(cls, indexed: tuple[str, ...] = (), *, open_to_members: bool = False) -> None:
        cls.table = _read_declaration(cls, indexed, open_to_members)


def _read_declaration(cls: type[Row], indexed: tuple[str, ...], open_to_members: bool) -> Table:
    hints = get_type_hints(cls)
    columns = tuple(
        Column(name, get_origin(hints[name]), get_args(hints[name])[0])
        for name in cls.__annotations__
        if name in hints and get_origin(hints[name]) is not None
    )
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
    if not columns or columns[0].name != "company_id" or columns[0].rule is not Key:
        raise Defect(f"{cls.__name__} must begin with company_id: Key[Text]: the tenant is part of every key")
    if unknown := set(indexed) - {c.name for c in columns}:
        raise Defect(f"{cls.__name__} has no column {', '.join(sorted(unknown))} to index")
    return Table(name, columns, indexed, open_to_members)


class Columns:
    """The columns of a batch of facts, by name: `trade.pnl` is a Polars expression over the whole batch.

    Available are all fields of the payload (doubles as whole millionths, times as ms since 1970 UTC, enums as
    lower-case names) and company_id, user_id, timestamp and event_id of the envelope.
    """

    def __getattr__(self, name: str) -> pl.Expr:
        import polars as pl

        return pl.col(name)


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
    """A read model: its name, version, folds, tables and queries.

    As declared, `version` is that of the definition. `stored_as` gives the same folds under another stored version, by
    which tables and checkpoints are named; `live` says whether readers see that one.
    """

    name: str
    version: int
    summary: str = ""
    additive: list[AdditiveFold] = field(default_factory=list)
    ordered: list[OrderedFold] = field(default_factory=list)
    queries: list[Query] = field(default_factory=list)
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


ORDER_FIRST = ("_first_at", "_first_seq")
ORDER_LAST = ("_last_at", "_last_seq")


def hidden_columns(table: Table) -> tuple[str, ...]:
    """Order columns (bigint) that First and Last need beside the declared ones; no part of checksums or answers."""
    return (ORDER_FIRST if table.has(First) else ()) + (ORDER_LAST if table.has(Last) else ())
