"""The event history over HTTP: `GET /api/v1/events` and `/events/{id}`, for auditors."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from litestar import Response, get

from domain.errors import Invalid
from eventlog.search.event_json import figures, visible_json
from eventlog.search.rights import scanned_for
from eventlog.search.search import Search
from read_api.answers.event_criteria import criteria
from read_api.http import openapi
from read_api.http.request import HttpRequest, min_position, path_behind, whole_parameter
from read_api.services import ReadServices

LIMIT, MOST = 100, 1_000  # events in one answer
PARAMETERS: Mapping[str, str] = {
    "company": "Company of the events; else the token's.",
    "user": "User of the events.",
    "event_id": "Identity of the event.",
    "correlation_id": "Correlation id of the events.",
    "causation_id": "Identity of the event that caused them.",
    "type": "Event type, with its batch form; may be given several times.",
    "topic": "Topic to search; may be given several times; else all that may be read.",
    "from": "Event time to begin at: ISO 8601, or ms since 1970 UTC.",
    "to": "Event time to stop before.",
    "cursor": "Position to begin at: the cursor of an earlier answer.",
    "until": "Position to stop before; else the head of the log.",
    "limit": "Events at most, up to 1000; else 100.",
}
LISTS = ("type", "topic")


@get("/api/v1/events", responses=openapi.EVENTS, summary="Find events in the log")
async def find_events(request: HttpRequest) -> Response[bytes]:
    """Events that match all that is asked for, with their place; `cursor` goes on after them.

    `scanned` tells what was read to find them.
    """
    side: ReadServices = request.app.state.side
    principal = request.user.principal
    asked = _single_parameters(request)
    limit = whole_parameter(asked, "limit", 1, MOST, LIMIT)
    await side.questions.logged(min_position(request))
    search = Search(
        criteria(
            {**asked, "company": request.user.company(asked.get("company"))}, request.query_params.getall("type", [])
        ),
        request.query_params.getall("topic", []),
        asked.get("cursor", ""),
        asked.get("until", ""),
    )
    walk = await side.search.walk(principal, search)
    events = await side.search.first(walk, limit)
    answer = {
        "events": [visible_json(event, principal) for event in events],
        "cursor": walk.position,
        "complete": walk.caught_up,
        "scanned": figures(scanned_for(principal, walk.scanned)),
    }
    return Response(msgspec.json.encode(answer), media_type="application/json")


@get("/api/v1/events/{event:path}", responses=openapi.EVENT, summary="Show one event whole")
async def show_event(request: HttpRequest) -> Response[bytes]:
    """The event of an id or at a place `topic:partition=offset`, of `company`: its envelope, what became of it, its
    neighbours, its causes back to the first and its direct effects. An id may hold any character, percent-encoded; `.`,
    `..` and one that reads like a place are found by `event_id` of the list.
    """
    side: ReadServices = request.app.state.side
    principal = request.user.principal
    company = request.user.company(_single_parameters(request).get("company"))
    await side.questions.logged(min_position(request))
    answer = await side.event_details.detail_of(principal, path_behind(request, 3), company)
    return Response(msgspec.json.encode(answer), media_type="application/json")


def _single_parameters(request: HttpRequest) -> dict[str, str]:
    """The parameters that are given once; raises Invalid for unknown ones and for those given twice."""
    asked: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in asked or name not in PARAMETERS:
            raise Invalid(f"parameter {name!r} is unknown or given twice", code="bad_parameter")
        if name not in LISTS:
            asked[name] = value
    return asked
