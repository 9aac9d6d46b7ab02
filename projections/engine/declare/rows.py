"""How rows are declared: a class of `name: Rule[Kind]`, from which table, state and answer follow."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from inspect import get_annotations
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from domain.errors import Defect
from projections.engine.declare.merge_rules import Key, Kind, Rule

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
    """

    table: Table

    def __init_subclass__(cls, indexed: tuple[str, ...] = (), *, open_to_members: bool = False) -> None:
        cls.table = _read_declaration(cls, indexed, open_to_members)


def _read_declaration(cls: type[Row], indexed: tuple[str, ...], open_to_members: bool) -> Table:
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
    return Table(name, columns, indexed, open_to_members)


class Columns:
    """The columns of a batch of facts, by name: `trade.pnl` is a Polars expression over the whole batch.

    Available are all fields of the payload (doubles as whole millionths, times as ms since 1970 UTC, enums as
    lower-case names) and company_id, user_id, timestamp and event_id of the envelope.
    """

    def __getattr__(self, name: str) -> pl.Expr:
        import polars as pl

        return pl.col(name)


def hidden_columns(table: Table) -> tuple[str, ...]:
    """Order columns (bigint) that First and Last need beside the declared ones; no part of checksums or answers."""
    return tuple(name for rule in table.ends for name in rule.order)
