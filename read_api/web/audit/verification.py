"""`/audit/verification`: the log against its seals: begun by a button, watched, and what came of it."""

from __future__ import annotations

from litestar import Response, get, post

from domain.access.rights import Right, require
from domain.audit import Action
from domain.request.caller import ACTION, PAGE
from read_api.http.request import HttpRequest
from read_api.web.audit.places import rooms
from read_api.web.forms import gone_to
from read_api.web.room import instance_page


@get("/audit/verification", include_in_schema=False, opt={PAGE: True, ACTION: Action.STATUS})
async def verification_page(request: HttpRequest) -> Response[bytes]:
    """The last verification that was begun in this process: how far it is, or what was found."""
    page = instance_page(request)
    require(page.principal, Right.VERIFY, page.company)
    run = page.services.verifications.last
    return page.html("audit/verification.html", "Audit: verify", rooms=rooms(page), run=run)


@post("/audit/verification", include_in_schema=False, opt={PAGE: True, ACTION: Action.VERIFY})
async def begin_verification(request: HttpRequest) -> Response[None]:
    """Begin to verify. Raises Forbidden, Conflict while somebody does."""
    page = instance_page(request)
    page.services.verifications.begin(page.principal, page.company)
    return gone_to(page.to("/audit/verification"))
