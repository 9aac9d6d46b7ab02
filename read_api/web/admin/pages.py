"""Routes of the admins' pages: what there is, the editor of each, and what was changed by whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath

from domain.access.rights import Right, require
from domain.audit import Action
from domain.configuration.dashboard import Contents
from domain.configuration.registry import COMMANDS
from domain.errors import NotFound
from domain.events.identity import new_event_id
from domain.metrics.catalogue import METRICS
from domain.problem_documents import status_of
from domain.request.caller import ACTION, PAGE
from projections.engine.declare.registry import all_registered
from projections.engine.query.params import MAX_ROWS
from read_api.answers.configuration import HISTORY
from read_api.dashboards.dashboards import DashboardQuestion
from read_api.dashboards.documents import NAMES, Document, standard
from read_api.http.departure import for_caller
from read_api.http.request import HttpRequest, asked_at
from read_api.services import ReadServices
from read_api.web.address import Address
from read_api.web.admin.due import due_of
from read_api.web.admin.editing import Draft, redrawn, submitted
from read_api.web.admin.fields import fields_of
from read_api.web.admin.things import OF_COMPANY, SECTIONS, Thing, closed, new_thing, part_of_company, rows_of, thing_of
from read_api.web.admin.versions import changes
from read_api.web.commands import MOST_COMMAND
from read_api.web.drawing import drawn
from read_api.web.drawn_tiles import Surroundings
from read_api.web.frame import formats_for, frame
from read_api.web.page import address_of, page, values_of

NEWEST = 20  # changes on the first page
DONE: Mapping[str, str] = {"saved": "Saved.", "same": "Nothing was changed: it is so already."}
DRAFT = "/draft"  # after the path of an editor
OWN = ("done", "like", "command")  # parameters of these pages
ALL = {"limit": str(MAX_ROWS)}


def _address(request: HttpRequest) -> Address:
    """What this request's address asks for. Raises Forbidden unless they may command in that company."""
    address = address_of(request, *OWN)
    require(request.user.principal, Right.COMMAND, address.company)
    return replace(address, path=address.path.removesuffix(DRAFT))


@get("/admin", include_in_schema=False, opt={PAGE: True})
async def overview(request: HttpRequest) -> Response[bytes]:
    """How much there is of each kind, and what was changed last."""
    address = _address(request)
    counts = {name: len(await rows_of(request, kind.query, address.company, ALL)) for name, kind in SECTIONS.items()}
    history = sorted(await rows_of(request, HISTORY, address.company, ALL), key=lambda row: str(row["at"]))
    context = await _frame(request, address, "Admin")
    return page(request, "admin.html", **context, counts=counts, history=changes(history[-NEWEST:]))


@get("/admin/{section:str}", include_in_schema=False, opt={PAGE: True})
async def section_page(section: FromPath[str], request: HttpRequest) -> Response[bytes]:
    """All things of a kind, those that are archived last; or the parts of a company."""
    address = _address(request)
    principal = request.user.principal
    if section == "company":
        parts = {part: closed(principal, command, address.company) for part, command in OF_COMPANY.items()}
        commands = {part: command.summary for part, command in OF_COMPANY.items()}
        return page(
            request, "admin_company.html", **await _frame(request, address, "Company"), parts=parts, commands=commands
        )
    kind = _section_words(section)
    rows = sorted(
        await rows_of(request, SECTIONS[section].query, address.company, ALL),
        key=lambda row: (row["archived"], row["name"].lower()),
    )
    context = await _frame(request, address, f"{kind.capitalize()}s")
    documents = [(name, standard()[name].contents) for name in NAMES] if section == "dashboards" else []
    shut = closed(principal, COMMANDS[f"{SECTIONS[section].name}.create"], address.company)
    return page(
        request, "admin_list.html", **context, section=section, rows=rows, kind=kind, standard=documents, shut=shut
    )


@get("/admin/{section:str}/{name:str}", include_in_schema=False, opt={PAGE: True})
async def editor(section: FromPath[str], name: FromPath[str], request: HttpRequest) -> Response[bytes]:
    """The form of one thing, as it is now."""
    address = _address(request)
    thing = await _thing(request, address, section, name)
    note = DONE.get(next(iter(values_of(request, "done")), ""), "")
    draft = Draft(thing, thing.values, thing.version, new_event_id(), note=note)
    return await for_caller(request, _shown(request, address, section, draft))


@post(
    "/admin/{section:str}/{name:str}",
    status_code=200,
    include_in_schema=False,
    opt={PAGE: True},
    request_max_body_size=MOST_COMMAND,
)
async def edit(section: FromPath[str], name: FromPath[str], request: HttpRequest) -> Response[bytes] | Response[None]:
    """Take what the form says, or show it again."""
    address = _address(request)
    found = await submitted(request, address.company, lambda: _thing(request, address, section, name))
    if isinstance(found, Response):
        return found
    return await for_caller(request, _shown(request, address, section, found))


@post(
    f"/admin/{{section:str}}/{{name:str}}{DRAFT}",
    status_code=200,
    include_in_schema=False,
    opt={PAGE: True, ACTION: Action.READ},
    request_max_body_size=MOST_COMMAND,
)
async def redraw(section: FromPath[str], name: FromPath[str], request: HttpRequest) -> Response[bytes]:
    """The form as a button leaves it that only changes the draft: a read, because nothing is commanded."""
    address = _address(request)
    draft = await redrawn(request, lambda: _thing(request, address, section, name))
    return await for_caller(request, _shown(request, address, section, draft))


HANDLERS: Sequence[BaseRouteHandler] = (overview, section_page, editor, edit, redraw)


def _section_words(section: str) -> str:
    """What a section is called. Raises NotFound for one that there is not."""
    if section not in SECTIONS:
        raise NotFound(f"there is no page {section[:64]!r} for admins", code="no_page")
    return SECTIONS[section].words


async def _thing(request: HttpRequest, address: Address, section: str, name: str) -> Thing:
    if section == "company":
        return await part_of_company(request, address.company, name)
    _section_words(section)
    if name == "new":
        return await new_thing(request, address.company, section, next(iter(values_of(request, "like")), ""))
    return await thing_of(request, address.company, section, name, next(iter(values_of(request, "command")), ""))


async def _shown(request: HttpRequest, address: Address, section: str, draft: Draft) -> Response[bytes]:
    thing, problem = draft.thing, draft.problem
    context = await _frame(request, address, thing.title)
    preview = await _preview(request, address, draft) if section == "dashboards" else None
    asked = f"?{request.url.query}" if request.url.query else ""
    response = page(
        request,
        "admin_edit.html",
        **context,
        section=section,
        draft=draft,
        thing=thing,
        action=address.path + asked,
        redraw=address.path + DRAFT + asked,
        fields=fields_of(thing.command.kind, draft.values),
        history=changes(thing.history),
        shut=closed(request.user.principal, thing.command, address.company),
        suggestions=_suggestions(),
        preview=preview,
        due=due_of(draft.values, asked_at(request), context["formats"].locale),
    )
    response.status_code = status_of(problem) if problem else 200
    return response


async def _preview(request: HttpRequest, address: Address, draft: Draft) -> dict[str, Any] | None:
    """The dashboard of a draft with its figures, by the renderer of all; None while the draft is none."""
    side: ReadServices = request.app.state.side
    try:
        contents = msgspec.convert({**draft.values, "name": draft.values.get("name") or "–"}, Contents)
    except msgspec.ValidationError:
        return None
    document = Document(draft.thing.id, contents)
    request.app.state.pages.bundle.begin()
    question = DashboardQuestion(draft.thing.id, address.company)
    answer = await side.dashboards.answer_document(
        request.user.principal, document, question, asked_at=asked_at(request)
    )
    formats = replace(await formats_for(request, address.company), currency=answer["currency"])
    return drawn(answer, Surroundings(address, formats, request.user.correlation_id, explained=False), live=False)


def _suggestions() -> Mapping[str, Sequence[str]]:
    """What texts of these names may be, by the name of the field."""
    queries = sorted(all_registered())
    params = sorted({param.name for query in all_registered().values() for param in query.params})
    return {"query": queries, "key": sorted(METRICS), "params": params, "measure": ()}


async def _frame(request: HttpRequest, address: Address, title: str) -> dict[str, Any]:
    sections = {name: f"{kind.words.capitalize()}s" for name, kind in SECTIONS.items()}
    context = frame(request, address, await formats_for(request, address.company), title)
    return context | {"sections": {**sections, "company": "Company"}}
