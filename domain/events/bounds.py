"""Bounds beyond a field's form: scales that another field chooses, fields of which one is not above another, products,
and codes.

What they are is in the catalogue (`scales`, `rising`, `products`, `currencies`); the columns of a batch are checked by
the same declarations.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, prod
from operator import attrgetter
from typing import Any

from google.protobuf.message import Message

from domain.currencies import is_code
from domain.decimals import LARGEST_PRODUCT, ONE, of_double
from domain.events.catalogue import EventType, Scale
from domain.events.problems import Code, Problem, shown
from domain.events.products import Product

Check = Callable[[Any], Problem | None]


def bound_checks(kind: EventType) -> tuple[Check, ...]:
    """The checks of a type's facts whose fields are good by themselves."""
    products = (_small(product) for product in kind.products if product.total)
    return (
        *(_on_scale(scale, kind) for scale in kind.scales),
        *(_rising(pair, kind) for pair in kind.rising),
        *products,
        *map(_code, kind.currencies),
    )


def extent(scale: Scale) -> str:
    """Where numbers of the scale lie, in words."""
    number = "a whole number " if scale.whole else ""
    if scale.low == -inf:
        return f"{number}at most {scale.high:g}"
    return f"{number}at least {scale.low:g}" if scale.high == inf else f"{number}from {scale.low:g} to {scale.high:g}"


def value_name(kind: EventType, scale: Scale) -> str:
    """The name of the value that chooses the scale, in lower case; empty where it always holds."""
    enum = kind.message.DESCRIPTOR.fields_by_name[scale.of].enum_type if scale.of else None
    return "" if enum is None else enum.values_by_number[scale.value].name.lower()


def _on_scale(scale: Scale, kind: EventType) -> Check:
    field, low, high, of, value, whole = scale.field, scale.low, scale.high, scale.of, scale.value, scale.whole
    name = value_name(kind, scale)
    where = f" of {name}" if name else ""
    may_be_absent = kind.message.DESCRIPTOR.fields_by_name[field].has_presence

    def check(fact: Message) -> Problem | None:
        number = getattr(fact, field)
        if (of and getattr(fact, of) != value) or (low <= number <= high and not (whole and number % 1)):
            return None
        if number == 0 and not (may_be_absent and fact.HasField(field)):  # 0 says something where that can be told
            return None
        return Problem(Code.OUT_OF_RANGE, f"{field} {number:.15g}{where} must be {extent(scale)}")

    return check


def _rising(pair: tuple[str, str], kind: EventType) -> Check:
    lower, upper = pair
    beyond = "after" if upper in kind.times else "above"

    def check(fact: Message) -> Problem | None:
        low, high = getattr(fact, lower), getattr(fact, upper)
        if low <= high or not (_is_there(fact, lower) and _is_there(fact, upper)):
            return None
        return Problem(Code.CONTRADICTION, f"{lower} {low} is {beyond} {upper} {high}")

    return check


def _small(product: Product) -> Check:
    """That a product is within its bound; where the sum of the magnitudes is, so is their difference."""
    parts_of, most = attrgetter(*product.fields), LARGEST_PRODUCT / ONE
    name = f"({' + '.join(product.amounts)}) × {' × '.join(product.factors)}"

    def check(fact: Message) -> Problem | None:
        first, second, *factors = parts_of(fact)
        if (abs(first) + abs(second)) * prod(factor or 1 for factor in factors) < most / 2:
            return None
        parts = [first, second, *(factor or 1 for factor in factors)]
        if product.value([of_double(part) for part in parts]) is None:
            return Problem(Code.OUT_OF_RANGE, f"{name} is larger than {most:.0e}")
        return None

    return check


def _code(name: str) -> Check:
    def check(fact: Message) -> Problem | None:
        text = getattr(fact, name)
        if not text or is_code(text):
            return None
        return Problem(Code.BAD_CHOICE, f"{name} {shown(text)} is no code of a currency: 3 to 10 of A-Z and 0-9")

    return check


def _is_there(fact: Message, name: str) -> bool:
    """Whether a field says something: 0 does where its presence can be told."""
    field = fact.DESCRIPTOR.fields_by_name[name]
    return fact.HasField(name) if field.has_presence else bool(getattr(fact, name))
