"""Parameters of queries: what each means, and how its text is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, TypeVar

from domain.name_list import read_name_list
from domain.suggestion import LONGEST, did_you_mean
from domain.whole_number import whole_number

MAX_ROWS = 50_000
Reader = TypeVar("Reader", bound=Callable[[str], Any])
LISTED = 'comma-separated, in quotes where they have commas ("a,b",c)'


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of a query: its name, what it means, and how its text is read (raising ValueError).

    `inside`, of a day: any moment stands for the day in which it lies, and not its first one alone.
    """

    name: str
    meaning: str
    read: Callable[[str], Any] = str
    required: bool = False
    inside: bool = False

    @property
    def is_moment(self) -> bool:
        """Whether it is a moment, for which a date stands by its first one."""
        return self.read is read_time

    @property
    def is_day(self) -> bool:
        """Whether it is a day."""
        return self.read in DAY_READERS


def storable(text: str) -> str:
    """The text. Raises ValueError where no stored text can equal it, because the database cannot hold it."""
    if re.search("[\0\ud800-\udfff]", text):
        raise ValueError(f"{text!r} holds characters that no text may have")
    return text


_DAY_ONLY = re.compile(r"^\d{4}-\d{2}-\d{2}$")


_QUARTER_ONLY = re.compile(r"^[1-8]\d{3}-Q[1-4]$")
_MONTH_ONLY = re.compile(r"^[1-8]\d{3}-(0[1-9]|1[0-2])$")


EARLIEST, LATEST = datetime(1000, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


def read_time(text: str) -> datetime:
    """A date (its midnight) or an ISO 8601 time; UTC where no zone is given.

    What lies outside the years 1000 to 8999 means "open" and is read as their bound, which leaves room to reckon with.
    Raises ValueError for what is neither.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is neither a date nor an ISO 8601 time") from None
    return min(max(moment if moment.tzinfo else moment.replace(tzinfo=UTC), EARLIEST), LATEST)


def read_day(text: str) -> date:
    """A date as YYYY-MM-DD, within the same bounds. Raises ValueError for anything else."""
    if not _DAY_ONLY.match(text):
        raise ValueError(f"{text!r} is no date (YYYY-MM-DD)")
    return min(max(date.fromisoformat(text), EARLIEST.date()), LATEST.date())


DAY_READERS: list[Callable[[str], Any]] = [read_day]


def reads_day(read: Reader) -> Reader:
    """Decorator: what is read is a day."""
    DAY_READERS.append(read)
    return read


def read_month(text: str) -> str:
    """A month as YYYY-MM. Raises ValueError for anything else."""
    if not _MONTH_ONLY.match(text):
        raise ValueError(f"{text!r} is no month (YYYY-MM)")
    return text


def read_quarter(text: str) -> str:
    """A quarter of a fiscal year as YYYY-Qn. Raises ValueError for anything else."""
    if not _QUARTER_ONLY.match(text):
        raise ValueError(f"{text!r} is no quarter (YYYY-Qn)")
    return text


def read_year(text: str) -> int:
    """A year within the same bounds. Raises ValueError for anything else."""
    return whole_number(text, low=EARLIEST.year, high=LATEST.year)


def read_whole(least: int, most: int) -> Callable[[str], int]:
    """Reads a whole number within these bounds. Reading raises ValueError for anything else."""
    return partial(whole_number, low=least, high=most)


def read_names(text: str) -> tuple[str, ...]:
    """Names, comma-separated, in quotes where they have commas: each once, in their order. Raises ValueError."""
    return tuple(dict.fromkeys(read_name_list(text)))


def read_members(choices: Collection[str], noun: str) -> Callable[[str], tuple[str, ...]]:
    """Reads names out of a closed set, each a `noun`. Reading raises ValueError for any other."""

    def read(text: str) -> tuple[str, ...]:
        names = read_names(text)
        if unknown := [name for name in names if name not in choices]:
            near = did_you_mean(unknown[0], choices)
            raise ValueError(f"{unknown[0][:LONGEST]!r} is no {noun}{near}; there are {', '.join(choices)}")
        return names

    return read


def read_choice(*choices: str) -> Callable[[str], str]:
    """Reads one of a closed set of texts. Reading raises ValueError for any other."""

    def read(text: str) -> str:
        if text not in choices:
            near = did_you_mean(text, choices)
            raise ValueError(f"{text[:LONGEST]!r} is none of {', '.join(choices)}{near}")
        return text

    return read


FROM = Param("from", "first moment (inclusive): a date, or an ISO 8601 time", read_time)


TO = Param("to", "end (exclusive): a date, or an ISO 8601 time", read_time)


LIMIT = Param("limit", f"rows at most, 1 to {MAX_ROWS}", read_whole(1, MAX_ROWS))
