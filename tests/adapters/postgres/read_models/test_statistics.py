"""What loads much is analysed: a question asked right after a first load is planned for what is there."""

from __future__ import annotations

import psycopg

from adapters.postgres.read_models.statistics import MANY
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


def test_a_table_is_analysed_when_much_was_loaded(database_url: str) -> None:
    """At the first load, and whenever as much has come again; a few rows are left to the server's own rhythm."""
    models = ReadModels(database_url)
    events = [
        user_event(company_id="acme", user_id=f"u{n % 97}", name="click", timestamp=NOON + n) for n in range(2 * MANY)
    ]
    models.given(events[: MANY // 2])
    assert rows(database_url, "user_step_v1") == -1
    models.given(events[MANY // 2 : MANY])
    assert rows(database_url, "user_step_v1") == MANY
    models.given(events[MANY:])
    assert rows(database_url, "user_step_v1") == 2 * MANY
    models.store.close()
