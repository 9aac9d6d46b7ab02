"""A form that was sent: a draft that goes on, a look before, or a command; and what is to be shown of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Response

from domain.errors import AnalyticsError, Conflict, Invalid
from domain.whole_number import whole_number
from read_api.http.request import HttpRequest
from read_api.web.admin.drafts import edited
from read_api.web.admin.fields import read_fields
from read_api.web.admin.things import Thing
from read_api.web.admin.versions import Difference, differences
from read_api.web.commands import send
from read_api.web.forms import gone_to, read_form
from read_api.web.services import PageCommand

SWITCHES = ("enable", "disable", "archive", "restore")
STALE = "stale_version"
Load = Callable[[], Coroutine[Any, Any, Thing]]


@dataclass(slots=True)
class Draft:
    """What is in the form: the values, the version that it began with, and its idempotency key.

    `problem`: why it was not taken; `wrong`: reasons by field; `comparison`: differences under their title, of a look
    before or of a conflict; `note`: one sentence.
    """

    thing: Thing
    values: dict[str, Any]
    version: int | None
    key: str
    problem: AnalyticsError | None = None
    wrong: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    comparison: tuple[str, Sequence[Difference]] | None = None
    note: str = ""
    changed: bool = False


async def submitted(request: HttpRequest, company: str, load: Load) -> Draft | Response[None]:
    """Do what the button of the form says, and go to the page again; or the draft, where that is not all.

    `load` reads what the form is about. Raises Invalid for a form that is none of ours, Unavailable.
    """
    draft, deed = await _read(request, load)
    request.user.about = "a draft"
    try:
        if gone := await _done(request, company, draft, deed):
            return gone
    except (Invalid, Conflict) as error:
        draft.problem, draft.wrong = error, _wrong(str(error))
        if error.code == STALE:
            await _show_conflict(draft, load)
    return draft


async def redrawn(request: HttpRequest, load: Load) -> Draft:
    """The draft after a button that commands nothing. Raises as `submitted`."""
    draft, deed = await _read(request, load)
    draft.values = edited(draft.values, deed)
    return draft


async def _read(request: HttpRequest, load: Load) -> tuple[Draft, str]:
    """What is in the form, and which button sent it."""
    form = await read_form(request)
    thing = await load()
    values = read_fields(thing.command.kind, form)
    return Draft(thing, values, _version(form), form.get("key", ""), changed=True), form.get("do", "")


async def _done(request: HttpRequest, company: str, draft: Draft, deed: str) -> Response[None] | None:
    """Where it goes on after a command; None where the draft is shown again."""
    verb, _, about = deed.partition(" ")
    thing = draft.thing
    if verb == "save":
        return _after(company, thing, await _send(request, company, draft, draft.values))
    if verb == "version" and thing.version:
        return _after(company, thing, await _send(request, company, draft, thing.at(_number(about))))
    if verb in SWITCHES and verb in thing.switches:
        name = f"{thing.command.aggregate.name}.{verb}"
        return _after(company, thing, await _send(request, company, draft, {}, name))
    if verb == "check":
        await _send(request, company, draft, draft.values, dry_run=True)
        comparison = differences(thing.values, _whole(thing, draft.values))
        draft.comparison, draft.note = ("What would change", comparison), "" if comparison else "Nothing would change."
    return None


async def _send(
    request: HttpRequest, company: str, draft: Draft, values: Mapping[str, Any], name: str = "", dry_run: bool = False
) -> Mapping[str, Any]:
    thing, name = draft.thing, name or draft.thing.command.name
    key = "" if dry_run else draft.key
    body = msgspec.json.encode(values)
    command = PageCommand(name, company, body, thing.id, draft.version, key, dry_run)
    answer = await send(request, command)
    request.user.about = f"{name} {answer['id']}{', only a look' if dry_run else ''}"
    return answer


def _after(company: str, thing: Thing, answer: Mapping[str, Any]) -> Response[None]:
    path = thing.path if thing.version is not None else thing.path.removesuffix("new") + answer["id"]
    asked = urlencode({"company": company, "done": "saved" if answer["events"] else "same"})
    return gone_to(f"{path}?{asked}", **{"X-Position": answer["position"]})


async def _show_conflict(draft: Draft, load: Load) -> None:
    """What is so now beside what the form says; whoever saves again has seen it."""
    draft.thing = await load()
    draft.version = draft.thing.version
    draft.comparison = ("Now it is · you wrote", differences(draft.thing.values, _whole(draft.thing, draft.values)))


def _whole(thing: Thing, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Values with the defaults of what was left out."""
    found: Mapping[str, Any] = msgspec.to_builtins(msgspec.convert(values, thing.command.kind))
    return found


def _version(form: Mapping[str, str]) -> int | None:
    return _number(form["version"]) if form.get("version") else None


def _number(text: str) -> int:
    try:
        return whole_number(text)
    except ValueError as error:
        raise Invalid(f"version: {error}", code="bad_version") from None


def _wrong(detail: str) -> Mapping[str, str]:
    """Reasons by the names of fields, out of `trigger.condition.by: must be above 0; name: …`."""
    found = (each.partition(": ") for each in detail.split("; "))
    return {re.sub(r"\[(\d+)\]", r".\1", name): _in_words(reason) for name, _, reason in found if reason}


def _in_words(reason: str) -> str:
    if "matching regex" in reason or "of length >= 1" in reason:
        return "is missing, or not written as it must be"
    return reason.replace("`", "")
