"""`/audit/trail`: who read and did what, through which door, and how it ended."""

from __future__ import annotations

from litestar import Response, get

from domain.audit import Action, Door
from domain.request.caller import PAGE
from projections.audit import FILTERS
from projections.engine.query.request import Question
from read_api.http.departure import for_caller
from read_api.http.request import HttpRequest
from read_api.web.address import with_zone
from read_api.web.audit.places import rooms
from read_api.web.room import page_of

TIMES = ("from", "to")
PAGE_ROWS = "100"
COLUMNS = ("at", "subject", "role", "action", "target", "outcome", "code", "door", "correlation_id")
OUTCOMES = ("ok", "refused", "failed")


@get("/audit/trail", include_in_schema=False, opt={PAGE: True})
async def trail_page(request: HttpRequest) -> Response[bytes]:
    """The trail of the company: the newest entries, or those that are asked for in order of time, page by page."""
    page = await page_of(request, *FILTERS, *TIMES, "cursor")
    asked = {name: with_zone(text, page.formats.zone) if name in TIMES else text for name, text in page.params.items()}
    newest = not asked.keys() & {*TIMES, "cursor"}
    params = {**asked, "limit": PAGE_ROWS, **({"order": "newest"} if newest else {})}
    question = Question("audit_trail", page.company, params, page.side.questions.now())
    answer = await for_caller(request, page.side.questions.ask(page.principal, question))
    return page.html(
        "audit/trail.html",
        "Audit: access trail",
        rooms=rooms(page),
        rows=answer["rows"],
        columns=COLUMNS,
        asked=page.params,
        newest=newest,
        actions=[action.value for action in Action],
        doors=[door.value for door in Door],
        outcomes=OUTCOMES,
        next=page.again(cursor=answer["next_cursor"]) if answer.get("next_cursor") else "",
    )
