"""`GET /api/v1/log/verification`: the log against its seals, as `analytics log verify` and VerifyLog say it."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get

from domain.errors import Invalid
from read_api.answers.verification import LogVerification
from read_api.http import openapi
from read_api.http.departure import for_caller
from read_api.http.request import HttpRequest, parameters
from read_api.http.responses import JSON

NAMES = ("company", "streams", "to")


class Verdict(msgspec.Struct, kw_only=True):
    """What was read and hashed up to `position`, what lies beyond all seals, what is wrong, and what is unusual."""

    verified: bool
    records: int
    blocks: int
    checkpoints: int
    position: str
    unsealed: int
    findings: list[dict[str, Any]]
    notes: list[str]


@get(
    "/api/v1/log/verification",
    responses=openapi.with_problems(Verdict, "The verdict"),
    summary="Verify the log",
    operation_id="verify_log",
)
async def verify_log(request: HttpRequest) -> Response[bytes]:
    """Every record of the streams (comma-separated, else of all) is read, up to a position (`to`) or the head."""
    asked = parameters(request)
    if unknown := [name for name in asked if name not in NAMES]:
        raise Invalid(f"there is no parameter {unknown[0]!r} here", code="unknown_parameter")
    verification: LogVerification = request.app.state.verification
    streams = [text for text in asked.get("streams", "").split(",") if text]
    work = verification.verdict(request.user.principal, asked.get("company", ""), streams, asked.get("to", ""))
    return Response(msgspec.json.encode((await for_caller(request, work)).as_json()), media_type=JSON)
