"""How rows are declared: a class of `name: Rule[Kind]`, from which table, state and answer follow."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from inspect import get_annotations
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from domain.errors import Defect
from projections.engine.declare.merge_rules import Count, Flag, Key, Kind, Moment, Own, Rule, Sum

if TYPE_CHECKING:
    import polars as pl


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
    ledger: bool = False  # whether it holds facts, each as it was last reported
    counted: bool = False  # whether a row goes with the last fact that counts in it
    keys: tuple[Column, ...] = field(init=False, repr=False, compare=False)  # that identify a row, tenant first
    values: tuple[Column, ...] = field(init=False, repr=False, compare=False)  # that merge

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", tuple(c for c in self.columns if c.rule is Key))
        object.__setattr__(self, "values", tuple(c for c in self.columns if c.rule is not Key))

    def __hash__(self) -> int:
        """By name: that of all columns would be made anew wherever a table is a key, a tenth of a live fold."""
        return hash(self.name)

    @property
    def of_users(self) -> bool:
        """Whether its rows say whose they are."""
        return any(c.name in ("user_id", "account_id") for c in self.columns)

    @property
    def ends(self) -> tuple[type[Rule[Any]], ...]:
        """The rules of its columns by which one event decides, each with its hidden columns."""
        return tuple(sorted({c.rule for c in self.columns if c.rule.order}, key=lambda rule: rule.order))

    @property
    def hidden(self) -> tuple[tuple[str, type[Rule[Any]]], ...]:
        """The columns (bigint) that are needed beside the declared ones, with the rules by which they merge.

        They are no part of checksums or answers: the order of what decides, and how many facts count in a row.
        """
        order = [(name, rule) for rule in self.ends for name in rule.order]
        return (*order, *([("_facts", Sum)] if self.counted else []))

    def has(self, rule: type[Rule[Any]]) -> bool:
        """Whether some column merges by that rule."""
        return any(c.rule is rule for c in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(c for c in self.columns if c.name == name)


class Row:
    """Base of row declarations; the class body lists `name: Rule[Kind]`. The first column is company_id.

    Columns that several rows have alike stand in a plain class that each of them has as a base, too; they come last.
    `indexed`: columns by which rows are looked up although the key does not begin with them. Each costs writing time,
    so only where a user waits for the answer. `open_to_members`: nothing in it is of somebody, so that members see all
    of their company; else they see the rows whose user_id or account_id is theirs, and of other tables nothing.
    `ledger`: a row is a fact that can be reported again, as it was last reported. `counted`: facts of a ledger count in
    it, and are taken out again; a row goes with the last of them.
    """

    table: Table

    def __init_subclass__(
        cls,
        indexed: tuple[str, ...] = (),
        *,
        open_to_members: bool = False,
        ledger: bool = False,
        counted: bool = False,
    ) -> None:
        name, columns = _read_declaration(cls, indexed)
        cls.table = Table(name, columns, indexed, open_to_members, ledger, counted)


def _read_declaration(cls: type[Row], indexed: tuple[str, ...]) -> tuple[str, tuple[Column, ...]]:
    hints = get_type_hints(cls)
    columns = tuple(
        Column(name, get_origin(hints[name]), get_args(hints[name])[0])
        for name in dict.fromkeys(name for part in cls.__mro__ for name in get_annotations(part))
        if name in hints and get_origin(hints[name]) is not None
    )
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
    if not columns or columns[0].name != "company_id" or columns[0].rule is not Key:
        raise Defect(f"{cls.__name__} must begin with company_id: Key[Text]: the tenant is part of every key")
    if unknown := set(indexed) - {c.name for c in columns}:
        raise Defect(f"{cls.__name__} has no column {', '.join(sorted(unknown))} to index")
    return name, columns


class Columns:
    """The columns of a batch of facts, by name: `trade.pnl` is a Polars expression over the whole batch.

    Available are all fields of the payload (doubles as whole trillionths, times as ms since 1970 UTC, enums as
    lower-case names) and company_id, user_id, timestamp and event_id of the envelope.
    """

    def __getattr__(self, name: str) -> pl.Expr:
        import polars as pl

        return pl.col(name)


def hidden_columns(table: Table) -> tuple[str, ...]:
    """Names of the columns that a table needs beside the declared ones."""
    return tuple(name for name, _ in table.hidden)


def reports_of(ledger: Table) -> Table:
    """Where every report of a fact is kept, once there are two."""
    values = (
        ("revision", Count),
        ("taken_back", Flag),
        ("reported_at", Moment),
        *((c.name, c.kind) for c in ledger.values),
    )
    columns = (*ledger.keys, Column("place", Key, Count), *(Column(name, Own, kind) for name, kind in values))
    return Table(f"{ledger.name}_report", columns, open_to_members=ledger.open_to_members)
