"""Commands over HTTP: one route each, derived from the registry.

To create is POST on the collection, to change as a whole PUT on /{id}, to archive DELETE; every other command is a
POST on /{id}/<verb>. Commands on a company are POST /api/v1/company/<what>: there is one a company.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, HeaderParameter, QueryParameter

from command_api import answers, openapi
from command_api.command_handler import CommandHandler, CommandRequest, CommandResult, company_of
from domain.access.rights import Right, require
from domain.configuration.registry import ARCHIVE, CHANGE, COMMANDS, CREATE, CommandType, read_command
from domain.errors import Invalid
from domain.request import tracing
from domain.request.caller import Caller

HttpRequest = Request[Caller, Any, State]

MAX_COMMAND = 512 * 1024  # bytes; a logo of 128 KiB is the largest thing that a command carries
LONGEST_KEY = 255
COLLECTIONS: Mapping[str, str] = MappingProxyType(
    {
        "company": "/api/v1/company",
        "dashboard": "/api/v1/dashboard/config",
        "alert_rule": "/api/v1/alerts/config",
        "report_schedule": "/api/v1/reports/schedule",
    }
)
# Named by the published contract, beside the rule.
ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {"alert_rule.silence": "/api/v1/alerts/{id}/silence", "alert_rule.unsilence": "/api/v1/alerts/{id}/unsilence"}
)
PARAMETERS = ("company", "dry_run")
_METHODS: Mapping[str, str] = MappingProxyType({CHANGE: "PUT", ARCHIVE: "DELETE"})

Company = Annotated[str | None, QueryParameter(name="company", description=openapi.COMPANY)]
DryRun = Annotated[bool, QueryParameter(name="dry_run", description=openapi.DRY_RUN)]
IfMatch = Annotated[str | None, HeaderParameter(name="If-Match", description=openapi.IF_MATCH)]
IdempotencyKey = Annotated[
    str | None, HeaderParameter(name="Idempotency-Key", max_length=LONGEST_KEY, description=openapi.IDEMPOTENCY_KEY)
]


def route(command: CommandType) -> tuple[str, str]:
    """Method and path of a command."""
    collection, verb = COLLECTIONS[command.aggregate.name], command.kind.verb
    if command.aggregate.one_a_company:
        return "POST", f"{collection}/{verb.removeprefix('change_')}"
    if verb == CREATE:
        return "POST", collection
    if verb in _METHODS:
        return _METHODS[verb], f"{collection}/{{id}}"
    return "POST", ELSEWHERE.get(command.name, f"{collection}/{{id}}/{verb.replace('_', '-')}")


def handlers(command_handler: CommandHandler) -> list[HTTPRouteHandler]:
    """A handler for every command."""
    return [_handler(command, command_handler) for command in COMMANDS.values()]


def _handler(command: CommandType, command_handler: CommandHandler) -> HTTPRouteHandler:
    async def about_one(
        request: HttpRequest,
        id: FromPath[UUID],
        company: Company = None,
        if_match: IfMatch = None,
        idempotency_key: IdempotencyKey = None,
        dry_run: DryRun = False,
    ) -> Response[bytes]:
        return await _take(command_handler, command, request, id, company, if_match, idempotency_key, dry_run)

    async def about_none(
        request: HttpRequest,
        company: Company = None,
        if_match: IfMatch = None,
        idempotency_key: IdempotencyKey = None,
        dry_run: DryRun = False,
    ) -> Response[bytes]:
        return await _take(command_handler, command, request, None, company, if_match, idempotency_key, dry_run)

    method, path = route(command)
    return HTTPRouteHandler(
        path.replace("{id}", "{id:uuid}"),
        http_method=method,  # type: ignore[arg-type]  # one of its literals, as text
        status_code=201 if command.creates else 200,
        request_max_body_size=MAX_COMMAND,
        operation_id=command.name,
        summary=command.summary.partition(".")[0].rstrip("."),
        description=command.summary,
        tags=[command.aggregate.name],
        responses=openapi.CREATED if command.creates else openapi.DECIDED,
    )(about_one if "{id}" in path else about_none)


async def _take(
    command_handler: CommandHandler,
    command: CommandType,
    request: HttpRequest,
    target: UUID | None,
    company: str | None,
    if_match: str | None,
    key: str | None,
    dry_run: bool,
) -> Response[bytes]:
    _check_parameters(request)
    who = request.user
    company_id = who.company(company_of(who.principal, company))
    require(who.principal, Right.COMMAND, company_id)  # before the body: who may not is not told what is wrong with it
    order = CommandRequest(
        type=command,
        command=read_command(command, await _body(request)),
        company_id=company_id,
        aggregate_id=target,
        expected=_version(if_match),
        key=idempotency_key(key),
        dry_run=dry_run,
        correlation_id=who.correlation_id,
        traceparent=trace.parent if (trace := tracing.current.get()) else "",
    )
    return _answer(command, await command_handler.take(who.principal, order))


def _check_parameters(request: HttpRequest) -> None:
    """Raise Invalid for a parameter that is unknown, or given twice: either value would be a guess."""
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name not in PARAMETERS:
            raise Invalid(f"there is no parameter {name!r} here", code="unknown_parameter")
        if name in seen:
            raise Invalid(f"parameter {name!r} is given twice", code="bad_parameter")
        seen.add(name)


async def _body(request: HttpRequest) -> bytes:
    body = await request.body()
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and media_type != answers.JSON:
        raise Invalid(
            f"content type {media_type or 'none'!r} is not taken here",
            code="unsupported_media_type",
            suggested_actions=(f"Send {answers.JSON}.",),
        )
    return body


def _version(if_match: str | None) -> int | None:
    """The version of an If-Match header: `"7"` as ETag gives it, or 7; `*` and none are any."""
    if if_match is None or if_match.strip() == "*":
        return None
    match = re.fullmatch(r'"?(\d{1,18})"?', if_match.strip(), re.ASCII)
    if match is None:
        raise Invalid(
            f"If-Match: {if_match!r} is no version",
            code="bad_version",
            suggested_actions=('Send the ETag of the last answer, such as "7".',),
        )
    return int(match[1])


def idempotency_key(text: str | None) -> str:
    """The key of a request, empty for none. Raises Invalid."""
    if text is None:
        return ""
    if not re.fullmatch(r"[!-~]{1,255}", text):
        raise Invalid(
            f"Idempotency-Key: is not 1 to {LONGEST_KEY} printable ASCII characters without spaces",
            code="bad_idempotency_key",
        )
    return text


def _answer(command: CommandType, result: CommandResult) -> Response[bytes]:
    headers = {} if result.dry_run else {"ETag": f'"{result.version}"', "X-Position": str(result.position)}
    created = command.creates and not result.dry_run
    if created:
        headers["Location"] = f"{COLLECTIONS[command.aggregate.name]}/{result.id}"
    return answers.as_json(result.as_json(), 201 if created else 200, headers)
