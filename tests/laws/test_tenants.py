"""The wall between tenants, for every registered query: another company's answer holds nothing of this one's rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from projections.engine.composed import projections_of
from projections.engine.query import Question, registered
from projections.engine.registry import all_projections
from tests.laws.test_folds import NewDatabase, logs_of
from tests.projections.harness import ReadModels
from tests.support.needed import needed_by

ASKED = datetime(2026, 1, 1, tzinfo=UTC)
STANDS_FOR = ("position", "as_of", "complete")  # of rows that say it themselves: the log differs, not the answer


@pytest.mark.parametrize("name", sorted(registered()))
@settings(max_examples=1, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(data=st.data())
def test_nobody_sees_another_tenants_rows(name: str, new_database: NewDatabase, data: st.DataObject) -> None:
    """A company without events gets what an empty store gives, however much the others have."""
    import asyncio

    params = needed_by(registered()[name])
    question = Question(name, "nobody", params, ASKED)
    read = [all_projections()[each] for each in sorted(projections_of(question))]
    records = data.draw(logs_of(frozenset().union(*(each.topics for each in read))))

    async def rows(company: str) -> list[dict[str, Any]]:
        models = ReadModels(new_database(), read)
        try:
            models.fold(records if company == "nobody" else [])
            found = await models.rows(name, "nobody", **params)
            return [{key: value for key, value in row.items() if key not in STANDS_FOR} for row in found]
        finally:
            await models.close()

    assert asyncio.run(rows("nobody")) == asyncio.run(rows("empty"))


def test_the_tenant_is_the_first_part_of_every_key() -> None:
    """Every table and every ordered fold's state begins with company_id."""
    for projection in all_projections().values():
        assert all(t.keys[0].name == "company_id" for t in projection.tables)
        assert all(f.by[0] == "company_id" for f in projection.ordered)
