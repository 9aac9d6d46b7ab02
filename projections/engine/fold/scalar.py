"""Folds of single facts: the very expressions of a fold, read once and worked out in Python, fact by fact.

Columns pay for thousands of facts. On a handful Polars costs milliseconds whatever is computed, and these take some ten
microseconds a fact. Nothing is declared twice: what Polars would compute is read from its own form of the expression. A
fold with an expression that is not known here has no scalar form, and is folded as columns.
"""

from __future__ import annotations

import io
import json
import operator
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, cast

import polars as pl
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from domain.decimals import of_double, of_text
from domain.events.catalogue import EventType
from domain.events.field_rules import text_of_double
from projections.engine.declare.projection import AdditiveFold
from projections.engine.fold.decode import enum_names
from projections.engine.fold.deltas import FACTS, RANK, columns_of

Facts = dict[str, Any]  # columns of one fact by name
Value = Callable[[Facts], Any]
Node = Mapping[str, Any]  # of an expression, as Polars writes it down

BINARY: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {
        "Eq": operator.eq,
        "NotEq": operator.ne,
        "Gt": operator.gt,
        "GtEq": operator.ge,
        "Lt": operator.lt,
        "LtEq": operator.le,
        "Plus": operator.add,
        "Minus": operator.sub,
        "Multiply": operator.mul,
        "FloorDivide": lambda one, other: one // other if other else None,
        "Modulus": lambda one, other: one % other if other else None,
    }
)
"""Of two values; null where one of them is, and of a division by zero."""


class _UnknownError(Exception):
    """An expression that is not known here."""


@dataclass(frozen=True, slots=True)
class ScalarFold:
    """A fold of one fact: which facts it takes, what it makes beforehand, and the columns of its row, keys first.

    `rank`: where a report comes in the order of reports, for rows that one decides.
    """

    where: Value | None
    beforehand: Mapping[str, Value]
    columns: Sequence[Value]
    rank: Value | None = None

    def row(self, fact: Facts) -> list[Any] | None:
        """The row that a fact comes to, keys before values; None where the fold does not take it."""
        if self.where is not None and not self.where(fact):
            return None
        if self.beforehand:
            fact = {**fact, **{name: value(fact) for name, value in self.beforehand.items()}}
        return [value(fact) for value in self.columns]


@cache
def scalar_fold(fold: AdditiveFold) -> ScalarFold | None:
    """The fold of one fact; None where it has an expression that is not known here."""
    try:
        expressions, columns = columns_of(fold), (*fold.into.keys, *fold.into.values)
        return ScalarFold(
            None if fold.where is None else _value(_node(fold.where(FACTS))),
            {name: _value(_node(e)) for name, e in (fold.beforehand(FACTS) if fold.beforehand else {}).items()},
            [_filled(_value(_node(expressions[c.name])), c.rule.blank) for c in columns],
            _value(_node(expressions[RANK])) if RANK in expressions else None,
        )
    except _UnknownError:
        return None


def scalar_facts(event: EventType, payload: Message, fields: frozenset[str], *, batch: bool) -> Iterator[Facts]:
    """These fields of each fact of a payload, as `decode_facts` has them."""
    readers, products = _readers(event, fields), _products(event, fields)
    for fact in cast(Any, payload).items if batch else (payload,):
        columns = {name: read(fact) for name, read in readers}
        for name, value, parts in products:
            columns[name] = value(parts(columns))
        yield columns


def has_scalar_facts(event: EventType, fields: frozenset[str]) -> bool:
    """Whether these fields are single values, which are all that is known here."""
    return not any(f.is_repeated or f.message_type is not None for f in _own(event, fields))


@cache
def _readers(event: EventType, fields: frozenset[str]) -> Sequence[tuple[str, Callable[[Message], Any]]]:
    return [(field.name, _reader(field)) for field in _own(event, fields)]


@cache
def _products(event: EventType, fields: frozenset[str]) -> Sequence[tuple[str, Callable[..., Any], Callable[..., Any]]]:
    return [(p.name, p.value, operator.itemgetter(*p.fields)) for p in event.products if p.name in fields]


def _own(event: EventType, fields: frozenset[str]) -> list[FieldDescriptor]:
    fields = fields.union(*(product.fields for product in event.products if product.name in fields))
    return [f for f in cast(Sequence[FieldDescriptor], event.message.DESCRIPTOR.fields) if f.name in fields]


def _reader(field: FieldDescriptor) -> Callable[[Message], Any]:
    name = field.name
    plain: Callable[[Message], Any] = operator.attrgetter(name)
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        read: Callable[[Message], Any] = _decimal_reader(field)
    elif field.type == FieldDescriptor.TYPE_ENUM:
        names = enum_names(field)
        read = lambda fact: names.get(plain(fact), "")  # noqa: E731  # as above
    else:
        read = plain
    if not field.has_presence:
        return read
    return lambda fact: read(fact) if fact.HasField(name) else None


def _decimal_reader(field: FieldDescriptor) -> Callable[[Message], Any]:
    """Of the text beside a double, where there is one."""
    plain, name = operator.attrgetter(field.name), text_of_double(field.name)
    if field.containing_type is None or name not in field.containing_type.fields_by_name:
        return lambda fact: of_double(plain(fact))
    text_beside = operator.attrgetter(name)
    return lambda fact: of_text(text) if (text := text_beside(fact)) else of_double(plain(fact))


def _node(expression: pl.Expr) -> Node:
    return cast(Node, json.loads(expression.meta.serialize(format="json")))


def _value(node: Node) -> Value:
    """What an expression gives for a fact. Raises _UnknownError."""
    ((kind, of),) = node.items()
    match kind:
        case "Column":
            return operator.itemgetter(of)
        case "Alias":
            return _value(of[0])
        case "Literal":
            (constant,) = _literal(node)
            return lambda _fact: constant
        case "Cast" if of["dtype"].get("Literal") in ("Int64", "Int128"):
            return _filled_or(_value(of["expr"]), int)
        case "Cast" if of["dtype"].get("Literal") == "String" and "Literal" not in of["expr"]:
            return _filled_or(_value(of["expr"]), _text)
        case "BinaryExpr" if of["op"] in BINARY:
            return _binary(BINARY[of["op"]], _value(of["left"]), _value(of["right"]))
        case "BinaryExpr" if of["op"] in ("And", "Or"):
            return _logical(_value(of["left"]), _value(of["right"]), absorbing=of["op"] == "Or")
        case "Ternary":
            return _ternary(*(_value(of[part]) for part in ("predicate", "truthy", "falsy")))
        case "Function":
            return _function(of["function"], of["input"])
    raise _UnknownError


def _function(function: object, inputs: Sequence[Node]) -> Value:
    first = _value(inputs[0]) if "Literal" not in inputs[0] else None
    match function:
        case "FillNull" if first:
            other = _value(inputs[1])
            return lambda fact: other(fact) if (own := first(fact)) is None else own
        case "Abs" if first:
            return _filled_or(first, abs)
        case "Sign" if first:
            return _filled_or(first, lambda value: (value > 0) - (value < 0))
        case "Replace" if first:
            new = dict(zip(_literal(inputs[1]), _literal(inputs[2]), strict=True))
            return lambda fact: new.get(value := first(fact), value)
        case {"SearchSorted": {"side": "Left" | "Right" as side, "descending": False}}:
            edges, values, place = (
                _literal(inputs[0]),
                _value(inputs[1]),
                bisect_left if side == "Left" else bisect_right,
            )
            return _filled_or(values, lambda value: place(edges, value))
    raise _UnknownError


def _literal(node: Node) -> list[Any]:
    """The values of a constant."""
    if "Literal" not in node:
        raise _UnknownError
    text = io.StringIO(json.dumps(node))
    return pl.select(pl.Expr.deserialize(text, format="json")).to_series().to_list()


def _text(value: object) -> str:
    assert isinstance(value, str)  # a number as text would be Polars' own writing
    return value


def _filled(value: Value, blank: Any) -> Value:
    """What stands in the place of null."""
    if blank is None:
        return value
    return lambda fact: blank if (own := value(fact)) is None else own


def _filled_or(value: Value, function: Callable[[Any], Any]) -> Value:
    """A function of a value; null of null."""
    return lambda fact: None if (own := value(fact)) is None else function(own)


def _binary(function: Callable[[Any, Any], Any], left: Value, right: Value) -> Value:
    def value(fact: Facts) -> Any:
        one, other = left(fact), right(fact)
        return None if one is None or other is None else function(one, other)

    return value


def _logical(left: Value, right: Value, *, absorbing: bool) -> Value:
    """`and`, `or` with null: what absorbs decides, whatever the other is."""

    def value(fact: Facts) -> bool | None:
        both = left(fact), right(fact)
        return absorbing if absorbing in both else None if None in both else not absorbing

    return value


def _ternary(predicate: Value, truthy: Value, falsy: Value) -> Value:
    return lambda fact: truthy(fact) if predicate(fact) else falsy(fact)
