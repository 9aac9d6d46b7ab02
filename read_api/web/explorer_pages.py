"""The pages on which people put questions together: a form whose address is its state, and the answer below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
from litestar import Response, get

from domain.configuration.dashboard import Contents, TileKind
from domain.errors import Forbidden
from domain.events.identity import new_event_id
from domain.request.caller import PAGE
from projections.engine.query.request import Question
from read_api.dashboards.dashboards import DashboardQuestion
from read_api.dashboards.documents import Document
from read_api.http.departure import for_caller
from read_api.http.request import HttpRequest, asked_at
from read_api.services import ReadServices
from read_api.web.address import Address
from read_api.web.drawing import drawn
from read_api.web.drawn_tiles import Surroundings
from read_api.web.explorers import EXPLORERS, Explorer, edited
from read_api.web.formats import Formats
from read_api.web.forms import gone_to
from read_api.web.frame import frame
from read_api.web.page import address_and_formats, page, values_of
from read_api.web.panel import panel_of
from read_api.web.past_dashboard import dashboard_as_of
from read_api.web.saved_tiles import places_to_save

VIEW, DEED = "view", "do"  # parameters of the page itself: how the answer is drawn, and the button that was pressed
MOST_EVENTS = 200  # that are suggested
Chosen = Mapping[str, Sequence[str]]


class Tool(NamedTuple):
    """A page for questions: its title and its address."""

    title: str
    href: str


def tools(address: Address) -> Sequence[Tool]:
    """The pages for questions about users of a company."""
    asked = urlencode({"company": address.company})
    return [Tool(each.title, f"{each.path}?{asked}") for each in EXPLORERS.values()]


@get([each.path for each in EXPLORERS.values()], include_in_schema=False, opt={PAGE: True})
async def explorer_page(request: HttpRequest) -> Response[bytes] | Response[None]:
    """The form with what its address says, and the answer to that."""
    explorer = EXPLORERS[request.url.path.rpartition("/")[2]]
    own = [control.name for control in explorer.controls]
    address, formats = await address_and_formats(request, *own, VIEW, DEED)
    chosen = {name: values_of(request, name) for name in own}
    usual_view, named = next(iter(explorer.views)), values_of(request, VIEW)
    view = next((kind for kind in explorer.views if kind in named), usual_view)
    usual = {VIEW: [view] if view != usual_view else []}
    if deeds := values_of(request, DEED):
        list_name, _, deed = deeds[-1].partition(" ")
        changed = {**chosen, list_name: edited(chosen[list_name], deed)} if list_name in explorer.lists else chosen
        return gone_to(replace(address, own={**changed, **usual}).text())
    address = replace(address, own={**chosen, **usual})
    return await for_caller(request, _explored(request, explorer, address, formats, chosen, view))


async def _explored(
    request: HttpRequest, explorer: Explorer, address: Address, formats: Formats, chosen: Chosen, view: TileKind
) -> Response[bytes]:
    side: ReadServices = request.app.state.side
    tile = explorer.tile(chosen, view)
    asked = not explorer.needs or explorer.needs in tile.params
    document = Document(explorer.name, Contents(explorer.title, explorer.words, (tile,) if asked else ()))
    now = asked_at(request)
    params = address.params(formats.today, formats.calendar)
    own = {name: text for name, text in params.items() if name in document.params}
    question = DashboardQuestion(explorer.name, address.company, own)
    side.health.queries.add()
    request.app.state.pages.bundle.begin()
    principal = request.user.principal
    if address.as_of:
        answer = await dashboard_as_of(side, principal, document, question, address.as_of, now)
    else:
        answer = await side.dashboards.answer_document(principal, document, question, asked_at=now)
    formats = replace(formats, currency=answer["currency"])
    opened = answer["tiles"][0] if address.panel and answer["tiles"] else None
    here = str(request.base_url).rstrip("/")
    return page(
        request,
        "explorer.html",
        **frame(request, address, formats, explorer.title),
        **drawn(answer, Surroundings(address, formats, request.user.correlation_id), live=False),
        explorer=explorer,
        panel=opened and panel_of(opened, principal, address.company, formats, here, address.as_of),
        offers=(),
        chosen={name: [value for value in values if value] for name, values in chosen.items()},
        view=view,
        events=await _events(request, address.company),
        tools=tools(address),
        boards=await places_to_save(request, address.company) if asked else None,
        tile=tile,
        saved_as=msgspec.json.encode(tile).decode(),
        key=new_event_id(),
    )


async def _events(request: HttpRequest, company: str) -> Sequence[Mapping[str, Any]]:
    """The events there are, what most users did first; none where the caller may not see them."""
    side: ReadServices = request.app.state.side
    asked = Question("user_step_totals", company, {"by": "name"}, asked_at(request))
    try:
        rows = (await side.questions.ask(request.user.principal, asked))["rows"]
    except Forbidden:
        return ()
    return sorted(rows, key=lambda row: (-row["users"], row["name"]))[:MOST_EVENTS]
