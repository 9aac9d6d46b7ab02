"""The wall between tenants, for every registered query: another company's answer holds nothing of this one's rows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

from projections.engine.declare.registry import all_projections, all_registered
from tests.laws.test_folds import NewDatabase, logs_of
from tests.projections.harness import Logged, ReadModels
from tests.support.examples import examples
from tests.support.needed import needed_by
from tests.support.of_instance import OF_INSTANCE

ALL = {name: query for name, query in all_registered().items() if name not in OF_INSTANCE}
TOPICS = frozenset().union(*(projection.topics for projection in all_projections().values()))
ASKED = datetime(2026, 1, 1, tzinfo=UTC)
STANDS_FOR = ("position", "as_of", "complete")  # of rows that say it themselves: the log differs, not the answer


@settings(max_examples=examples(1), deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(records=logs_of(TOPICS))
def test_nobody_sees_another_tenants_rows(new_database: NewDatabase, records: list[Logged]) -> None:
    """A company without events gets what an empty store gives, however much the others have."""

    async def answers(company: str, told: Sequence[Logged]) -> dict[str, list[dict[str, Any]]]:
        models = ReadModels(new_database())
        models.asked_at = ASKED
        try:
            models.fold(told)
            return {name: said(await models.rows(name, company, **needed_by(query))) for name, query in ALL.items()}
        finally:
            await models.close()

    alone = asyncio.run(answers("nobody", []))
    assert asyncio.run(answers("nobody", records)) == alone
    filled = asyncio.run(answers("acme", records))
    assert sum(filled[name] != alone[name] for name in ALL) > len(ALL) / 3, "there is something to be seen"


def said(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows without what they say of the log."""
    return [{key: value for key, value in row.items() if key not in STANDS_FOR} for row in rows]


def test_the_tenant_is_the_first_part_of_every_key() -> None:
    """Every table and every ordered fold's state begins with company_id."""
    for projection in all_projections().values():
        assert all(t.keys[0].name == "company_id" for t in projection.tables)
        assert all(f.by[0] == "company_id" for f in projection.ordered)
