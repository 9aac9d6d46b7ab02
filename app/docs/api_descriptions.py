"""app/serving/descriptions: for each API the part of the OpenAPI description that it serves."""

from __future__ import annotations

import json

from app.docs.openapi import COMMAND_API, Document, document
from app.serving.api_page import DESCRIPTIONS

HERE = {"url": "/", "description": "the API that serves this"}
REFERENCE = "#/components/schemas/"


def texts() -> dict[str, str]:
    """What the files hold, by name: JSON, with an operation or a schema on each line, so that changes can be read."""
    whole = document()
    return {"read_api.json": _text(whole, commands=False), "command_api.json": _text(whole, commands=True)}


def write() -> list[str]:
    """Write the files that are stale; the paths written."""
    DESCRIPTIONS.mkdir(exist_ok=True)
    changed = {name: text for name, text in texts().items() if not is_current(name, text)}
    for name, text in changed.items():
        (DESCRIPTIONS / name).write_text(text, encoding="utf-8")
    return [f"app/serving/descriptions/{name}" for name in changed]


def is_current(name: str, text: str) -> bool:
    """Whether the file holds this."""
    path = DESCRIPTIONS / name
    return path.exists() and path.read_text(encoding="utf-8") == text


def _text(whole: Document, *, commands: bool) -> str:
    paths = {path: _served(item, commands=commands) for path, item in whole["paths"].items()}
    if commands:
        paths["/api/v1/health"] = {"get": _health(whole["paths"]["/api/v1/health"]["get"])}
    paths = {path: item for path, item in paths.items() if item}
    schemas = _needed(paths, whole["components"]["schemas"])
    head = {**whole, "servers": [HERE], "paths": "PATHS", "components": {**whole["components"], "schemas": "SCHEMAS"}}
    text = json.dumps(head, ensure_ascii=False)
    return text.replace('"PATHS"', _lines(paths)).replace('"SCHEMAS"', _lines(schemas)) + "\n"


def _served(item: Document, *, commands: bool) -> Document:
    """The operations of a path that this API answers."""
    mine = {verb: each for verb, each in item.items() if (each.get("servers") == [COMMAND_API]) is commands}
    return {verb: {name: part for name, part in each.items() if name != "servers"} for verb, each in mine.items()}


def _health(operation: Document) -> Document:
    """The other API has figures of its own."""
    answers = {"200": {"description": "It lives and can take events"}, "503": {"description": "It cannot take events"}}
    return {"summary": "Health of this process", "operationId": operation["operationId"], "responses": answers}


def _needed(paths: Document, schemas: Document) -> Document:
    """The schemas that the paths refer to, and those that these refer to."""
    found: set[str] = set()
    texts = [json.dumps(paths)]
    while texts:
        named = {part.partition('"')[0] for part in texts.pop().split(REFERENCE)[1:]} - found
        found |= named
        texts += [json.dumps(schemas[name]) for name in named]
    return {name: schema for name, schema in schemas.items() if name in found}


def _lines(members: Document) -> str:
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(each, ensure_ascii=False)}" for name, each in members.items())
    return f"{{\n{lines}\n}}"
