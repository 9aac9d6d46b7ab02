"""Restatements of all types of facts that a ledger keeps as last reported: from what to what, and when it was known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.errors import Invalid
from projections.engine.declare.registry import all_registered
from projections.engine.query.answer_row import AnswerRow, AnswerTime, Rows
from projections.engine.query.composed import Composed, Part
from projections.engine.query.cursors import cursor_of, read_cursor
from projections.engine.query.extent import LIMIT as CUT
from projections.engine.query.formatting import show_time
from projections.engine.query.listing import DEFAULT_LIMIT
from projections.engine.query.params import FROM, LIMIT, MAX_ROWS, TO, Param, read_choice
from projections.engine.query.request import Request
from projections.engine.query.row_limit import first_of

TYPES: Mapping[str, str] = {  # of facts, by message type: the query of their restatements
    "account_flow": "restated_flows",
    "acquisition_cost": "restated_costs",
    "payment": "restated_payments",
    "support_ticket": "restated_steps",
    "survey_response": "restated_answers",
    "trading_result": "restated_trades",
}
USER, LAST_PLACE = "user_id", 2**62
ALWAYS = ("known_at", "revision", "taken_back", "event_id", "was_event_id", "was", "now")
WHOSE = (USER, "was_user_id", "currency")


class Restatement(AnswerRow, kw_only=True):
    """A fact that was reported again: what differs (`now` is null where it was taken back), and both reports' events.

    `user_id`, `was_user_id`: whose it is and was, of facts that are users'. `currency`: of its amounts as now reported.
    """

    type: str
    identity: dict[str, str]
    known_at: AnswerTime
    revision: int
    taken_back: bool
    event_id: str
    was_event_id: str
    user_id: str | None
    was_user_id: str | None
    currency: str | None
    was: dict[str, Any]
    now: dict[str, Any] | None
    cursor: str


def _parts(request: Request) -> Mapping[str, Part]:
    """A page of each type: of the one that is asked for, of those that are users' where it is about one, or of all."""
    of_user = {name: request.get(name) for name in (USER,) if request.get(name) is not None}
    bounds = {name: show_time(request.get(name)) for name in ("from", "to") if request.get(name) is not None}
    page = {"limit": str(min(_page_size(request) + 1, MAX_ROWS))}
    types = [request.get("type")] if request.get("type") else list(TYPES)
    queries = {kind: query for kind, query in TYPES.items() if kind in types and (not of_user or _of_users(query))}
    if not queries:
        raise Invalid(f"a {types[0]} is no user's: leave out user_id", code="bad_parameter")
    return {
        kind: Part(query, {**of_user, **bounds, **page, **_after(kind, request)}) for kind, query in queries.items()
    }


def _of_users(query: str) -> bool:
    return any(param.name == USER for param in all_registered()[query].params)


def _after(kind: str, request: Request) -> dict[str, str]:
    """Where the page of a type begins: of one moment the types stand in their order, each with its last one first."""
    if request.get("cursor") is None:
        return {}
    at, of, place = request.get("cursor")
    return {"cursor": cursor_of([at, place if kind == of else -1 if kind < of else LAST_PLACE])}


def _combine(request: Request, rows: Mapping[str, Rows]) -> list[Restatement]:
    """The newest first, a page of them."""
    page = [(*read_cursor(row["cursor"]), kind, row) for kind, of_type in rows.items() for row in of_type]
    page.sort(key=lambda each: (-each[0], each[2], -each[1]))
    return [_row(*each) for each in first_of(request, page, _page_size(request))]


def _row(at: int, place: int, kind: str, row: dict[str, Any]) -> Restatement:
    beside = {name: row.get(name) for name in WHOSE}
    said = {name: row[name] for name in ALWAYS} | beside
    identity = {name: value for name, value in row.items() if name not in (*said, "cursor")}
    return Restatement(**said, type=kind, identity=identity, cursor=cursor_of([at, kind, place]))


def _page_size(request: Request) -> int:
    return int(request.get("limit", DEFAULT_LIMIT))


def _next(request: Request, rows: Rows) -> dict[str, Any]:
    """Where the next page begins; null on the last one."""
    return {"next_cursor": rows[-1]["cursor"] if CUT in request.extent.limits else None}


def _read_cursor(text: str) -> list[Any]:
    try:
        at, kind, place = read_cursor(text)
        return [int(at), str(TYPES[kind] and kind), int(place)]
    except (KeyError, ValueError, TypeError, OverflowError):
        raise ValueError(f"{text!r} is no cursor that this query has given") from None


RESTATEMENTS = Composed(
    "restatements",
    "Facts reported again or taken back, of all types that are kept as last reported: from what to what, and when that"
    " was known; the newest first.",
    (
        FROM,
        TO,
        LIMIT,
        Param("cursor", "where the last page ended (next_cursor of its answer)", _read_cursor),
        Param("type", f"only facts of this type: {', '.join(TYPES)}", read_choice(*TYPES)),
        Param(USER, "only what is or was this user's; of the types that are users'"),
    ),
    _parts,
    _combine,
    Restatement,
    extra=_next,
    any_zone=True,
)
