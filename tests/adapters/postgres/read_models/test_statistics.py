"""What loads much is analysed: a question asked right after a first load is planned for what is there."""

from __future__ import annotations

import psycopg
import pytest

from adapters.postgres.read_models import statistics
from eventlog.publish.builders import user_event
from tests.projections.harness import ReadModels

NOON = 1_760_000_000_000
ROWS = "SELECT reltuples::int FROM pg_class WHERE oid = %s::regclass"


def rows(url: str, table: str) -> int:
    """How many rows the planner believes are in a table; -1 where nobody has looked."""
    with psycopg.connect(url) as connection:
        row = connection.execute(ROWS, (f"read_models.{table}",)).fetchone()
    assert row is not None
    return int(row[0])


def test_a_table_is_analysed_when_much_was_loaded(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the first load, and when it has grown fourfold; what is less is left to the server's own rhythm."""
    monkeypatch.setattr(statistics, "MANY", many := 500)
    events = [
        user_event(company_id="acme", user_id=f"u{n % 97}", name="click", timestamp=NOON + n) for n in range(4 * many)
    ]
    models = ReadModels(database_url)
    seen = []
    for begin, end in ((0, 0.5), (0.5, 1), (1, 3), (3, 4)):
        models.given(events[int(begin * many) : int(end * many)])
        seen.append(rows(database_url, "user_step_v1"))
    models.store.close()
    assert seen == [-1, many, many, 4 * many]
