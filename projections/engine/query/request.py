"""A question as texts and as read, and what can answer it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar, runtime_checkable

from domain.access.rights import Feature, Member, Right
from domain.errors import Invalid, LimitExceeded
from domain.ports import ReadStore
from domain.suggestion import LONGEST, did_you_mean
from projections.engine.query.params import MAX_ROWS, Param, storable

WITHOUT_END = 2**62  # rows that a part of a composed query may have


@dataclass(frozen=True, slots=True)
class Question:
    """A registered query of one company: its parameters as texts, and the moment at which it was asked.

    The door sets `asked_at` once, and nothing behind it reads a clock: so an answer depends on the question and the
    rows alone. Of a past state it is the moment that the state stands for. `member`: whose rows alone it is about; None
    for those of the company.
    """

    name: str
    company: str
    params: Mapping[str, str]
    asked_at: datetime
    member: Member | None = None

    @property
    def key(self) -> Hashable:
        """The same for questions that have the same answer at the same moment."""
        return self.name, self.company, tuple(sorted(self.params.items())), self.member


@dataclass(frozen=True, slots=True)
class Request:
    """A question of one tenant: parameters as read, absent ones missing. `whole`: every row, whatever the limits.

    `asked_at` is when it was asked: the one clock of whatever the question leaves open.
    """

    company: str
    params: Mapping[str, Any]
    asked_at: datetime
    whole: bool = False

    def get(self, name: str, default: Any = None) -> Any:
        """The parameter's value, or the default."""
        return self.params.get(name, default)


class Comparer(Protocol):
    """Who sets the answer of a company beside those of others."""

    async def answer(self, query: Any, request: Request, asking: Asking) -> dict[str, Any]:
        """The answer of a compared query. Raises LimitExceeded, and what the company's own questions raise."""
        ...


@dataclass(frozen=True, slots=True)
class Asking:
    """What queries are answered through: rows, who compares (None: nobody can), the projection that a query reads."""

    store: ReadStore
    comparing: Comparer | None
    projection_of: Callable[[str], str]


@runtime_checkable
class Answerable(Protocol):
    """A registered query of whatever kind."""

    @property
    def name(self) -> str:
        """By which it is asked."""
        ...

    @property
    def summary(self) -> str:
        """What it answers, in one sentence."""
        ...

    @property
    def params(self) -> tuple[Param, ...]:
        """Its parameters."""
        ...

    @property
    def right(self) -> Right:
        """What whoever asks must have."""
        ...

    @property
    def feature(self) -> Feature | None:
        """What their tier must open."""
        ...

    @property
    def open_to_members(self) -> bool:
        """Whether members get the company's answer."""
        ...

    async def answer(self, request: Request, asking: Asking) -> dict[str, Any]:
        """The answer in the form of the API. Raises Invalid, Unavailable, LimitExceeded."""
        ...


def read_request(query: Answerable, question: Question, *, whole: bool = False) -> Request:
    """The question as its query reads it. Raises what `read_params` raises."""
    return Request(question.company, read_params(query, question.params), question.asked_at, whole)


def read_params(query: Answerable, params: Mapping[str, str]) -> dict[str, Any]:
    """Parameters as the query reads them. Raises Invalid for one that is unknown, wrong or missing."""
    declared = {p.name: p for p in query.params}
    values = {}
    for name, text in params.items():
        if name not in declared:
            near = did_you_mean(name, declared)
            raise Invalid(
                f"query {query.name} has no parameter {name[:LONGEST]!r}{near}; it has {', '.join(declared)}",
                code="unknown_parameter",
            )
        try:
            values[name] = declared[name].read(storable(text))
        except (ValueError, OverflowError, RecursionError) as error:
            raise Invalid(f"parameter {name} of {query.name}: {error}", code="bad_parameter") from None
    missing = [p.name for p in query.params if p.required and p.name not in values]
    if missing:
        raise Invalid(f"query {query.name} needs {', '.join(missing)}", code="missing_parameter")
    return values


def row_limit(request: Request) -> int:
    """How many rows to fetch: what was asked for, or else one more than an answer may have (see `all_of`)."""
    return int(request.get("limit", WITHOUT_END if request.whole else MAX_ROWS + 1))


Row = TypeVar("Row")


def all_of(request: Request, rows: Sequence[Row]) -> Sequence[Row]:
    """The rows fetched; raises LimitExceeded instead of leaving some out silently."""
    if len(rows) > MAX_ROWS and not request.whole:
        raise LimitExceeded(
            f"the answer has more than {MAX_ROWS} rows",
            suggested_actions=("ask for a shorter period or fewer dimensions", "give a limit to see the first ones"),
        )
    return rows
