"""What each API says of itself: its OpenAPI description, and a page on which its operations are read and tried.

Both are for anybody, as the published description is. The page asks with a token that is pasted into it, which it keeps
nowhere: an API takes no cookie. The descriptions are made by `make docs`, since to make one takes seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from domain.request.caller import OPEN
from read_api.web.rendering import (
    FILE_HEADERS,
    HTML,
    PAGE_HEADERS,
    TYPES,
    File,
    design_file,
    file_of,
    file_response,
    rendered,
)

DESCRIPTIONS = Path(__file__).parent / "descriptions"
TITLES: Mapping[str, str] = MappingProxyType({"read_api": "Read API", "command_api": "Command API"})
SHALLOW = 3  # levels of an answer's members that are shown
ANSWERED = ("200", "201")
PUBLIC: Mapping[str, str] = MappingProxyType({**PAGE_HEADERS, "Cache-Control": "public, max-age=300"})

Json = dict[str, Any]
AnyRequest = Request[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an answer: how deep it stands, its name, its JSON type, what it means."""

    depth: int
    name: str
    kind: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, as it is shown. `body`: an example to begin with, None where it takes none."""

    verb: str
    path: str
    summary: str
    description: str
    parameters: Sequence[Json]
    body: str | None
    statuses: Mapping[str, str]
    members: Sequence[Member] = field(default=())

    @property
    def subject(self) -> str:
        """Under what it is listed: the first part of its path after the version."""
        return self.path.removeprefix("/api/v1").split("/")[1]


def description_routes(api: str) -> list[HTTPRouteHandler]:
    """The routes of an API's description and of its page. `api`: one of TITLES."""

    @get("/openapi.json", include_in_schema=False, opt={OPEN: True}, sync_to_thread=True)
    def openapi(request: AnyRequest) -> Response[bytes]:
        """The OpenAPI description of this API."""
        return file_response(_description(api), "application/json", PUBLIC, _encoding(request))

    @get("/api", include_in_schema=False, opt={OPEN: True}, sync_to_thread=True)
    def page(request: AnyRequest) -> Response[bytes]:
        """Every operation, with a form that asks it."""
        return file_response(_page(api), HTML, PUBLIC, _encoding(request))

    @get("/static/{version:str}/{name:str}", include_in_schema=False, opt={OPEN: True}, sync_to_thread=False)
    def page_file(version: FromPath[str], name: FromPath[str], request: AnyRequest) -> Response[bytes]:
        """A file that the page loads."""
        found = design_file(version, name)
        return file_response(found, TYPES[Path(name).suffix], FILE_HEADERS, _encoding(request))

    return [openapi, page] if api == "read_api" else [openapi, page, page_file]  # pages have the files already


def _encoding(request: AnyRequest) -> str:
    return str(request.headers.get("accept-encoding", ""))


@cache
def _description(api: str) -> File:
    return file_of((DESCRIPTIONS / f"{api}.json").read_bytes())


@cache
def _page(api: str) -> File:
    document = msgspec.json.decode(_description(api).content)
    found = sorted(operations(document), key=lambda each: each.subject)
    subjects = [(subject, list(each)) for subject, each in groupby(found, key=lambda each: each.subject)]
    return file_of(rendered("api.html", title=TITLES[api], subjects=subjects, number=len(found)))


def operations(document: Json) -> Iterator[Operation]:
    """What an OpenAPI description describes, in its order."""
    schemas = document["components"]["schemas"]
    for path, item in document["paths"].items():
        for verb, operation in item.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            yield Operation(
                verb.upper(),
                path,
                operation["summary"],
                operation.get("description", ""),
                operation.get("parameters", ()),
                None if verb in ("get", "delete") else _pretty(example(body or {}, schemas)),
                {status: answer["description"] for status, answer in operation["responses"].items()},
                tuple(_answer_members(operation["responses"], schemas)),
            )


def example(schema: Json, schemas: Mapping[str, Json]) -> Any:
    """The smallest value of a schema's shape: what is required, with nothing in it."""
    schema = _resolved(schema, schemas)
    if "default" in schema:
        return schema["default"]
    if "enum" in schema:
        return schema["enum"][0]
    properties = schema.get("properties", {})
    if properties:
        return {name: example(properties[name], schemas) for name in schema.get("required", ())}
    return {"string": "", "integer": 0, "number": 0, "boolean": False, "array": []}.get(_kind(schema), {})


def members(schema: Json, schemas: Mapping[str, Json], depth: int = 0) -> Iterator[Member]:
    """The members of what a schema describes, each followed by its own."""
    schema = _resolved(schema, schemas)
    schema = _resolved(schema.get("items") or schema, schemas)
    for name, each in schema.get("properties", {}).items() if depth < SHALLOW else ():
        inner = _resolved(each, schemas)
        yield Member(depth, name, _kind(inner), each.get("description") or inner.get("description", ""))
        yield from members(inner, schemas, depth + 1)


def _answer_members(responses: Json, schemas: Mapping[str, Json]) -> Iterator[Member]:
    for status in (each for each in ANSWERED if each in responses):
        content = responses[status].get("content", {}).get("application/json", {})
        yield from members(content.get("schema", {}), schemas)
        return


def _resolved(schema: Json, schemas: Mapping[str, Json]) -> Json:
    """The schema itself where another one, or a choice of several, stands for it."""
    while True:
        choices = [each for each in schema.get("anyOf") or schema.get("oneOf") or () if each.get("type") != "null"]
        if choices:
            schema = choices[0]
        elif "$ref" in schema:
            schema = schemas[schema["$ref"].rpartition("/")[2]]
        else:
            return schema


def _kind(schema: Json) -> str:
    kind = schema.get("type", "")
    return str(next((each for each in kind if each != "null"), "")) if isinstance(kind, list) else str(kind)


def _pretty(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
