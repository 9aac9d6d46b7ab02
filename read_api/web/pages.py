"""Routes of the pages, and of what they load. A page takes the cookie of a session; the API does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from litestar import Request, Response, Router, get
from litestar.params import FromPath

from domain.access.rights import Principal, Right, may, require
from domain.configuration.dashboard import FILTERS
from domain.errors import Forbidden, NotFound
from domain.metrics.catalogue import METRICS, metric
from domain.metrics.metric import Metric
from domain.request.caller import OPEN, PAGE
from projections.engine.declare.registry import all_registered
from projections.engine.query.request import Question
from read_api.answers.configuration import KINDS
from read_api.dashboards.dashboards import DashboardQuestion
from read_api.dashboards.documents import PERSON, Document
from read_api.health.projection_status import visible_to
from read_api.http.departure import for_caller
from read_api.http.problems import of_framework
from read_api.http.request import HttpRequest, asked_at, parameters
from read_api.http.responses import JSON
from read_api.services import ReadServices
from read_api.web import sign_in
from read_api.web.address import SPANS, Address
from read_api.web.admin import pages as admin
from read_api.web.audit.handlers import AUDIT
from read_api.web.bundle import BUNDLE, bundle_version
from read_api.web.commands import take_command
from read_api.web.compared import a_year_before
from read_api.web.drawing import drawn
from read_api.web.drawn_tiles import Surroundings
from read_api.web.engine.handlers import ENGINE
from read_api.web.explained import events_page
from read_api.web.explorer_pages import explorer_page, tools
from read_api.web.export import exported, offers
from read_api.web.formats import Formats
from read_api.web.frame import first_company, formats_of, frame, places
from read_api.web.market import picker_of
from read_api.web.page import address_and_formats, address_of, page
from read_api.web.panel import panel_of
from read_api.web.past_dashboard import dashboard_as_of
from read_api.web.people import people_of, person, person_address, users
from read_api.web.rendering import FILE_HEADERS, PAGE_HEADERS, TYPES, design_file, file_response
from read_api.web.reports.handlers import REPORTS, newest_reports
from read_api.web.reports.request import of_dashboard
from read_api.web.room import page_of
from read_api.web.saved_tiles import save_tile
from read_api.web.tiles import Bases

MOST_REPORTS = 20  # that are searched for by name
PATIENCE = 0.25  # seconds that a page waits for figures; they come by themselves


def routes() -> Router:
    """Every page. What goes wrong is left to the middleware, which answers with a page."""
    shown = [home, dashboard, exported, pipeline, metric_page, events_page, search, users, person, explorer_page]
    rooms = (*admin.HANDLERS, *AUDIT, *ENGINE, *REPORTS)
    handlers = [*shown, *rooms, static_file, sign_in.sign_in, sign_in.sign_out, take_command, save_tile]
    return Router("/", route_handlers=handlers, exception_handlers={Exception: _pass_on})


def _pass_on(request: HttpRequest, error: Exception) -> Response[bytes]:
    raise of_framework(error, f"{request.method} {request.url.path}")


@get("/", include_in_schema=False, opt={PAGE: True}, sync_to_thread=False)
def home(request: HttpRequest) -> Response[None]:
    """Go to the first page that the role has."""
    principal = request.user.principal
    company = parameters(request).get("company") or first_company(principal)
    found = places(principal, company, "")
    if not found:
        raise NotFound("there is no page for your role yet", suggested_actions=("Use the API with your token.",))
    return Response(None, status_code=303, headers={**PAGE_HEADERS, "Location": found[0].href})


@get("/dashboards/{name:str}", include_in_schema=False, opt={PAGE: True})
async def dashboard(name: FromPath[str], request: HttpRequest) -> Response[bytes]:
    """A standard dashboard by its name, or a configured one by its id, with all its figures."""
    address, formats = await address_and_formats(request)
    return await for_caller(request, _dashboard(request, name, address, formats))


async def _dashboard(request: HttpRequest, name: str, address: Address, formats: Formats) -> Response[bytes]:
    side: ReadServices = request.app.state.side
    principal = request.user.principal
    now = asked_at(request)
    document = await side.dashboards.document(principal, name, address.company, now)
    picker = await picker_of(request, document, address)
    period = address.params(formats.today, formats.calendar)
    params = {name: text for name, text in period.items() if name in document.params}
    params |= picker.params(document) if picker else {}
    # its scripts follow it from here; without them it asks again by itself while something is pending
    question = DashboardQuestion(name, address.company, params, followed=True, patience=PATIENCE)
    side.health.dashboards.add()
    request.app.state.pages.bundle.begin()
    if address.as_of:
        answer = await dashboard_as_of(side, principal, document, question, address.as_of, now)
    else:
        answer = await side.dashboards.answer(principal, question, asked_at=now)
    bases = await _bases(request, address, answer, formats)
    people = await people_of(request, address.company) if document.needs else ()
    formats = replace(formats, currency=answer["currency"])
    return _page(request, address, formats, document, answer, {"bases": bases, "people": people, "picker": picker})


async def _bases(request: HttpRequest, address: Address, answer: Mapping[str, Any], formats: Formats) -> Bases | None:
    """What each number is compared with, by tile; None where its own row says so."""
    if address.compare == "previous" or address.as_of:
        return None
    if address.compare == "none":
        return {}
    side = request.app.state.side
    return await a_year_before(side, request.user.principal, answer, asked_at(request), formats.zone)


def _page(
    request: HttpRequest,
    address: Address,
    formats: Formats,
    document: Document,
    answer: Mapping[str, Any],
    beside: Mapping[str, Any],
) -> Response[bytes]:
    opened = next((tile for tile in answer["tiles"] if tile["id"] == address.panel), None)
    here = str(request.base_url).rstrip("/")
    filters = [name for name in FILTERS if name in document.params]
    narrows = (*filters, *SPANS)
    around = Surroundings(address, formats, request.user.correlation_id, beside["picker"], narrows)
    panel = opened and panel_of(opened, request.user.principal, address.company, formats, here, address.as_of)
    return page(
        request,
        "dashboard.html",
        **frame(request, address, formats, answer["title"]),
        **drawn(answer, around, beside["bases"], live=not address.as_of),
        panel=panel,
        offers=offers(request.user.principal, address) if panel else (),
        filters=filters,
        report=of_dashboard(address, document.name) if _may_report(request, address) else "",
        people=beside["people"],
        tools=tools(address) if document.name in ("users", PERSON) else (),
    )


def _may_report(request: HttpRequest, address: Address) -> bool:
    """Whether what the page shows can be had as a report: one of the past is asked for by its position."""
    return not address.as_of and may(request.user.principal, Right.REPORTS, address.company)


@get("/pipeline", include_in_schema=False, opt={PAGE: True})
async def pipeline(request: HttpRequest) -> Response[bytes]:
    """How far every projection is."""
    side: ReadServices = request.app.state.side
    require(request.user.principal, Right.STATUS)
    statuses, silent = await side.statuses.latest()
    shown = visible_to(request.user.principal, statuses)
    formats = formats_of(request)
    context = frame(request, address_of(request), formats, "Pipeline")
    return page(request, "pipeline.html", **context, projections=shown, silent=silent)


@get("/search.json", include_in_schema=False, opt={PAGE: True})
async def search(request: HttpRequest) -> Response[bytes]:
    """What can be searched for: pages, configured dashboards, metrics and the tiles that show them."""
    address = address_of(request)
    side: ReadServices = request.app.state.side
    found = [
        {"title": p.title, "what": "page", "href": p.href} for p in places(request.user.principal, address.company, "")
    ]
    try:
        asked = Question(KINDS["dashboard"].query, address.company, {"archived": "false"}, asked_at(request))
        rows = (await side.questions.ask(request.user.principal, asked))["rows"]
    except Forbidden:
        rows = []  # not for this role
    for row in rows:
        href = replace(address, path=f"/dashboards/{row['id']}").text()
        found.append({"title": row["name"], "what": "dashboard", "href": href})
    found += await newest_reports(await page_of(request), MOST_REPORTS)
    for user in await people_of(request, address.company):
        found.append({"title": user, "what": "user", "href": person_address(address.company, user)})
    for entry in _metrics_seen_by(request.user.principal, address.company):
        found.append(
            {"title": entry.title, "what": f"metric · {entry.section.value}", "href": _metric_page(entry.key, address)}
        )
    return Response(msgspec.json.encode(found), media_type=JSON, headers={"Cache-Control": "private, max-age=60"})


def _metrics_seen_by(principal: Principal, company: str) -> list[Metric]:
    """Metrics that have a page for them: a table has none, it is a tile of dashboards."""
    seen = principal.member is not None or may(principal, all_registered()["metric"].right, company)
    return [entry for entry in METRICS.values() if seen and not entry.told_by]


def _metric_page(key: str, address: Address) -> str:
    return f"/metric/{key}?company={address.company}"


@get("/metric/{key:str}", include_in_schema=False, opt={PAGE: True})
async def metric_page(key: FromPath[str], request: HttpRequest) -> Response[bytes]:
    """One metric of the catalogue: what it is, and its value now."""
    address, formats = await address_and_formats(request)
    entry, side, now = metric(key), request.app.state.side, asked_at(request)
    asked = Question("metric", address.company, {"key": key, **address.params(formats.today, formats.calendar)}, now)
    answer = await for_caller(request, side.questions.ask(request.user.principal, asked))
    tile = {**answer, "title": entry.title, "kind": "number", "query": "metric", "params": dict(asked.params)}
    tile["extra"] = answer
    formats = replace(formats, currency=answer.get("currency") or formats.currency)
    here = str(request.base_url).rstrip("/")
    shown = panel_of(tile, request.user.principal, address.company, formats, here, "")
    return page(request, "metric.html", **frame(request, address, formats, entry.title), panel=shown, offers=())


@get("/static/{version:str}/{name:str}", include_in_schema=False, opt={OPEN: True})
async def static_file(version: FromPath[str], name: FromPath[str], request: Request[Any, Any, Any]) -> Response[bytes]:
    """A file that pages load; its version changes with its content, so browsers may keep it for ever.

    Raises NotFound for another name or version, Unavailable where what draws charts cannot be made.
    """
    of_charts = name == BUNDLE and version == bundle_version()
    file = await request.app.state.pages.bundle.file() if of_charts else design_file(version, name)
    return file_response(file, TYPES[Path(name).suffix], FILE_HEADERS, request.headers.get("accept-encoding", ""))
