"""How many rows an answer has: as many as were asked for, all of them otherwise, or none of them silently left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from domain.errors import LimitExceeded
from projections.engine.query.extent import LIMIT
from projections.engine.query.params import MAX_ROWS
from projections.engine.query.request import WITHOUT_END, Request

Row = TypeVar("Row")


def row_limit(request: Request) -> int:
    """How many rows to fetch: one more than was asked for, or than an answer may have (see `all_of`)."""
    return int(request.get("limit", WITHOUT_END) if request.whole else request.get("limit", MAX_ROWS) + 1)


def first_of(request: Request, rows: Sequence[Row], most: int) -> Sequence[Row]:
    """Of the rows fetched so many at most; the answer says that others are left out."""
    if len(rows) <= most:
        return rows
    request.extent.limits.add(LIMIT)
    return rows[:most]


def all_of(request: Request, rows: Sequence[Row]) -> Sequence[Row]:
    """The rows fetched, as many as were asked for; raises LimitExceeded instead of leaving some out silently."""
    if not request.whole and request.get("limit") is not None:
        return first_of(request, rows, request.get("limit"))
    if len(rows) > MAX_ROWS and not request.whole:
        raise LimitExceeded(
            f"the answer has more than {MAX_ROWS} rows",
            suggested_actions=("ask for a shorter period or fewer dimensions", "give a limit to see the first ones"),
        )
    return rows
