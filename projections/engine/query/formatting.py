"""How stored values appear in answers: money as exact decimal text, measures as numbers, times as ISO 8601 with Z."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any, NamedTuple

from domain.decimals import ONE, decimal_of, text_of
from domain.metrics.metric import Unit
from domain.metrics.value import Reason
from projections.engine.declare.merge_rules import (
    Bucket,
    Count,
    Day,
    Flag,
    Hour,
    Json,
    Key,
    Kind,
    Labels,
    Minute,
    Moment,
    Money,
    Number,
    Quarter,
    Small,
    Text,
    Twelfths,
)
from projections.engine.declare.rows import Column
from projections.engine.query.answer_row import AnswerTime, MoneyText
from projections.engine.query.params import read_time


def money(trillionths: int | Decimal) -> str:
    """Whole trillionths as the shortest decimal text: -88652440000000 is "-88.65244"."""
    return text_of(int(trillionths))


def exact_money(trillionths: Fraction) -> str:
    """A fraction of trillionths as money, rounded half even to whole trillionths."""
    return money(round(trillionths))


def measure(value: float | Fraction | Reason, unit: Unit) -> Any:
    """A metric's value: money as decimal text, counts and days whole, everything else a number; null for a reason."""
    if isinstance(value, Reason):
        return None
    if unit is Unit.MONEY:
        return exact_money(Fraction(decimal_of(value) if isinstance(value, float) else value))
    return int(value) if unit in (Unit.COUNT, Unit.DAYS) else float(value)


def number(trillionths: int | Decimal) -> float:
    """Whole trillionths as a number."""
    return int(trillionths) / ONE


def twelfths(value: int | Decimal) -> str:
    """Twelfths of a trillionth as money, rounded half even to whole trillionths."""
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
    return [each.replace("\x1e1", "\x1f").replace("\x1e0", "\x1e") for each in text.split("\x1f")[1:]]


def stored_label(text: str) -> str:
    """A text as it stands in a list of labels."""
    return text.replace("\x1e", "\x1e0").replace("\x1f", "\x1e1")


def shower(kind: type[Kind]) -> Callable[[Any], Any]:
    """The function that shows a value of this kind; null stays null."""
    return _OR_NULL.get(_SHOWN[kind].show, _plain)


def answered_type(column: Column, *, total: bool = False) -> Any:
    """The type of what answers show of a column, or of its total: what was never merged is null, but for texts."""
    never_null = column.rule is Key or issubclass(column.kind, Text) or (total and column.rule.blank is not None)
    return _SHOWN[column.kind].type if never_null else _SHOWN[column.kind].type | None


class _Shown(NamedTuple):
    show: Callable[[Any], Any]
    type: Any


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return show_time(value)
    if isinstance(value, date):
        return value.isoformat()
    return int(value) if isinstance(value, Decimal) else value


def _or_null(show: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else show(value)


_SHOWN: Mapping[type[Kind], _Shown] = MappingProxyType(
    {
        Kind: _Shown(_plain, Any),
        Text: _Shown(_plain, str),
        Json: _Shown(document, Any),
        Labels: _Shown(labels, list[str]),
        Small: _Shown(_plain, int),
        Bucket: _Shown(_plain, int),
        Count: _Shown(_plain, int),
        Flag: _Shown(_plain, bool),
        Money: _Shown(money, MoneyText),
        Number: _Shown(number, float),
        Twelfths: _Shown(twelfths, MoneyText),
        Moment: _Shown(_plain, AnswerTime),
        Minute: _Shown(_plain, AnswerTime),
        Quarter: _Shown(_plain, AnswerTime),
        Hour: _Shown(_plain, AnswerTime),
        Day: _Shown(_day, date),
    }
)
_OR_NULL = {shown.show: _or_null(shown.show) for shown in _SHOWN.values() if shown.show is not _plain}


def show_time(moment: datetime) -> str:
    """ISO 8601 with Z; milliseconds only where there are some."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def age(as_of: str | None, asked_at: datetime) -> int:
    """Milliseconds from a moment as answers show it until it was asked; 0 where there is none."""
    return max(0, (asked_at - read_time(as_of)) // timedelta(milliseconds=1)) if as_of else 0
