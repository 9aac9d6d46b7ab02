"""The page of one user, whatever their id holds."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from litestar import Response, get

from domain.errors import Forbidden
from domain.request.caller import PAGE
from projections.engine.query.request import Question
from read_api.http.request import HttpRequest, asked_at, path_behind
from read_api.services import ReadServices
from read_api.web.address import Address
from read_api.web.forms import gone_to
from read_api.web.page import address_of

MOST = 200  # users that are suggested


@get("/users", include_in_schema=False, opt={PAGE: True}, sync_to_thread=False)
def users(request: HttpRequest) -> Response[None]:
    """The dashboard of all users."""
    return gone_to(f"/dashboards/users?{urlencode({'company': address_of(request).company})}")


@get("/users/{rest:path}", include_in_schema=False, opt={PAGE: True}, sync_to_thread=False)
def person(request: HttpRequest) -> Response[None]:
    """The dashboard of the user whose id the path holds."""
    return gone_to(person_address(address_of(request).company, path_behind(request, 1)))


def person_address(company: str, user: str) -> str:
    """The dashboard of one user of a company."""
    return Address("", company).person(user)


async def people_of(request: HttpRequest, company: str) -> Sequence[str]:
    """Users who came last; none where the caller may not see them."""
    side: ReadServices = request.app.state.side
    asked = Question("users_seen", company, {"order": "newest", "limit": str(MOST)}, asked_at(request))
    try:
        return [row["user_id"] for row in (await side.questions.ask(request.user.principal, asked))["rows"]]
    except Forbidden:
        return ()
