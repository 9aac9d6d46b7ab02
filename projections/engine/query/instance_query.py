"""Queries about the instance that answers: how it runs now. They read no rows, and have no past.

Whoever runs the instance knows; here is said only who is shown what. A question of the scope `company` is answered with
nothing that other companies can be counted by. Doors let nobody ask for the scope `instance` but who sees every company
(read_api/answers/questions.py), and it is a parameter, so that no answer of one scope can pass for one of the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from domain.access.rights import Feature, Right
from domain.errors import Unavailable
from domain.position import Position
from projections.engine.query.params import Param, read_choice
from projections.engine.query.request import Asking, Request

SCOPE = "scope"
COMPANY, INSTANCE = "company", "instance"
OTHERS = "other_companies"  # why a figure is not shown: others could be counted by it
SCOPE_PARAM = Param(
    SCOPE,
    "`company`: without what others could be counted by; `instance`: all, as who sees every company gets it anyway",
    read_choice(COMPANY, INSTANCE),
)


@dataclass(frozen=True, slots=True)
class InstanceQuery:
    """A query whose rows the instance knows. `of_all`: columns that are shown in the scope `instance` alone."""

    of_now: ClassVar[bool] = True
    any_zone: ClassVar[bool] = False
    name: str
    summary: str
    params: tuple[Param, ...]
    of_all: frozenset[str] = frozenset()
    row: Any = dict[str, Any]
    right: Right = Right.DASHBOARDS
    feature: Feature | None = None
    open_to_members: bool = False

    async def answer(self, request: Request, asking: Asking) -> dict[str, Any]:
        """The answer of now. Raises Unavailable, too where nobody knows the instance."""
        if asking.instance is None:
            raise Unavailable(f"{self.name} is known to a running read API alone", code="not_here")
        rows: Iterable[Mapping[str, Any]] = await asking.instance.rows(self.name, request)
        return {
            "query": self.name,
            "definition_version": 1,
            "position": str(Position()),  # it rests on no event
            "as_of": None,
            "complete": True,
            "lag_ms": 0,
            "rows": [dict(row) if of_instance(request) else self._of_company(row) for row in rows],
        }

    def _of_company(self, row: Mapping[str, Any]) -> dict[str, Any]:
        hidden = dict.fromkeys(self.of_all & row.keys())
        reasons = {**row.get("reasons", {}), **dict.fromkeys(sorted(hidden), OTHERS)}
        return {**row, **hidden, **({"reasons": reasons} if reasons else {})}


def of_instance(request: Request) -> bool:
    """Whether the question is about all companies."""
    return bool(request.get(SCOPE) == INSTANCE)
