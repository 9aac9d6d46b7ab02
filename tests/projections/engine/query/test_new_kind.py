"""A kind of query that nobody knows: it is declared, and that is all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.access.rights import Feature, Right
from domain.errors import Invalid
from domain.ports import Answer
from domain.position import Position
from projections.engine.declare import registry
from projections.engine.query.ask import answer, listed_queries
from projections.engine.query.params import Param
from projections.engine.query.request import Asking, Question, Request
from projections.queries.users import counts


@dataclass(frozen=True)
class Echo:
    """Answers with what it is asked."""

    name: str = "echo"
    summary: str = "What was asked."
    params: tuple[Param, ...] = (Param("text", "What is to be said.", required=True),)
    row: Any = dict[str, Any]
    right: Right = Right.DASHBOARDS
    feature: Feature | None = None
    open_to_members: bool = False
    any_zone: bool = True
    of_now: bool = True

    async def answer(self, request: Request, asking: Asking) -> dict[str, Any]:
        """One row."""
        return {"position": str(Position()), "rows": [{"said": request.get("text")}]}


class NoStore:
    """A store that nothing asks."""

    async def ask(self, company: str, projection: str, statement: str, params: Sequence[object]) -> Answer:
        """Fails."""
        raise AssertionError(statement)


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Beside the queries of a file, as any other."""
    monkeypatch.setattr(counts, "ECHO", Echo(), raising=False)
    for cached in (registry.all_composed, registry.all_registered):
        cached.cache_clear()
    yield
    monkeypatch.undo()
    for cached in (registry.all_composed, registry.all_registered):
        cached.cache_clear()


@pytest.mark.usefixtures("declared")
async def test_a_new_kind_is_listed_read_and_answered_as_those_that_are_there() -> None:
    """None of which knows of it."""
    assert "echo" in {each["name"] for each in listed_queries()}
    given = Question("echo", "acme", {"text": "hello"}, datetime(2025, 1, 1, tzinfo=UTC))
    assert (await answer(given, NoStore()))["rows"] == [{"said": "hello"}]
    with pytest.raises(Invalid, match="text"):
        await answer(Question("echo", "acme", {}, given.asked_at), NoStore())
