"""Which part of the data a request asks about: its tenant, period, filters and position, as parameters of queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from common.read_scope_pb2 import PageRequest, ReadScope
from google.protobuf.message import Message

from domain.errors import Invalid
from domain.events.catalogue import LATEST
from domain.name_list import name_list
from projections.engine.query.formatting import show_time

NOTHING: Mapping[str, str] = MappingProxyType({})
INSIDE = ("scope", "question", "report", "dashboard", "subscribe")  # members that hold the part that is asked about


class QueryCall(NamedTuple):
    """A registered query with its parameters as texts: the same that HTTP asks at /api/v1/query/{query}."""

    query: str
    params: Mapping[str, str] = NOTHING


def company_of(request: Any) -> str:
    """The company that a request names, in a member of its own or in its scope; empty for none."""
    if named := getattr(request, "company_id", ""):
        return named if isinstance(named, str) else ""
    inner = (getattr(request, name, None) for name in INSIDE)
    return next(filter(None, (company_of(each) for each in inner if isinstance(each, Message))), "")


def scope_of(request: Any) -> ReadScope:
    """The scope of a request; an empty one with its company and position where it has none."""
    for name in INSIDE:
        inner = getattr(request, name, None)
        if isinstance(inner, ReadScope):
            return inner
        if isinstance(inner, Message):
            return scope_of(inner)
    at, least = (getattr(request, name, "") for name in ("at_position", "min_position"))
    return ReadScope(company_id=company_of(request), at_position=at, min_position=least)


def about(query: str, scope: ReadScope, /, **params: str) -> QueryCall:
    """The question that a query is asked for the scope, with parameters of its own; empty ones are left out.

    Raises Invalid for a time that is none, and for a parameter that is given twice.
    """
    kept = {name.rstrip("_"): text for name, text in params.items() if text}
    given = {**_period(scope), "convention": scope.convention, "zone": scope.time_zone}
    asked = kept | {name: text for name, text in given.items() if text and name not in kept}
    if twice := sorted(scope.filters.keys() & asked.keys()):
        raise Invalid(f"{twice[0]} is no filter here", code="bad_parameter")
    return QueryCall(query, asked | dict(scope.filters))


def _period(scope: ReadScope) -> dict[str, str]:
    return {name: moment(at) for name, at in (("from", scope.from_time), ("to", scope.to_time)) if at}


def moment(at: int) -> str:
    """A time of a request (ms since 1970 UTC) as queries read it. Raises Invalid."""
    if not 0 < at < LATEST:
        raise Invalid("a time is ms since 1970 UTC", code="bad_parameter")
    return show_time(datetime.fromtimestamp(at / 1000, UTC))


def page(asked: PageRequest, default: int = 1_000) -> dict[str, str]:
    """The part of a list as parameters. A message holds some megabytes, so without a limit it is not everything."""
    given = {"limit": str(asked.limit or default), "cursor": asked.cursor}
    return {name: text for name, text in given.items() if text}


def names(texts: Sequence[str]) -> str:
    """Several names as one parameter. Raises Invalid for an empty one."""
    if not all(texts):
        raise Invalid("a name is empty", code="bad_parameter")
    return name_list(texts)


def only(name: str, text: str, *choices: str) -> None:
    """Raise Invalid where a member of a request asks for what there is not; empty is the first choice."""
    if text and text not in choices:
        raise Invalid(f"{name} is {text!r}; there is {', '.join(choices)}", code="bad_parameter")
