"""Each API serves its own description and the page that tries it, to anybody, and nothing from elsewhere."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest

from app.docs.openapi import document
from app.serving.api_page import example, operations
from domain.configuration.registry import COMMANDS
from read_api.web.rendering import POLICY
from tests.support.instance import Instance

APIS = ("read_api", "command_api")


def described(instance: Instance, api: str) -> dict[str, Any]:
    """The description that an API serves to somebody without a token."""
    answer = httpx.get(f"{instance.addresses[api]}/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    return dict(answer.json())


def names(description: dict[str, Any]) -> set[tuple[str, str]]:
    """Verb and path of each operation."""
    return {(verb, path) for path, item in description["paths"].items() for verb in item}


def test_the_two_apis_describe_each_published_operation_once(instance: Instance) -> None:
    """But for health, which each has."""
    read, command = (names(described(instance, api)) for api in APIS)
    assert read | command == names(document())
    assert read & command == {("get", "/api/v1/health")}
    assert ("post", "/api/v1/events") in command


@pytest.mark.parametrize("api", APIS)
def test_the_page_has_every_operation_and_runs_nothing_inline(instance: Instance, api: str) -> None:
    """What it loads is served beside it."""
    where = instance.addresses[api]
    page = httpx.get(f"{where}/api")
    assert page.headers["content-security-policy"] == POLICY
    for verb, path in names(described(instance, api)):
        assert f'data-verb="{verb.upper()}" data-path="{path}"' in page.text
    files = [part.partition('"')[0] for part in page.text.split('="/static/')[1:]]
    assert len(files) > 3
    assert {httpx.get(f"{where}/static/{file}").status_code for file in files} == {200}
    assert httpx.get(f"{where}/static/{files[0]}x").status_code == 404


def test_the_example_of_a_command_has_the_shape_that_the_command_needs(instance: Instance) -> None:
    """Each body that the page begins with is read as that command: its values may be refused, its shape is not."""
    description = described(instance, "command_api")
    bodies = {(each.verb, each.path): each.body for each in operations(description)}
    body = bodies["POST", "/api/v1/dashboard/config"]
    assert body is not None
    kind = COMMANDS["dashboard.create"].kind
    assert msgspec.json.decode(body).keys() == {f.encode_name for f in msgspec.structs.fields(kind) if f.required}


def test_an_example_follows_references_choices_and_defaults() -> None:
    schemas: dict[str, dict[str, Any]] = {
        "A": {"type": "object", "required": ["b", "c", "d"], "properties": {
            "b": {"$ref": "#/components/schemas/B"}, "c": {"anyOf": [{"type": "null"}, {"type": "integer"}]},
            "d": {"type": "string", "default": "x"}, "e": {"type": "string"}}},
        "B": {"enum": ["one", "two"]},
    }  # fmt: skip
    assert example({"$ref": "#/components/schemas/A"}, schemas) == {"b": "one", "c": 0, "d": "x"}
