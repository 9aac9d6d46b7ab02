"""What OpenAPI says of commands: parameters, bodies and answers, declared once."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar.openapi.datastructures import ResponseSpec

from domain.configuration.event_store import REMEMBERED_HOURS
from domain.configuration.registry import COMMANDS
from domain.problem_documents import MEDIA_TYPE, Problem

COMPANY = "The company that the command is for; needed where the token is for several."
DRY_RUN = "Answer what would be decided, and store nothing."
IF_MATCH = 'The version that you saw (an ETag, such as "7"); a 412 where it is another one now. Without: any version.'
IDEMPOTENCY_KEY = (
    "Your name for this request within your company: sent again within "
    f"{REMEMBERED_HOURS} hours, the request has one effect and the same answer; a 409 where the request is another one."
)


class DecidedEvent(msgspec.Struct):
    """An event that was decided: its topic, the version that it took the aggregate to, its content."""

    topic: str
    version: int
    body: dict[str, Any]


class Decision(msgspec.Struct):
    """What became of a command. `position` is the position token for X-Min-Position of reads; empty for a dry run."""

    id: str
    version: int
    position: str
    dry_run: bool
    events: list[DecidedEvent]


_PROBLEMS = {
    400: "The command is wrong; the detail names the field",
    401: "No valid token",
    403: "The role or the tier does not allow it",
    404: "There is no such thing in this company",
    409: "It is archived, or others change it too, or the Idempotency-Key was used for another request",
    412: "It is at another version than If-Match says",
    413: "The body is too large",
    415: "The body is no JSON by its content type",
    429: "The tenant has asked for more than its tier allows; Retry-After says when to ask again",
    503: "The event store does not answer",
}
_REFUSALS = {
    status: ResponseSpec(Problem, description=text, media_type=MEDIA_TYPE, generate_examples=False)
    for status, text in _PROBLEMS.items()
}
DECIDED = {200: ResponseSpec(Decision, description="What was decided", generate_examples=False), **_REFUSALS}
CREATED = {
    201: ResponseSpec(Decision, description="What was created", generate_examples=False),
    200: ResponseSpec(Decision, description="What would be created", generate_examples=False),
    **_REFUSALS,
}


def bodies() -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """JSON schemas of the commands' bodies by command name, and the components that they refer to."""
    kinds = [command.kind for command in COMMANDS.values()]
    schemas, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    return dict(zip(COMMANDS, schemas, strict=True)), components
