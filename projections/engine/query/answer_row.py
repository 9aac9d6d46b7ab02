"""Rows of composed answers: a query builds its rows of the type that describes them to whoever asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, TypeVar, cast, get_args

import msgspec
from msgspec import UNSET, UnsetType, defstruct

from domain.metrics.value import Stat, has_value

Rows = list[dict[str, Any]]
AnswerTime = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]  # as `show_time` gives it
MoneyText = Annotated[str, msgspec.Meta(extra_json_schema={"format": "decimal"})]  # in the currency of its row
CURRENCY = "currency"  # the key by which rows of tables are apart, and that answers can be split and chosen by
StructType = TypeVar("StructType", bound=msgspec.Struct)
NOTHING: Mapping[str, Any] = MappingProxyType({})


class AnswerRow(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Base of the rows of composed queries. Fields without a default are in every row, the others where they say more.

    `reasons` of a row says of each field that is null why it is.
    """


def row_type(query: str, always: Mapping[str, Any], sometimes: Mapping[str, Any] = NOTHING) -> type[AnswerRow]:
    """The type of the rows of a query that follow from a declaration, by the types of its fields."""
    absent: list[Any] = [(name, kind | UnsetType, UNSET) for name, kind in sometimes.items()]
    return struct(f"{camel_case(query)}Row", [*absent, *always.items()], AnswerRow)


def with_currency(row: Any) -> Any:
    """The type of rows, with the currency of their money where they have some and do not say it themselves."""
    if not has_money(row):
        return row
    said = {field.name: field for field in msgspec.structs.fields(row)}.get(CURRENCY)
    if said is not None and UnsetType not in get_args(said.type):
        return row
    return struct(row.__name__, [(CURRENCY, str | None)], row, row.__doc__)


@cache
def has_money(kind: Any) -> bool:
    """Whether money is in a type, or in what it is made of."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return any(has_money(field.type) for field in msgspec.structs.fields(kind))
    return kind == MoneyText or any(has_money(inner) for inner in get_args(kind) if not isinstance(inner, str))


def beside_money(kind: Any, rows: Rows, currency: str | None) -> Rows:
    """The rows, which are of this type, with their currency beside their money where they do not say it themselves.

    Of rows that say what their value is measured in, beside those of money.
    """
    if has_money(kind):
        for row in rows:
            row.setdefault(CURRENCY, currency)
    elif "unit" in getattr(kind, "__struct_fields__", ()):
        for row in rows:
            if row.get("unit") in UNITS_OF_MONEY:
                row.setdefault(CURRENCY, currency)
    return rows


UNITS_OF_MONEY = ("money", "currency")


def struct(name: str, fields: Iterable[Any], base: type[StructType], meaning: str | None = None) -> type[StructType]:
    """A struct that has these fields beside those of its base."""
    namespace = {"__doc__": meaning} if meaning else None
    kind: Any = defstruct(name, fields, bases=(base,), module=base.__module__, namespace=namespace, kw_only=True)
    return cast("type[StructType]", kind)


def camel_case(name: str) -> str:
    """The name of a type for what is called like this."""
    return "".join(part.capitalize() for part in name.split("_"))


def as_answered(rows: Sequence[Any]) -> Rows:
    """Rows as doors and other queries read them: plain values, as JSON has them."""
    answered: Rows = msgspec.to_builtins(rows)
    return answered


def or_reasons(**stats: Stat) -> dict[str, Any]:
    """Fields of a row out of statistics: null where there is no value, and `reasons` where there is such a one."""
    values: dict[str, Any] = {name: stat if has_value(stat) else None for name, stat in stats.items()}
    reasons = {name: str(stat) for name, stat in stats.items() if not has_value(stat)}
    return {**values, "reasons": reasons} if reasons else values


def sort_key(values: Iterable[Any]) -> list[tuple[bool, Any]]:
    """What groups are sorted by, of the values of their dimensions: numbers as numbers, others as texts after them."""
    return [(False, value) if isinstance(value, int | float | Decimal) else (True, str(value)) for value in values]
