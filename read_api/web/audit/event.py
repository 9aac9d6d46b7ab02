"""`/audit/events/{event}`: one event whole; `/audit/proofs/{event}`: the proof that it is in the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from litestar import Response, get

from domain.access.rights import Right, may, require
from domain.audit import Action
from domain.ports import Placed
from domain.request.caller import ACTION, PAGE
from read_api.http.departure import for_caller
from read_api.http.request import HttpRequest, path_behind
from read_api.http.responses import JSON
from read_api.web.audit.places import EventLine, correlation_address, event_address, event_line, proof_address, rooms
from read_api.web.formats import NOTHING
from read_api.web.rendering import PAGE_HEADERS
from read_api.web.room import Page, page_of

PLACE = ("topic", "partition", "offset", "position")
ADMITTED = "admitted"


class Member(NamedTuple):
    """A member of an envelope or a payload: its name (dotted where it is within another), its value, where it leads."""

    name: str
    value: str
    href: str = ""


class Branch(NamedTuple):
    """An event of the tree of causes with what it caused; `here`: the one that is shown."""

    line: EventLine
    here: bool
    effects: Sequence[Branch]


@get("/audit/events/{event:path}", include_in_schema=False, opt={PAGE: True, ACTION: Action.EVENTS})
async def event_page(request: HttpRequest) -> Response[bytes]:
    """The event of an id or at a place: envelope, payload, what became of it, neighbours, causes and effects."""
    page, event = await page_of(request), path_behind(request, 2)
    detail = await for_caller(request, page.side.event_details.detail_of(page.principal, event, page.company))
    own = detail["event"]
    withheld = "payload_withheld" in own
    outcome = detail["decision"]["outcome"]
    changed = [] if withheld or outcome != ADMITTED else await _changed(page, own)
    members = {name: value for name, value in own.items() if name not in (*PLACE, "payload", "payload_withheld")}
    return page.html(
        "audit/event.html",
        "Audit: event",
        rooms=rooms(page),
        line=event_line(page, own),
        position=own["position"],
        envelope=[_linked(page, each) for each in members_of(members)],
        payload=members_of(own.get("payload", {})),
        raw=msgspec.json.format(msgspec.json.encode(own), indent=2).decode(),
        withheld=withheld,
        decision=detail["decision"],
        neighbours={side: each and event_line(page, each) for side, each in detail["neighbours"].items()},
        tree=_tree(page, detail),
        whole=detail["root"],
        changed=changed,
        proof=may(page.principal, Right.VERIFY, page.company) and proof_address(page.company, event),
        scanned=detail["scanned"],
    )


@get("/audit/proofs/{event:path}", include_in_schema=False, opt={PAGE: True, ACTION: Action.EXPORT})
async def proof_of_event(request: HttpRequest) -> Response[bytes]:
    """The proof that the event is in the log, to be kept and checked anywhere by `analytics log check-proof`.

    Raises NotFound, Forbidden, NotYet while its block is not sealed, Unavailable.
    """
    page = await page_of(request)
    require(page.principal, Right.VERIFY, page.company)
    detail = await page.side.event_details.detail_of(page.principal, path_behind(request, 2), page.company)
    require(page.principal, Right.PAYLOADS, detail["event"]["company_id"])  # a proof holds the record itself
    own = detail["event"]
    place = Placed(own["topic"], own["partition"], own["offset"])
    proof = await for_caller(request, page.services.evidence.proof(place))
    name = f"proof-{own['topic']}-{own['partition']}-{own['offset']}.json"
    headers = {**PAGE_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(msgspec.json.format(msgspec.json.encode(proof), indent=1), media_type=JSON, headers=headers)


@get("/audit/key.pem", include_in_schema=False, opt={PAGE: True})
async def public_key(request: HttpRequest) -> Response[bytes]:
    """The public key that checkpoints are signed by, by which proofs are checked."""
    page = await page_of(request)
    require(page.principal, Right.VERIFY, page.company)
    headers = {**PAGE_HEADERS, "Content-Disposition": 'attachment; filename="checkpoint-key.pem"'}
    return Response(page.services.evidence.public_key(), media_type="application/x-pem-file", headers=headers)


def members_of(value: Any, name: str = "") -> list[Member]:
    """A document as lines: each plain value with the path that leads to it."""
    if isinstance(value, Mapping):
        parts = [(f"{name}.{key}" if name else str(key), each) for key, each in value.items()]
    elif isinstance(value, list):
        parts = [(f"{name}.{number}", each) for number, each in enumerate(value)]
    else:
        return [Member(name, NOTHING if value is None else str(value))]
    return [member for path, each in parts for member in members_of(each, path)]


def _linked(page: Page, member: Member) -> Member:
    if member.name == "correlation_id":
        return member._replace(href=correlation_address(page.company, member.value))
    if member.name == "causation_id":
        return member._replace(href=event_address(page.company, member.value))
    if member.name == "user_id":
        return member._replace(href=page.to("/audit", user=member.value))
    return member


def _tree(page: Page, detail: Mapping[str, Any]) -> Branch:
    """From the first cause that is known down to the direct effects."""
    effects = [Branch(event_line(page, each), False, ()) for each in detail["effects"]]
    branch = Branch(event_line(page, detail["event"]), True, effects)
    for cause in detail["causes"]:
        branch = Branch(event_line(page, cause), False, [branch])
    return branch


async def _changed(page: Page, event: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Which rows the event changed, and by what."""
    place = Placed(event["topic"], event["partition"], event["offset"])
    match = await page.side.search.at(page.principal, place, page.company)
    found = await page.services.evidence.changed_rows(place, match.value)
    return [{**row, "key": members_of(row["key"]), "values": members_of(row["values"])} for row in found]
