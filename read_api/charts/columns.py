"""What the columns of an answer hold, and what people call them: the same for charts, tables and figures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

from domain.decimals import PLACES

TEXT, COUNT, MONEY, FRACTION, RATIO, QUANTITY = "text", "count", "money", "fraction", "ratio", "quantity"
DAY, MOMENT, MONTH, WEEKDAY = "day", "moment", "month", "weekday"
TIMES = frozenset({DAY, MOMENT})


class Format(NamedTuple):
    """How a number is written: as it is or in percent, with at least and at most so many decimals, and its unit.

    `small`: where it is not zero, the decimals of a number that is nearer to zero than one unit of its last decimal.
    """

    percent: bool
    least: int
    most: int
    suffix: str = ""
    small: int = 0

    def decimals(self, value: Decimal) -> int:
        """How many decimals of this number are written, at most."""
        return self.small if self.small and abs(value) < 10**-self.most else self.most


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        COUNT: Format(False, 0, 0),
        MONEY: Format(False, 2, 2, small=PLACES),  # fractions of a cent are no zero
        FRACTION: Format(True, 1, 1),
        RATIO: Format(False, 2, 2),
        QUANTITY: Format(False, 0, PLACES),
        "points": Format(False, 0, 1),
        "milliseconds": Format(False, 0, 1, " ms"),
        "minutes": Format(False, 0, 1, " min"),
        "hours": Format(False, 0, 1, " h"),
        "days": Format(False, 0, 1, " d"),
        "months": Format(False, 0, 1, " months"),
        "per_second": Format(False, 0, 3, "/s"),
    }
)
NUMBERS = frozenset(FORMATS)
# Columns whose texts are names, also where one looks like a number.
_NAMES = {
    *("symbol", "strategy", "side", "tag", "plan", "tier", "currency", "campaign", "channel", "segment", "cohort"),
    *("name", "title", "key", "kind", "path", "page", "subject", "feature", "action", "outcome", "actor", "role"),
    *(
        "service",
        "metric",
        "stream",
        "topic",
        "aggregate",
        "model",
        "method",
        "window",
        "week",
        "month",
        "quarter",
        "year",
    ),
}
_PLACES = frozenset({"hour", "entry_hour"})  # in a day or a week: numbers that are names
_CAPITALS = (
    "mrr",
    "arr",
    "arpa",
    "nrr",
    "grr",
    "ltv",
    "cac",
    "nps",
    "csat",
    "ces",
    "sqn",
    "dau",
    "wau",
    "mau",
    "id",
    "p50",
    "p95",
    "p99",
)
_QUANTITIES = frozenset({"quantity", "entry_price", "exit_price", "open", "high", "low", "close", "volume"})
_FRACTIONS = re.compile(
    r"(^|_)(rate|share|return|underwater|adoption|fraction|probability|stickiness|retention)$|^(nrr|grr)$"
)
_DECIMAL = re.compile(r"-?\d+(\.\d+)?")
_MONTH = re.compile(r"\d{4}-\d\d")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_WORDS: Mapping[str, str] = MappingProxyType({"pnl": "P&L", **{word: word.upper() for word in _CAPITALS}})


def kind_of(name: str, values: Sequence[Any]) -> str:
    """What a column of this name holds, by the first value that there is."""
    value = next((value for value in values if value is not None), None)
    if name == WEEKDAY and isinstance(value, int):
        return WEEKDAY
    if name == MONTH and isinstance(value, str) and _MONTH.fullmatch(value):
        return MONTH
    if name in _NAMES or name == "id" or name.endswith("_id") or isinstance(value, bool):
        return DAY if isinstance(value, str) and _DAY.fullmatch(value) else TEXT
    if isinstance(value, int):
        return TEXT if name.startswith("year") or name in _PLACES else COUNT
    if isinstance(value, float):
        return _of_float(name)
    if isinstance(value, str):
        return _of_text(name, value)
    return TEXT


def _of_float(name: str) -> str:
    if name.endswith("_ms"):
        return "milliseconds"
    return FRACTION if _FRACTIONS.search(name) else RATIO


def _of_text(name: str, value: str) -> str:
    if _DECIMAL.fullmatch(value):
        return QUANTITY if name in _QUANTITIES else MONEY
    if _DAY.fullmatch(value):
        return DAY
    return MOMENT if _MOMENT.fullmatch(value) else TEXT


def label(name: str) -> str:
    """A column's name for people: `total_pnl` → `Total P&L`."""
    words = " ".join(_WORDS.get(word, word) for word in name.split("_"))
    return words[:1].upper() + words[1:]
