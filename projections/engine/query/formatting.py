"""How stored values appear in answers: money as exact decimal text, measures as numbers, times as ISO 8601 with Z."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from domain.metrics.metric import Unit
from domain.metrics.value import Reason
from projections.engine.declare.merge_rules import Day, Json, Kind, Labels, Money, Number, Twelfths
from projections.engine.query.params import read_time

MILLION = 1_000_000


def money(millionths: int | Decimal) -> str:
    """Whole millionths as a decimal text, trailing zeros trimmed: -88652440 is "-88.65244"."""
    whole = int(millionths)
    units, rest = divmod(abs(whole), MILLION)
    text = f"{units}.{rest:06d}".rstrip("0").rstrip(".")
    return f"-{text}" if whole < 0 else text


def exact_money(millionths: Fraction) -> str:
    """A fraction of millionths as money, rounded half even to whole millionths."""
    return money(round(millionths))


def measure(value: float | Fraction | Reason, unit: Unit) -> Any:
    """A metric's value: money as decimal text, counts and days whole, everything else a number; null for a reason."""
    if isinstance(value, Reason):
        return None
    if unit is Unit.MONEY:
        return exact_money(Fraction(value))
    return int(value) if unit in (Unit.COUNT, Unit.DAYS) else float(value)


def number(millionths: int | Decimal) -> float:
    """Whole millionths as a number."""
    return int(millionths) / MILLION


def twelfths(value: int | Decimal) -> str:
    """Twelfths of a millionth as money, rounded half even to whole millionths."""
    return exact_money(Fraction(int(value), 12))


def _day(value: date) -> str:
    return value.isoformat()


def document(text: str) -> Any:
    """What a JSON document says; a text that is none is shown as it is."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def labels(text: str) -> list[str]:
    """The texts of a list of labels."""
    return text.split("\x1f")[1:]


def shower(kind: type[Kind]) -> Callable[[Any], Any]:
    """The function that shows a value of this kind; null stays null."""
    return SHOWERS.get(kind, _plain)


def _or_null(show: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else show(value)


SHOWERS: Mapping[type[Kind], Callable[[Any], Any]] = MappingProxyType(
    {
        Money: _or_null(money),
        Number: _or_null(number),
        Twelfths: _or_null(twelfths),
        Day: _or_null(_day),
        Json: _or_null(document),
        Labels: _or_null(labels),
    }
)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return show_time(value)
    if isinstance(value, date):
        return value.isoformat()
    return int(value) if isinstance(value, Decimal) else value


def show_time(moment: datetime) -> str:
    """ISO 8601 with Z; milliseconds only where there are some."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def age(as_of: str | None, asked_at: datetime) -> int:
    """Milliseconds from a moment as answers show it until it was asked; 0 where there is none."""
    return max(0, (asked_at - read_time(as_of)) // timedelta(milliseconds=1)) if as_of else 0
