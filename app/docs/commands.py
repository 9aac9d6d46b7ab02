"""docs/reference/commands.md, from the registry of aggregates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from app.docs.markdown import code, document, table
from command_api.command_handler import ATTEMPTS
from command_api.commands import MAX_COMMAND, route
from domain.configuration.event_store import REMEMBERED_HOURS
from domain.configuration.kinds import Aggregate, Value
from domain.configuration.registry import AGGREGATES, COMMANDS

INTRODUCTION = f"""# Commands

What admins decide: four kinds of aggregates, their commands, and the events that follow. Every command is one route of
the command API (port 8004) and one name of `analytics command NAME`. How to use them:
[change the configuration](../how-to/change-the-configuration.md).

- The body is a JSON object with the fields named here, at most {MAX_COMMAND // 1024} KiB. A field that is not known is
  refused; what is wrong is named by its place, such as `tiles[2].query: …`. Query names and metric keys are checked for
  their form alone: the side that decides knows no read model.
- `company` names the company where the token is for several. The right `command` is needed there; a tier where a
  command names one.
- `If-Match` takes the version that you saw (`ETag` of the last answer): at another version the answer is a 412. Without
  it the command is decided on the newest state; where others change the same aggregate {ATTEMPTS} times meanwhile, the
  answer is a 409.
- `Idempotency-Key` is bound, within the company, to who sends what for {REMEMBERED_HOURS} hours: the same request again
  has one effect and is answered as before; another request with the same key is a 409. A command that was refused
  leaves its key free. The key and the events are stored in one transaction.
- `?dry_run=true` answers the events that would be decided, and stores nothing.
- The answer has `id`, `version`, `position` (also `ETag` and `X-Position`) and `events`. A command that says what is so
  already has no events and leaves the version as it is.
- `PUT` is the whole state: what is left out becomes its default, and the events are those that lead there. `DELETE`
  archives; what is archived takes no command but `restore`.
"""
PLATFORM = "For administrators of all companies (company `*`) alone."


def commands_page() -> str:
    """Every aggregate with its commands, events and the parts that they are made of."""
    schemas = msgspec.json.schema_components(_kinds(), ref_template="{name}")[1]
    named = {kind.__name__ for kind in _kinds()}
    parts = [_part(name, schema) for name, schema in sorted(schemas.items()) if name not in named]
    sections = [_aggregate(aggregate, schemas) for aggregate in AGGREGATES.values()]
    return document(INTRODUCTION, *sections, "## Parts", *parts)


def _kinds() -> list[type[Value]]:
    return [kind for aggregate in AGGREGATES.values() for kind in (*aggregate.commands, *aggregate.events)]


def _aggregate(aggregate: Aggregate, schemas: Mapping[str, Any]) -> str:
    commands = [_command(name, schemas) for name, command in COMMANDS.items() if command.aggregate is aggregate]
    events = [
        (f"`{event.topic}`", " ".join((event.__doc__ or "").split()), code(event.__struct_fields__))
        for event in aggregate.events
    ]
    listing = table(("event", "what happened", "fields"), events)
    return document(
        f"## {aggregate.name}", f"{aggregate.summary}.", *commands, f"### Events of {aggregate.name}", listing
    )


def _command(name: str, schemas: Mapping[str, Any]) -> str:
    command = COMMANDS[name]
    method, path = route(command)
    feature = f" Needs a tier with `{command.kind.feature.value}`." if command.kind.feature else ""
    platform = f" {PLATFORM}" if command.kind.of_platform else ""
    text = f"`{method} {path}`\n\n{command.summary}{feature}{platform}"
    return document(f"### {name}", text, _fields(schemas[command.kind.__name__]))


def _part(name: str, schema: Mapping[str, Any]) -> str:
    text = " ".join(schema.get("description", "").split())
    choices = f"One of {code(str(choice) for choice in schema['enum'])}." if "enum" in schema else ""
    return document(f"### {name}", text, choices, _fields(schema))


def _fields(schema: Mapping[str, Any]) -> str:
    required = schema.get("required", [])
    rows = [
        (f"`{name}`", _form(field), "required" if name in required else _default(field), field.get("description", ""))
        for name, field in schema.get("properties", {}).items()
    ]
    return table(("field", "form", "default", "meaning"), rows) if rows else ""


def _default(field: Mapping[str, Any]) -> str:
    value = field.get("default")
    return "" if value in (None, {}, []) or isinstance(value, dict) else f"`{msgspec.json.encode(value).decode()}`"


def _form(field: Mapping[str, Any]) -> str:
    return "; ".join([_type(field), *_bounds(field)])


def _type(field: Mapping[str, Any]) -> str:
    if "$ref" in field:
        return f"[{field['$ref']}](#{field['$ref'].lower()})"
    if "anyOf" in field:
        return " or ".join(_type(one) for one in field["anyOf"])
    if "allOf" in field:
        return " ".join(_type(one) for one in field["allOf"])
    if "enum" in field:
        return "one of " + code(str(choice) for choice in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}"
    if field.get("type") == "object":
        return f"map to {_type(field.get('additionalProperties', {}))}"
    return str(field.get("type", "any"))


def _bounds(field: Mapping[str, Any]) -> Iterator[str]:
    for key, text in (
        ("minimum", "at least {}"),
        ("maximum", "at most {}"),
        ("maxLength", "at most {} characters"),
        ("maxItems", "at most {}"),
        ("maxProperties", "at most {}"),
    ):
        if key in field:
            yield text.format(field[key])
