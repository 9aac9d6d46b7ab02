"""proto/http/analytics_api.yaml: the OpenAPI 3.1 description of both HTTP APIs, from their handlers.

The registered queries are one handler; here each becomes a path of its own, with its own parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from inspect import cleandoc
from pathlib import Path
from typing import Any, cast

import msgspec
import yaml
from litestar import Litestar
from litestar.openapi.config import OpenAPIConfig

from command_api.commands import route
from command_api.http import create_app
from command_api.openapi import bodies as command_bodies
from domain.configuration.registry import COMMANDS
from domain.problem_documents import STATUS
from projections.engine.declare.registry import all_registered
from projections.engine.query.params import Param
from projections.engine.query.request import Answerable
from read_api.answers.ad_hoc import AdHoc
from read_api.answers.configuration import HISTORY, KINDS
from read_api.answers.freshness import FORCE_REFRESH, LONGEST_STALENESS, MAX_STALENESS
from read_api.http import ad_hoc, configuration, insights, metrics, openapi, query_paths, realtime
from read_api.http.app import HANDLERS
from read_api.http.events import LISTS, PARAMETERS

FILE = Path(__file__).parents[2] / "proto" / "http" / "analytics_api.yaml"
HEAD = "# Made from the code by `make docs`; edit it there.\n"
ANY_QUERY = "/api/v1/query/{name}"
Document = dict[str, Any]
READ_API = {"url": "http://127.0.0.1:8003", "description": "read API"}
COMMAND_API = {"url": "http://127.0.0.1:8004", "description": "command API, which has its own /api/v1/health"}
COUNT = {"type": "integer", "minimum": 0}

CORRELATION = {
    "name": "X-Correlation-Id",
    "in": "header",
    "required": False,
    "description": "Ties the answer to log lines and events; one is made where none is given.",
    "schema": {"type": "string", "maxLength": 128},
}
MIN_POSITION = {
    "name": "X-Min-Position",
    "in": "header",
    "required": False,
    "description": "Position that the answer must have reached; it is waited for, within bounds, and then a 412.",
    "schema": {"type": "string"},
}
COMPANY = {
    "name": "company",
    "in": "query",
    "required": False,
    "description": "The company that is asked about; else the token's.",
    "schema": {"type": "string"},
}
FRESHNESS = [
    {
        "name": MAX_STALENESS,
        "in": "query",
        "required": False,
        "description": "Seconds that an answer may be out of date, 0 by default; an older one says `complete: false`.",
        "schema": {"type": "integer", "minimum": 0, "maximum": LONGEST_STALENESS, "default": 0},
    },
    {
        "name": FORCE_REFRESH,
        "in": "query",
        "required": False,
        "description": "`true`: it is computed now, whatever answer is kept, and kept in its place.",
        "schema": {"type": "boolean", "default": False},
    },
]
ANSWER_HEADERS = {
    "X-Position": "Position that the rows stand for.",
    "X-Lag-Ms": "Age of the oldest event not yet in the rows, in ms; 0 when there is none.",
    "X-Definition-Version": "Version of the projection's definition.",
    "X-Correlation-Id": "Ties the answer to log lines and events.",
    "traceresponse": "W3C trace context of the answer.",
}
DECIDED = {
    "ETag": "Version of the aggregate, for If-Match; none after a dry run.",
    "X-Position": "Position token for X-Min-Position of reads; not after a dry run.",
    "X-Correlation-Id": "Ties the answer to log lines and events.",
}
EVENTS_BODY = {
    "required": True,
    "description": "Events; at most 16 MB. See docs/how-to/publish-events.md.",
    "content": {
        "application/json": {"schema": {"description": "One event, or an array of events."}},
        "application/x-ndjson": {"schema": {"type": "string", "description": "One event a line."}},
        "application/x-protobuf": {
            "schema": {"type": "string", "format": "binary", "description": "Length-delimited envelopes."}
        },
    },
}
EVENT = {
    "name": "event",
    "in": "path",
    "required": True,
    "description": "Identity of the event, percent-encoded, or its place `topic:partition=offset`.",
    "schema": {"type": "string"},
}
EVENTS_ANSWER = {
    "description": "What became of the events; everything accepted is durable.",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["accepted", "duplicates", "quarantined", "position", "reasons"],
                "properties": {
                    "accepted": COUNT,
                    "duplicates": COUNT,
                    "quarantined": COUNT,
                    "warnings": COUNT,
                    "position": {"type": "string", "description": "Position that covers everything accepted."},
                    "reasons": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {
                                "line": COUNT,
                                "code": {"type": "string"},
                                "reason": {"type": "string"},
                            },
                        },
                    },
                    "correlation_id": {"type": "string"},
                },
            }
        }
    },
}


@cache
def document() -> Document:
    """The whole description, made once: nobody changes it."""
    command_app = create_app(ingest=cast(Any, None), command_handler=cast(Any, None), health=cast(Any, None))
    read, command = _described(openapi.CONFIG, HANDLERS), _described(openapi.CONFIG, _handlers(command_app))
    operation = read["paths"].pop(ANY_QUERY)["get"]
    read["paths"] |= {
        f"/api/v1/query/{name}": _query_path(operation, q) for name, q in sorted(all_registered().items())
    }
    described = (configuration, metrics, insights, ad_hoc)
    for path, params in (item for each in described for item in each.parameters_of_paths().items()):
        _describe_read(read["paths"][path]["get"], params, items=path.endswith(("{id}", "/company")))
    for door in query_paths.DOORS:
        _describe_read(read["paths"][door.path]["get"], door.params, items=False)
        read["paths"][door.path]["get"]["parameters"][-2:-2] = FRESHNESS
    read["paths"][ad_hoc.EXPORT]["get"]["parameters"][-2:-2] = FRESHNESS
    read["paths"][realtime.PATH]["get"]["parameters"] = [*map(_parameter, realtime.PARAMS), CORRELATION]
    for operation in (operation for item in command["paths"].values() for operation in item.values()):
        operation["servers"] = [COMMAND_API]
    read["paths"] |= {path: item | read["paths"].get(path, {}) for path, item in command["paths"].items()}
    asking = read["paths"]["/api/v1/query"]["post"]
    _describe_read(asking, (), items=False)
    asking["requestBody"] = _ad_hoc(read)
    known = [_event_parameter(*one) for one in PARAMETERS.items()]
    read["paths"]["/api/v1/events"]["get"]["parameters"] = [*known, MIN_POSITION, CORRELATION]
    of_one = [EVENT, _event_parameter("company", PARAMETERS["company"]), MIN_POSITION, CORRELATION]
    read["paths"]["/api/v1/events/{event}"]["get"]["parameters"] = of_one
    events = read["paths"]["/api/v1/events"]["post"]
    events["requestBody"] = EVENTS_BODY
    events["responses"] = {"200": EVENTS_ANSWER, **_problems(read)}
    _describe_answers(read)
    schemas = _with_bodies(read["paths"])
    read["components"]["schemas"] |= command["components"]["schemas"] | schemas
    read["servers"] = [READ_API]
    return read


def _describe_answers(document: Document) -> None:
    """Give every path that answers a query the shape of that answer, which is made of the query's own rows."""
    queries = {name: openapi.answer_shape(query) for name, query in sorted(all_registered().items())}
    shapes: dict[str, Any] = {f"/api/v1/query/{name}": shape for name, shape in queries.items()}
    for paths in (query_paths.QUERIES, metrics.QUERIES, insights.QUERY):
        shapes |= {path: queries[name] for path, name in paths.items()}
    for kind in KINDS.values():
        shapes |= {kind.path: queries[kind.query], f"{kind.path}/{{id}}": all_registered()[kind.query].row}
        shapes[f"{kind.path}/{{id}}/history"] = queries[HISTORY]
    shapes[configuration.COMPANY_PATH] = all_registered()[configuration.COMPANY].row
    for path, schema in zip(shapes, _schemas(document, shapes.values()), strict=True):
        responses = document["paths"][path]["get"]["responses"]
        responses["200"] = {**responses["200"], "content": {"application/json": {"schema": schema}}}


def _schemas(document: Document, kinds: Iterable[Any]) -> Iterable[Document]:
    """Schemas of these types, which name others of the document's components."""
    schemas, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    for component in (each for each in components.values() if "description" in each):
        component["description"] = cleandoc(component["description"])
    document["components"]["schemas"] |= components
    return schemas


def _ad_hoc(document: Document) -> Document:
    """The body of an ad-hoc question, whose schema comes from its declaration."""
    (schema,) = _schemas(document, [AdHoc])
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _with_bodies(paths: Document) -> Document:
    """Give every command its body, its headers and its server; the schemas that the bodies refer to."""
    bodies, schemas = command_bodies()
    headers = {name: {"description": meaning, "schema": {"type": "string"}} for name, meaning in DECIDED.items()}
    seen: Document = {}  # what many commands have alike is one object, which YAML then writes once
    for name, command in COMMANDS.items():
        method, path = route(command)
        operation = paths[path][method.lower()]
        parameters = [*operation["parameters"], CORRELATION]
        operation["parameters"] = [seen.setdefault(parameter["name"], parameter) for parameter in parameters]
        for status in operation["responses"].keys() & {"200", "201"}:
            operation["responses"][status]["headers"] = headers
        operation["responses"] = {
            status: seen.setdefault(answer["description"], answer) for status, answer in operation["responses"].items()
        }
        if command.kind.__struct_fields__:
            content = {"application/json": {"schema": bodies[name]}}
            operation["requestBody"] = {"required": True, "content": content}
    return schemas


def _event_parameter(name: str, meaning: str) -> Document:
    one = {"type": "string"}
    schema = {"type": "array", "items": one} if name in LISTS else one
    return {"name": name, "in": "query", "required": False, "description": meaning, "schema": schema}


def _problems(document: Document) -> Document:
    """Every status of the table of errors, as problem documents."""
    described = document["paths"]["/api/v1/query"]["get"]["responses"]["400"]
    titles = {status: title for status, title in STATUS.values()}
    titles |= {413: "The body is too large", 415: "The content type is not taken here"}
    return {str(status): {**described, "description": titles[status]} for status in sorted(titles) if status != 500}


def text() -> str:
    """The description as YAML."""
    return HEAD + str(yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=110))


def write() -> list[str]:
    """Write the file if it is stale; the paths written."""
    if FILE.exists() and FILE.read_text(encoding="utf-8") == text():
        return []
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(text(), encoding="utf-8")
    return [f"proto/http/{FILE.name}"]


def _described(config: OpenAPIConfig, handlers: Any) -> Document:
    return Litestar(handlers, openapi_config=config).openapi_schema.to_schema()


def _handlers(application: Litestar) -> list[Any]:
    found = (handler for route in application.routes for handler in getattr(route, "route_handlers", ()))
    return [handler for handler in found if handler.fn.__module__.startswith("command_api")]


def _describe_read(operation: Document, params: Sequence[Param], *, items: bool) -> None:
    """Give a read of the configuration its parameters and headers."""
    operation.setdefault("parameters", []).extend([COMPANY, *map(_parameter, params), MIN_POSITION, CORRELATION])
    told = ANSWER_HEADERS | ({"ETag": DECIDED["ETag"]} if items else {})
    headers = {name: {"description": meaning, "schema": {"type": "string"}} for name, meaning in told.items()}
    operation["responses"]["200"]["headers"] = headers


def _query_path(operation: Mapping[str, Any], query: Answerable) -> Document:
    responses = {**operation["responses"]}
    headers = {name: {"description": meaning, "schema": {"type": "string"}} for name, meaning in ANSWER_HEADERS.items()}
    responses["200"] = {**responses["200"], "headers": headers}
    return {
        "get": {
            **operation,
            "summary": query.summary,
            "operationId": f"query_{query.name}",
            "parameters": [COMPANY, *map(_parameter, query.params), *FRESHNESS, MIN_POSITION, CORRELATION],
            "responses": responses,
        }
    }


def _parameter(param: Param) -> Document:
    return {
        "name": param.name,
        "in": "query",
        "required": param.required,
        "description": param.meaning,
        "schema": {"type": "string"},
    }
