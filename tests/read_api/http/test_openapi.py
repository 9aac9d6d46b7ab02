"""The published description of the HTTP APIs is what the code serves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.docs.api_descriptions import is_current, texts
from app.docs.openapi import FILE, document, text
from projections.engine.declare.registry import all_registered


def test_the_published_description_is_up_to_date() -> None:
    """`make docs` would change nothing."""
    assert FILE.read_text(encoding="utf-8") == text()
    assert [name for name, content in texts().items() if not is_current(name, content)] == []


def test_every_query_is_a_path_with_its_own_parameters() -> None:
    """A generated client has a typed call for each."""
    paths = document()["paths"]
    for name, query in all_registered().items():
        described = {p["name"]: p for p in paths[f"/api/v1/query/{name}"]["get"]["parameters"]}
        for param in query.params:
            assert described[param.name]["required"] == param.required
        assert {"company", "X-Min-Position"} <= set(described)


def test_every_operation_wants_a_token_and_says_what_can_go_wrong() -> None:
    """Security is declared for all; the read API's JSON operations answer problem documents."""
    description = document()
    assert description["openapi"].startswith("3.1")
    assert description["security"] == [{"token": []}]
    operations = {
        f"{method} {path}": operation
        for path, item in description["paths"].items()
        for method, operation in item.items()
    }
    assert {"post /api/v1/events", "get /api/v1/health", "get /api/v1/projections"} <= set(operations)
    assert all(operation.get("summary") for operation in operations.values())
    for name, operation in operations.items():
        if name.startswith("get /api/v1/query"):
            assert "application/problem+json" in operation["responses"]["403"]["content"]


def test_no_choice_allows_anything() -> None:
    """Beside a branch that everything fits, each good value would fit two of a `oneOf`, and be undocumented."""
    choices = list(_choices(document()))
    assert choices
    assert not [branches for branches in choices if {} in branches]


def _choices(part: Any) -> Iterator[list[Any]]:
    """The branches of every `oneOf` and `anyOf`."""
    if isinstance(part, dict):
        yield from (part[word] for word in ("oneOf", "anyOf") if word in part)
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _choices(inner)
