"""A question as texts (`Question`) and as read (`Request`), and what can answer it. Doors make the first alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar, runtime_checkable

from msgspec import structs

from domain.access.rights import Feature, Member, Right
from domain.company_calendar import UTC_CALENDAR
from domain.configuration.company import Calendar
from domain.errors import Invalid
from domain.ports import ReadStore
from domain.position import Position
from domain.suggestion import LONGEST, did_you_mean
from domain.whole_number import whole_number
from eventlog.search.criteria import NEVER
from projections.engine.query.asked_at import AskedAt
from projections.engine.query.calendar import MEMBERS, by_calendar, in_calendar
from projections.engine.query.extent import Extent
from projections.engine.query.params import Param, read_choice, read_time, storable

WITHOUT_END = 2**62  # rows that a part of a composed query may have
OF_PAST = ("as_of", "as_known_at")
OF_EXPLANATION = ("measure", "cursor", "limit", "order")
T = TypeVar("T")
Row = TypeVar("Row")
Texts = tuple[tuple[str, str], ...]
# name, company, parameters, what is asked beside, whose, what cuts it
QuestionKey = tuple[str, str, Texts, Texts, Member | None, tuple[str, ...]]
MOST_EVENTS = 10_000  # of one page of an explanation
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Question:
    """A registered query of one company: its parameters as texts, and the moment at which it was asked.

    The door sets `asked_at` once, and nothing behind it reads a clock: so an answer depends on the question and the
    rows alone. Of a past state it is the moment that the state stands for. `member`: whose rows alone it is about; None
    for those of the company. `about`: what is asked beside the query's own parameters: which past (`OF_PAST`), and the
    events behind which measure (`OF_EXPLANATION`). `limits`: what has cut its period already, as answers say it.
    """

    name: str
    company: str
    params: Mapping[str, str]
    asked_at: datetime
    member: Member | None = None
    about: Mapping[str, str] = field(default_factory=dict)
    limits: tuple[str, ...] = ()

    @property
    def key(self) -> QuestionKey:
        """The same for questions that have the same answer at the same moment."""
        about = tuple(sorted(self.about.items())) if self.about else ()
        return self.name, self.company, tuple(sorted(self.params.items())), about, self.member, self.limits


@dataclass(frozen=True, slots=True)
class Past:
    """A past state: what was known at `position` (None: all that was admitted) of events before `time` (ms, UTC).

    `log_time`: when the log took the last record before the position (ms): of what an answer rests on beside its own
    rows, and whose streams the position does not name, it is told what the log had by then.
    """

    position: Position | None = None
    time: int = NEVER
    log_time: int = NEVER

    def moment(self, asked_at: datetime) -> datetime:
        """The moment that it stands for: what its questions leave open is taken as of then.

        With a time it is that one, with a position alone the time at which the log took the last record before it;
        `asked_at`, when the question came in, where neither is given, and never later.
        """
        stands_for = self.time if self.time < NEVER else self.log_time
        return asked_at if stands_for == NEVER else min(EPOCH + timedelta(milliseconds=stands_for), asked_at)

    def of_topics(self, topics: Collection[str], *, beside: bool) -> Past:
        """The past of a projection that reads these streams."""
        if beside and self.position is not None and not self.position.of_topics(topics).offsets:
            return Past(None, self.time, self.log_time)
        return Past(self.position, self.time)


@dataclass(frozen=True, slots=True)
class Page:
    """Events behind a measure: all but the first `start`, `limit` at most, in order of event time or the other way.

    `cursor`: what the page before gave as the way to this one.
    """

    measure: str
    cursor: str = ""
    start: int = 0
    limit: int = 100
    newest: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """A question of one tenant: parameters as read, absent ones missing. `whole`: every row, whatever the limits.

    `asked_at` is when it was asked: the one clock of whatever the question leaves open; what a query looks at of it
    says up to when its answer would be the same. `page`: of an explanation. `extent`: how far the answer reaches, noted
    by whoever makes it. `calendar`: by which days, weeks, months and years are cut.
    """

    company: str
    params: Mapping[str, Any]
    asked_at: AskedAt
    whole: bool = False
    past: Past = Past()
    page: Page | None = None
    extent: Extent = field(default_factory=Extent, compare=False)
    calendar: Calendar = UTC_CALENDAR

    def get(self, name: str, default: Any = None) -> Any:
        """The parameter's value, or the default."""
        return self.params.get(name, default)

    def part(self, query: Answerable, params: Mapping[str, str], *, whole: bool) -> Request:
        """What it asks another query, of the same company and moment. Raises Invalid as `read_request` does."""
        values, calendar = read_params(query, params, self.calendar)
        return Request(self.company, values, self.asked_at, whole, calendar=calendar)


class Comparer(Protocol):
    """Who sets the answer of a company beside those of others."""

    async def answer(self, query: Any, request: Request, asking: Asking) -> dict[str, Any]:
        """The answer of a compared query. Raises LimitExceeded, and what the company's own questions raise."""
        ...


class InstanceFigures(Protocol):
    """What is known of the instance that answers."""

    async def rows(self, query: str, request: Request) -> Sequence[Mapping[str, Any]]:
        """The rows of a query about the instance, of all companies or of the one that asks. Raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Asking:
    """What queries are answered through: rows, who compares, who knows the instance, the projection that a query reads.

    Nobody compares, or knows the instance, where it is None.
    """

    store: ReadStore
    comparing: Comparer | None
    projection_of: Callable[[str], str]
    instance: InstanceFigures | None = None


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
    def row(self) -> Any:
        """The type that describes a row of its answer, a struct, or a dict where its columns are the question's."""
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

    @property
    def any_zone(self) -> bool:
        """Whether days can be those of any time zone; those of UTC, where its rows are kept by the UTC day."""
        ...

    @property
    def of_now(self) -> bool:
        """Whether it rests on no event, and so has no past and nothing that explains it."""
        ...

    async def answer(self, request: Request, asking: Asking) -> dict[str, Any]:
        """The answer in the form of the API. Raises Invalid, Unavailable, LimitExceeded."""
        ...


def cuts_time(query: Answerable) -> bool:
    """Whether a calendar changes what it answers."""
    return not query.of_now and any(p.is_moment or p.is_day or p.name in MEMBERS for p in query.params)


def read_request(query: Answerable, question: Question, calendar: Calendar = UTC_CALENDAR) -> Request:
    """The question as its query reads it, by a calendar, but for what of that the question says itself.

    Raises Invalid for a parameter that is unknown, wrong or missing, and for the past of what has none.
    """
    if not query.any_zone:
        calendar = structs.replace(calendar, time_zone=UTC_CALENDAR.time_zone)
    params, calendar = read_params(query, question.params, calendar)
    asked_at = AskedAt(question.asked_at, calendar)
    begin, end = params.get("from"), params.get("to")
    if begin is not None and end is not None and begin > end:
        turned = f"the period is turned round: from {question.params['from']} is after to {question.params['to']}"
        raise Invalid(turned, code="bad_parameter")
    if not question.about:
        return Request(question.company, params, asked_at, calendar=calendar)
    if query.of_now:
        raise Invalid(
            f"{query.name} rests on no event: it is known of now alone, and nothing explains it",
            code="no_past",
            suggested_actions=("Ask for it as it is now.",),
        )
    past, page = _read_past(question.about), _read_page(question.about)
    return Request(question.company, params, asked_at, past=past, page=page, calendar=calendar)


def _read_past(about: Mapping[str, str]) -> Past:
    known_at = about.get("as_known_at")
    return Past(
        position=None if known_at is None else Position.parse(known_at),
        time=_read(about, "as_of", lambda text: int(read_time(text).timestamp() * 1000), NEVER),
    )


def _read_page(about: Mapping[str, str]) -> Page | None:
    if "measure" not in about:
        return None
    if not about["measure"]:
        raise Invalid("parameter measure is missing", code="missing_parameter")
    return Page(
        about["measure"],
        about.get("cursor", ""),
        limit=_read(about, "limit", lambda text: whole_number(text, 1, MOST_EVENTS), 100),
        newest=_read(about, "order", read_choice("oldest", "newest"), "oldest") == "newest",
    )


def _read(about: Mapping[str, str], name: str, read: Callable[[str], T], otherwise: T) -> T:
    try:
        return read(about[name]) if about.get(name) else otherwise
    except ValueError as error:
        raise Invalid(f"parameter {name}: {error}", code="bad_parameter") from None


def read_params(query: Answerable, params: Mapping[str, str], calendar: Calendar) -> tuple[dict[str, Any], Calendar]:
    """Values by their names, and the calendar that they are read by: this one, but for what of it they say.

    Raises Invalid for a parameter that is unknown, wrong or missing.
    """
    declared = {p.name: p for p in query.params}
    for name in params:
        if name not in declared:
            near = did_you_mean(name, declared)
            raise Invalid(
                f"query {query.name} has no parameter {name[:LONGEST]!r}{near}; it has {', '.join(declared)}",
                code="unknown_parameter",
            )
    own = {name: _read_param(query, declared[name], params[name], calendar) for name in params if name in MEMBERS}
    calendar = by_calendar(calendar, own)
    values = {name: _read_param(query, declared[name], params[name], calendar) for name in params}
    missing = [p.name for p in query.params if p.required and p.name not in values]
    if missing:
        raise Invalid(f"query {query.name} needs {', '.join(missing)}", code="missing_parameter")
    return values, calendar


def _read_param(query: Answerable, param: Param, text: str, calendar: Calendar) -> Any:
    try:
        return param.read(in_calendar(param, storable(text), calendar))
    except (ValueError, OverflowError, RecursionError) as error:
        raise Invalid(f"parameter {param.name} of {query.name}: {error}", code="bad_parameter") from None
