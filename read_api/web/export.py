"""A tile's rows as a file: with the filters, the period and the moment of the page that it stands on."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from litestar import Response, get
from litestar.params import FromPath

from domain.access.rights import Principal, Right
from domain.audit import Action
from domain.errors import AnalyticsError, Forbidden, NotFound
from domain.request.caller import ACTION, PAGE
from projections.engine.query.request import Question
from projections.engine.query.wide_answers import beside
from read_api.answers.ad_hoc import AdHoc, admit, table
from read_api.answers.past import plain
from read_api.dashboards.dashboards import COMPANY
from read_api.export.tables import FORMATS, format_of
from read_api.http.departure import for_caller
from read_api.http.encoding import encoded
from read_api.http.request import HttpRequest, ask, asked_at
from read_api.http.responses import with_headers
from read_api.services import ReadServices
from read_api.web.address import Address
from read_api.web.formats import Formats
from read_api.web.market import picker_of
from read_api.web.page import address_and_formats

ANSWER = "json"  # the answer of the query as it is, which needs no right but the query's


class Offer(NamedTuple):
    """A kind of file: where it is, or why it is closed."""

    name: str
    href: str
    closed: str


def offers(principal: Principal, address: Address) -> list[Offer]:
    """What the tile of the open panel can be had as."""
    return [Offer(name, _href(address, name), _closed(principal, name, address.company)) for name in (ANSWER, *FORMATS)]


def _href(address: Address, name: str) -> str:
    return address.to(path=f"{address.path}/{address.panel}.{name}", panel="")


def _closed(principal: Principal, name: str, company: str) -> str:
    try:
        if name != ANSWER:
            admit(principal, Right.EXPORT, format_of(name).feature, company)
    except Forbidden as error:
        return str(error)
    return ""


@get("/dashboards/{name:str}/{file:str}", include_in_schema=False, opt={PAGE: True, ACTION: Action.EXPORT})
async def exported(name: FromPath[str], file: FromPath[str], request: HttpRequest) -> Response[bytes]:
    """The rows of the tile that the file is named after, in the format of its ending.

    Raises Forbidden, NotFound, Invalid, and what answering raises.
    """
    address, formats = await address_and_formats(request)
    return await for_caller(request, _file(request, name, file, address, formats))


async def _file(request: HttpRequest, name: str, file: str, address: Address, formats: Formats) -> Response[bytes]:
    tile, _, ending = file.rpartition(".")
    if ending != ANSWER:
        admit(request.user.principal, Right.EXPORT, format_of(ending).feature, address.company)
    question = await _question(request, name, tile, address, formats)
    answer = await ask(request, question)
    named = {"Content-Disposition": f'attachment; filename="{tile}.{ending}"', "Cache-Control": "no-store"}
    if ending == ANSWER:
        return with_headers(answer, await encoded(address.company, answer), named)
    rows = (plain(answer) if question.about else answer)["rows"]
    chosen, found = format_of(ending), table(AdHoc(query=question.name), rows)
    content = await beside(found.rows, address.company, lambda _: chosen.write(found), keep=True)
    response = with_headers(answer, content, named)
    response.media_type = chosen.media_type
    return response


async def _question(request: HttpRequest, name: str, tile: str, address: Address, formats: Formats) -> Question:
    """What the tile asks on this page. Raises NotFound where there is no such tile, and why it cannot be asked."""
    side: ReadServices = request.app.state.side
    now, principal = asked_at(request), request.user.principal
    document = await side.dashboards.document(principal, name, address.company, now)
    picker = await picker_of(request, document, address)
    period = address.params(formats.today, formats.calendar)
    params = {name: text for name, text in period.items() if name in document.params}
    params |= picker.params(document) if picker else {}
    profile = Question(COMPANY, address.company, {}, now)
    for one in side.dashboards.tile_requests(principal, document, profile, params):
        if one.tile.id == tile:
            if isinstance(one.question, AnalyticsError):
                raise one.question
            return replace(one.question, about={"as_of": address.as_of} if address.as_of else {})
    raise NotFound(f"the dashboard has no tile {tile[:64]!r}", code="no_tile")
