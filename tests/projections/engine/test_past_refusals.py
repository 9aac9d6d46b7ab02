"""Questions about the past meet events that a projection refuses as those do who store its rows."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from projections.engine.declare.projection import Projection
from projections.engine.past import explain, past_store
from projections.engine.past.history import History
from projections.engine.past.past_store import PastStore
from projections.engine.query.plain import Query, Selected, Statement
from projections.engine.query.request import Page, Past, Question
from tests.projections.engine.project.test_failure import numbers, picky, user_event
from tests.projections.engine.project.test_projector import Bench, bench, clicks
from tests.support import signing

__all__ = ["bench"]  # the fixture


@pytest.mark.parametrize(
    ("projection", "measure"), [(picky(), "total"), (numbers(), "events")], ids=["additive fold", "ordered fold"]
)
async def test_the_past_leaves_out_what_is_refused_as_whoever_stores_it_does(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, projection: Projection, measure: str
) -> None:
    """As-of and explain meet the event before the projection has, and after it: the stored answer, and no error."""
    table = projection.tables[0]
    value = f"SELECT sum({measure})::bigint FROM {{{table.name}}}"
    query = Query(
        "asked",
        "",
        (),
        lambda _: Statement(value, ()),
        lambda _, found: [dict(row) for row in found],
        selects=lambda request: Selected(table, "company_id = %s", (request.company,)),
    )
    monkeypatch.setattr(past_store, "declared", lambda _: projection)
    monkeypatch.setattr(explain, "find", lambda _: (projection, query))
    await bench.publish(*(user_event(n, "x" if n in (30, 70) else "1") for n in range(100)))

    async def past() -> tuple[Any, Any]:
        with closing(signing.scratch(bench.url)) as scratch:
            history, asked = History(bench.log, scratch, 1_000), Question("asked", "acme", {}, datetime.now(UTC))
            answer = await PastStore(history, scratch, "acme", Past()).ask("acme", projection.name, value, ())
            store = PastStore(history, scratch, "acme", Past())
            explained = await explain.explain(store, asked, Page(measure))
            return answer.rows[0][0], int(explained["value"])

    async with bench.working(clicks()):
        await bench.reached(clicks())
    assert await past() == (98, 98)
    async with bench.working(clicks(), projection):
        await bench.reached(projection)
    with psycopg.connect(bench.url) as connection:
        row = connection.execute(value.format_map({table.name: f"read_models.{table.name}_v1"}).encode()).fetchone()
    assert row == (98,)
    assert await past() == (98, 98)
