"""The checks of a fact's decimals: what a double says must be kept without changing it."""

from __future__ import annotations

from math import isfinite

from google.protobuf.message import Message

from domain.decimals import FINEST, MOST, PLACES, decimal_of, is_too_fine, of_decimal, of_double, read_decimal
from domain.events.bounds import Check
from domain.events.field_rules import FieldRule, double_of
from domain.events.problems import Code, Problem, shown


def check_double(rule: FieldRule) -> Check:
    """The exact check of a double."""
    name, required, measured = rule.name, rule.required, rule.measured
    positive, not_negative = rule.positive, rule.not_negative

    def check(fact: Message) -> Problem | None:
        number = getattr(fact, name)
        if required and number == 0 and not fact.HasField(name):
            return Problem(Code.MISSING_FIELD, f"{name} is required")
        if not isfinite(number):
            return Problem(Code.NOT_FINITE, f"{name} is {number}")
        units = of_double(number)
        if units is None:
            return Problem(Code.OUT_OF_RANGE, f"{name} {number} is larger than {MOST:.0e}")
        if (number < 0 and not_negative) or (number <= 0 and positive and fact.HasField(name)):
            bound = "positive" if positive else "not negative"
            return Problem(Code.OUT_OF_RANGE, f"{name} {number} must be {bound}")
        if abs(number) < FINEST and not measured and is_too_fine(decimal_of(number), units):
            return Problem(Code.TOO_FINE, f"{name} {number} has more than {PLACES} decimal places that matter")
        return None

    return check


def check_decimal(rule: FieldRule) -> Check:
    """The exact check of a decimal text: the double beside it is the one that is nearest to it."""
    name, double = rule.name, double_of(rule.name)

    def check(fact: Message) -> Problem | None:
        text = getattr(fact, name)
        if not text:
            return None
        number = read_decimal(text)
        if number is None:
            return Problem(Code.BAD_DECIMAL, f"{name} {shown(text)} is no decimal such as 0.00000843")
        beside, field = getattr(fact, double), fact.DESCRIPTOR.fields_by_name[double]
        if field.has_presence and not fact.HasField(double):
            return Problem(Code.BAD_DECIMAL, f"{name} {text} has no {double} beside it")
        if decimal_of(float(number)) != decimal_of(beside):
            return Problem(Code.BAD_DECIMAL, f"{name} {text} is not what {double} says, {beside:.15g}")
        units = of_decimal(number)
        if units is None:
            return Problem(Code.OUT_OF_RANGE, f"{name} {text} is larger than {MOST:.0e}")
        if is_too_fine(number, units):
            return Problem(Code.TOO_FINE, f"{name} {text} has more than {PLACES} decimal places that matter")
        return None

    return check
