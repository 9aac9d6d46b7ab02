"""Commands that pages send: an ordinary form, on behalf of whoever is signed in.

Who takes them is given, because the read side knows no command. Forms that are more than a button read their fields
themselves, and send them through `send`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from domain.access.rights import Right, require
from domain.configuration.registry import command_by_name
from domain.errors import AnalyticsError, Invalid
from domain.position import Position
from domain.request.caller import PAGE
from domain.whole_number import whole_number
from projections.engine.query.request import Question
from read_api.answers.configuration import HISTORY
from read_api.http.request import HttpRequest
from read_api.services import ReadServices
from read_api.web.forms import gone_to, own_path, read_form
from read_api.web.services import PageCommand, PageServices

FIELDS = ("company", "id", "version", "key", "body", "next")
MOST_COMMAND = 512 * 1024  # bytes, as the command API takes them


async def send(request: HttpRequest, command: PageCommand) -> Mapping[str, Any]:
    """Have a command taken for whoever is signed in; what lists it shows it then, if it is in time.

    Raises as `PageCommands.take` does; Forbidden before anything of the command is looked at.
    """
    side: ReadServices = request.app.state.side
    pages: PageServices = request.app.state.pages
    caller = request.user
    company = caller.company(command.company or None)
    caller.about = command.id
    require(caller.principal, Right.COMMAND, company)
    command = replace(command, company=company, correlation_id=caller.correlation_id)
    answer = await pages.commands.take(caller.principal, command)
    with suppress(AnalyticsError):  # the command was taken, whatever becomes of waiting for the lists
        shows = Question(HISTORY, company, {}, side.questions.now())
        await side.questions.reach(shows, Position.parse(answer["position"]))
    return answer


@post("/commands/{name:str}", include_in_schema=False, opt={PAGE: True}, request_max_body_size=MOST_COMMAND)
async def take_command(name: FromPath[str], request: HttpRequest) -> Response[None]:
    """Take a command of a form and go to its `next`; `body` is the command's JSON. Raises as `send`, Invalid."""
    form = await read_form(request)
    if unknown := sorted(form.keys() - set(FIELDS)):
        raise Invalid(f"this form has no field {unknown[0]!r}", code="unknown_field")
    command_by_name(name)
    await send(request, _command(name, form))
    return gone_to(own_path(form.get("next", "")))


def _command(name: str, form: Mapping[str, str]) -> PageCommand:
    try:
        version = whole_number(form["version"]) if form.get("version") else None
    except ValueError as error:
        raise Invalid(f"version: {error}", code="bad_version") from None
    return PageCommand(
        name, form.get("company", ""), form.get("body", "").encode(), form.get("id", ""), version,
        form.get("key", ""),
    )  # fmt: skip
