"""`/engine`: how far every projection is; one of them, its versions, and what can be done with these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from domain.access.rights import Right, may, require
from domain.audit import Action
from domain.errors import AnalyticsError, Invalid
from domain.request.caller import ACTION, PAGE
from domain.whole_number import whole_number
from eventlog.intake.quarantine import Filter
from projections.engine.declare.registry import all_projections, projection
from projections.engine.rebuild_plan import Plan
from read_api.http.departure import for_caller
from read_api.http.request import HttpRequest
from read_api.web.audit.places import event_address
from read_api.web.engine.places import HOME, room_of, rooms
from read_api.web.engine.port import DANGEROUS, Verb
from read_api.web.forms import gone_to, read_form
from read_api.web.room import Page, instance_page

FIELDS = ("verb", "version", "reason", "confirm")
COUNTED = 1_000  # entries of the quarantine that are counted


@get("/engine", include_in_schema=False, opt={PAGE: True, ACTION: Action.STATUS})
async def engine_page(request: HttpRequest) -> Response[bytes]:
    """Every version with its position and lag; the processes, the caches, what waits in quarantine."""
    page = instance_page(request)
    require(page.principal, Right.PROJECTIONS)
    statuses, silent = await page.side.statuses.latest()
    waiting = await room_of(page).entries(Filter(limit=COUNTED)) if may(page.principal, Right.QUARANTINE) else ()
    health = await page.side.health()
    return page.html(
        "engine/projections.html",
        "Engine: projections",
        rooms=rooms(page),
        projections=[{**each, "href": _href(page, str(each["name"])), **_failure(page, each)} for each in statuses],
        silent=silent,
        waiting=len(waiting),
        counted=COUNTED,
        health=health,
        caches=page.side.questions.cache.figures(),
        workers=await page.side.statuses.workers(),
    )


@get("/engine/projections/{name:str}", include_in_schema=False, opt={PAGE: True, ACTION: Action.STATUS})
async def projection_page(name: FromPath[str], request: HttpRequest) -> Response[bytes]:
    """One projection. `compare`: a version whose rows are set beside those of the live one."""
    page = instance_page(request, "compare", "did")
    require(page.principal, Right.PROJECTIONS)
    declared, room = projection(name), room_of(page)
    statuses, _ = await page.side.statuses.latest()
    own = [{**each, **_failure(page, each)} for each in statuses if each["name"] == name]
    versions = await room.versions(name)
    building = next((each for each in versions if each.state == "building"), None)
    compared = page.params.get("compare", "")
    plan, why_not = await _plan(page, name) if building is None or not building.working else (None, "")
    return page.html(
        "engine/projection.html",
        f"Engine: {name}",
        rooms=rooms(page),
        declared=declared,
        statuses={each["version"]: each for each in own},
        versions=versions,
        building=building,
        plan=plan,
        why_not=why_not,
        failure=room.failure(name),
        live=next((each for each in versions if each.live), None),
        finished=[each for each in versions if not each.live and each.state != "building"],
        backlogs=_backlogs(page, name),
        snapshots=await room.snapshots(name),
        compared=compared,
        comparison=compared and await for_caller(request, room.compare(name, _number(compared))),
        did=page.params.get("did", ""),
        tables=[table.name for table in declared.tables],
    )


@post("/engine/projections/{name:str}", include_in_schema=False, opt={PAGE: True})
async def do_with_projection(name: FromPath[str], request: HttpRequest) -> Response[None]:
    """Rebuild, cancel, switch, drop, pause, resume or copy it, as the form says.

    Raises Forbidden, NotFound, Conflict, NotYet, Invalid for a dangerous deed without its name or without a reason.
    """
    page = instance_page(request)
    form = await read_form(request)
    require(page.principal, Right.PROJECTIONS)
    if unknown := sorted(form.keys() - set(FIELDS)):
        raise Invalid(f"this form has no field {unknown[0]!r}", code="unknown_field")
    projection(name)
    if form.get("verb") not in list(Verb):
        raise Invalid(f"verb: one of {', '.join(Verb)}", code="bad_field")
    verb = Verb(form["verb"])
    version = _number(form["version"]) if form.get("version") else None
    thing, reason = f"{name}@{version}" if version else name, form.get("reason", "").strip()
    request.user.about = f"{verb} {thing}" + (f": {reason}" if reason else "")
    if verb in DANGEROUS:
        confirmed(form, thing)
    did = await room_of(page).do(verb, name, version, reason)
    return gone_to(page.to(f"{HOME}/projections/{name}", did=did))


def confirmed(form: Mapping[str, str], thing: str) -> None:
    """Raise Invalid unless the form repeats the name of the thing, and says why."""
    if form.get("confirm", "").strip() != thing:
        raise Invalid(f"type {thing} to confirm", code="not_confirmed")
    if not form.get("reason", "").strip():
        raise Invalid("say why: it is kept in the trail", code="missing_reason")


async def _plan(page: Page, name: str) -> tuple[Plan | None, str]:
    """What a rebuild would do, or why there can be none now."""
    try:
        return await room_of(page).plan(name), ""
    except AnalyticsError as error:
        return None, str(error)


def _backlogs(page: Page, name: str) -> list[tuple[int, str, int, int, int]]:
    """What each version has still to fold: version, topic, partition, from which offset to which."""
    return [
        (version, topic, partition, start, stop)
        for (known, version), spans in sorted(page.side.statuses.backlogs.items())
        if known == name
        for (topic, partition), (start, stop) in sorted(spans.items())
    ]


def _failure(page: Page, status: Mapping[str, Any]) -> dict[str, str]:
    """Where the event is at which a version stands, for whoever may look at events."""
    failure = status["failure"]
    if not isinstance(failure, dict) or not failure["event_id"] or not failure["company_id"]:
        return {"event_href": ""}
    seen = may(page.principal, Right.EVENTS, failure["company_id"])
    return {"event_href": event_address(failure["company_id"], failure["event_id"]) if seen else ""}


def _href(page: Page, name: str) -> str:
    return page.to(f"{HOME}/projections/{name}") if name in all_projections() else ""


def _number(text: str) -> int:
    try:
        return whole_number(text, 1, 2**31 - 1)
    except ValueError as error:
        raise Invalid(f"version: {error}", code="bad_version") from None
