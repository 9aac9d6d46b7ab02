"""Rows of answers as protobuf messages: field by field, by name.

Text where the field is one (money stays the decimal text that it is), ms since 1970 UTC where it is a whole number and
the row has a time, the name where it is an enum. Null leaves the field out, and `reasons` of the row go where the
message has them. A row may hold more than the message knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from projections.engine.query.params import read_time

M = TypeVar("M", bound=Message)
Convert = Callable[[Any], Any]
Kind = Any  # a descriptor of a message: which class it is of depends on how protobuf was built

VALUE = "analytics.Value"
DECIMAL = re.compile(r"-?\d+(\.\d+)?")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
WHOLE = frozenset(
    (FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_UINT32, FieldDescriptor.TYPE_UINT64)
)
PLAIN: Mapping[int, Callable[[Any], Any]] = {
    FieldDescriptor.TYPE_STRING: lambda shown: shown if isinstance(shown, str) else _text(shown),
    FieldDescriptor.TYPE_DOUBLE: float,
    FieldDescriptor.TYPE_BOOL: bool,
    FieldDescriptor.TYPE_BYTES: bytes,
}


def message(kind: type[M], row: Mapping[str, Any]) -> M:
    """The message with what the row has of its fields."""
    return kind(**fields(kind.DESCRIPTOR, row))


def fields(kind: Kind, row: Mapping[str, Any]) -> dict[str, Any]:
    """What a message of that kind is made of: plain values, mappings for messages inside it."""
    if kind.full_name == VALUE:
        return value(row)
    made = {}
    for name, convert, undefined in _converters(kind):
        if (shown := row.get(name)) is not None:
            made[name] = convert(shown)
        elif undefined and name in row:
            made[name] = value(None, row.get("reasons", {}).get(name) or row.get("reason", ""))
    return made


def value(shown: Any, reason: str = "") -> dict[str, Any]:
    """A value of an answer as the members of `analytics.Value`; for null the reason."""
    match shown:
        case None:
            return {"reason": reason}
        case bool():
            return {"flag": shown}
        case int():
            return {"count": shown}
        case float():
            return {"number": shown}
        case str() if DECIMAL.fullmatch(shown):
            return {"decimal": shown}
        case str() if TIME.fullmatch(shown):
            return {"time": ms(shown)}
        case str():
            return {"text": shown}
        case Mapping() if shown.keys() <= {"decimal", "count", "number", "text", "time", "flag", "reason"}:
            return dict(shown)  # one already
    return {"text": str(shown)}


def ms(time: str | None) -> int:
    """A time of an answer as ms since 1970 UTC; 0 where there is none."""
    return round(read_time(time).timestamp() * 1000) if time else 0


@cache
def _converters(kind: Kind) -> Sequence[tuple[str, Convert, bool]]:
    """For each field its name, how it is filled, and whether it says by itself why there is nothing."""
    return [(field.name, _field(field), _is_value(field)) for field in kind.fields]


def _is_value(field: FieldDescriptor) -> bool:
    return not field.is_repeated and field.message_type is not None and field.message_type.full_name == VALUE


def _field(field: FieldDescriptor) -> Convert:
    inner = field.message_type
    if inner is not None and inner.GetOptions().map_entry:
        one = _single(inner.fields_by_name["value"])
        return lambda shown: {str(key): one(each) for key, each in shown.items() if each is not None}
    one = _single(field)
    if field.is_repeated:
        return lambda shown: [one(each) for each in shown]
    return one


def _single(field: FieldDescriptor) -> Convert:
    inner = field.message_type
    if inner is not None and inner.full_name == VALUE:
        return lambda shown: shown if isinstance(shown, Message) else value(shown)
    if inner is not None:
        return lambda shown: shown if isinstance(shown, Message) else fields(inner, shown)
    if field.enum_type is not None:
        known = field.enum_type.values_by_name
        return lambda shown: known[shown.upper()].number if isinstance(shown, str) else shown
    return _whole if field.type in WHOLE else PLAIN[field.type]


def _whole(shown: Any) -> int:
    """A count as it is; a time or day as ms since 1970 UTC."""
    return ms(shown) if isinstance(shown, str) and not shown.lstrip("-").isdigit() else int(shown)


def _text(shown: Any) -> str:
    return str(shown).lower() if isinstance(shown, bool) else str(shown)
