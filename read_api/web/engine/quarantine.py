"""`/engine/quarantine`: bad events that wait: why, what they hold, their repair, their end."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from google.protobuf.descriptor import FieldDescriptor
from litestar import Response, get, post
from litestar.params import FromPath

from domain.access.rights import Principal, Right, may, require
from domain.audit import Action, Actor
from domain.errors import Invalid, NotFound
from domain.events.catalogue import STREAMS, event_type
from domain.events.problems import Code
from domain.request.caller import ACTION, PAGE
from domain.whole_number import whole_number
from eventlog.intake.quarantine import Entry, Filter
from eventlog.intake.repair import Change, document_of
from read_api.http.request import HttpRequest, whole_parameter
from read_api.web.engine.places import QUARANTINE, room_of, rooms
from read_api.web.engine.projections import confirmed
from read_api.web.forms import gone_to, read_form
from read_api.web.room import Page, instance_page

FILTERS = ("code", "stream", "door", "status", "of_company")
ROWS = 50
STATUSES = ("waiting", "replayed", "dropped")
WITHHELD = frozenset({"CONFIDENTIAL", "PERSONAL"})
ANY = "any"
TEXT = "text"
KINDS = {FieldDescriptor.CPPTYPE_STRING: TEXT, FieldDescriptor.CPPTYPE_DOUBLE: "number"}
SET = "set."  # before the path of a member, in the repair form
OF_ENVELOPE = ("message_type", "company_id", "user_id", "timestamp")
MOST_FORM = 2 * 1024 * 1024  # bytes: an event of the largest size, as a form writes it


class Field(NamedTuple):
    """A member in the repair form: its path, its text (empty where it is absent or closed), what the contract says."""

    path: str
    text: str
    kind: str


class Content(NamedTuple):
    """What an entry holds, as somebody may see it. `document`: as JSON, None where it is none or is closed."""

    document: Mapping[str, Any] | None
    raw: str
    closed: bool


@get("/engine/quarantine", include_in_schema=False, opt={PAGE: True})
async def quarantine_page(request: HttpRequest) -> Response[bytes]:
    """Entries, the newest first; those that wait unless another state is asked for."""
    page = instance_page(request, *FILTERS, "before")
    require(page.principal, Right.QUARANTINE)
    asked = page.params
    status = asked.get("status", STATUSES[0])
    wanted = Filter(
        asked.get("of_company"), asked.get("code"), asked.get("stream"), asked.get("door"),
        None if status == ANY else status, whole_parameter(asked, "before", 0, 2**62, 0) or None, None, ROWS,
    )  # fmt: skip
    entries = await room_of(page).entries(wanted)
    return page.html(
        "engine/quarantine.html",
        "Engine: quarantine",
        rooms=rooms(page),
        entries=[(entry, page.to(f"{QUARANTINE}/{entry.id}")) for entry in entries],
        asked=asked,
        status=status,
        statuses=(*STATUSES, ANY),
        codes=sorted(code.value for code in Code),
        streams=STREAMS,
        next=page.again(before=entries[-1].id) if len(entries) == ROWS else "",
    )


@get("/engine/quarantine/{number:str}", include_in_schema=False, opt={PAGE: True, ACTION: Action.EVENTS})
async def entry_page(number: FromPath[str], request: HttpRequest) -> Response[bytes]:
    """One entry, whole: why it waits, what it holds, and how it is made good."""
    page = instance_page(request, "did")
    require(page.principal, Right.QUARANTINE)
    return await _shown(page, _number(number), page.params.get("did", ""), "", {})


@post(
    "/engine/quarantine/{number:str}", status_code=200, include_in_schema=False, opt={PAGE: True},
    request_max_body_size=MOST_FORM,
)  # fmt: skip
async def do_with_entry(number: FromPath[str], request: HttpRequest) -> Response[bytes] | Response[None]:
    """Try a repair, replay the entry, or drop it with a reason.

    Raises Forbidden, NotFound, Conflict, Invalid where it is still bad or where a form says nothing usable.
    """
    page = instance_page(request)
    require(page.principal, Right.QUARANTINE)
    form, room, entry = await read_form(request), room_of(page), _number(number)
    verb, reason = form.get("verb", ""), form.get("reason", "").strip()
    request.user.about = f"{verb}: {reason}" if reason else verb
    actor, here = Actor.of(page.principal), f"{QUARANTINE}/{entry}"
    if verb == "drop":
        confirmed(form, str(entry))
        await room.drop(actor, entry, reason)
        return gone_to(page.to(here, did="it waits no more"))
    if verb not in ("try", "replay"):
        raise Invalid("verb: one of try, replay, drop", code="bad_field")
    change = await _change(page, entry, form)
    if verb == "replay":
        return gone_to(page.to(here, did=f"it is replayed to {await room.replay(actor, entry, change)}"))
    problem = await room.problem(entry, change)
    return await _shown(page, entry, "" if problem else "it would be good", problem, form)


def _number(text: str) -> int:
    try:
        return whole_number(text)
    except ValueError:
        raise NotFound(f"there is no entry {text} in quarantine", code="no_quarantine_entry") from None


async def _shown(page: Page, number: int, did: str, problem: str, typed: Mapping[str, str]) -> Response[bytes]:
    entry, content = await room_of(page).entry(number)
    if entry.company_id:
        page.request.user.company(entry.company_id)  # whose event is looked at
    seen = content_of(page.principal, entry, content)
    return page.html(
        "engine/entry.html",
        f"Engine: quarantine {number}",
        rooms=rooms(page),
        entry=entry,
        content=seen,
        fields=_fields(seen.document, content, typed),
        text=typed.get("event") or (json.dumps(seen.document, indent=2, ensure_ascii=False) if seen.document else ""),
        did=did,
        problem=problem,
        open=entry.status == STATUSES[0] and entry.projection is None,
    )


def content_of(principal: Principal, entry: Entry, content: bytes) -> Content:
    """What an entry holds; closed are events that are confidential or personal, and what cannot be told from those.

    Open to whoever may see payloads of that company. Nobody sees the publisher's token.
    """
    document = _document(content)
    known = document is not None and str(document.get("data_class", "")).upper() not in WITHHELD
    if not known and not may(principal, Right.PAYLOADS, entry.company_id or None):
        return Content(None, "", True)
    if document is not None:
        return Content({n: v for n, v in document.items() if n not in ("auth_token", "authToken")}, "", False)
    try:
        return Content(None, content.decode(), False)
    except UnicodeDecodeError:
        return Content(None, content.hex(" "), False)


def _document(content: bytes) -> dict[str, Any] | None:
    """The event as JSON members; None for bytes that are none."""
    try:
        found = json.loads(content)
        return found if isinstance(found, dict) else None
    except (ValueError, RecursionError):
        pass
    try:
        return document_of(content)
    except Invalid:
        return None


def _fields(document: Mapping[str, Any] | None, content: bytes, typed: Mapping[str, str]) -> Sequence[Field]:
    """The form that the contract makes: members of the envelope, and those of the payload of its type."""
    whole = document or _document(content) or {}
    kind = event_type(str(whole.get("message_type") or whole.get("messageType") or ""))
    payload = (document or {}).get("payload")
    values = payload if isinstance(payload, dict) else {}
    named = [(name, (document or {}).get(name), TEXT) for name in OF_ENVELOPE]
    if kind is not None:
        named += [(f"payload.{f.name}", values.get(f.name), _kind(f)) for f in kind.message.DESCRIPTOR.fields]
    return [Field(path, typed.get(SET + path, _text(value)), words) for path, value, words in named]


def _kind(field: Any) -> str:
    """What the contract says of a field (protobuf has two classes of descriptors), in a word."""
    if field.enum_type is not None:
        return " | ".join(value.name for value in field.enum_type.values if value.number)
    return "JSON" if field.message_type is not None else KINDS.get(field.cpp_type, "whole number")


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


async def _change(page: Page, number: int, form: Mapping[str, str]) -> Change:
    """What the form changes: the event that was typed instead, or the members whose texts are others now."""
    if form.get("event", "").strip():
        return Change(instead=form["event"].encode())
    entry, content = await room_of(page).entry(number)
    seen = content_of(page.principal, entry, content)
    before = {field.path: field for field in _fields(seen.document, content, {})}
    members = {}
    for name, text in form.items():
        field = before.get(name.removeprefix(SET)) if name.startswith(SET) else None
        if field is not None and text != field.text:
            members[field.path] = _value(field, text)
    return Change(members=members)


def _value(field: Field, text: str) -> Any:
    """What a text stands for: texts as they are, else JSON; an emptied one takes the member away."""
    if not text.strip():
        return None
    if field.kind == TEXT:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
