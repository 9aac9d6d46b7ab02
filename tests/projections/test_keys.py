"""Keys hold every text that the contract allows: in tables of today and in those of before migration 0019."""

from __future__ import annotations

import importlib
import secrets

import psycopg

from domain.events.catalogue import MAX_TEXT
from eventlog.publish.builders import user_event
from eventlog.publish.event import Event
from tests.projections.harness import ReadModels
from tests.support.closed_trades import closed_trade

NOON = 1_760_000_000_000

MIGRATION = importlib.import_module("migrations.versions.0019_keys_of_long_texts")
LONG = [prefix + secrets.token_urlsafe(MAX_TEXT)[: MAX_TEXT - 1] for prefix in "aabz"]  # no compressing makes it fit
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'read_models' ORDER BY 1"
KEYS = """
    SELECT c.oid::regclass::text, c.relname, string_agg(quote_ident(a.attname), ', ' ORDER BY k.place)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
    CROSS JOIN LATERAL generate_series(1, i.indnkeyatts) AS k (place)
    JOIN pg_attribute a ON a.attrelid = c.oid
    AND a.attname = (regexp_match(pg_get_indexdef(x.oid, k.place::int, true), '[a-z_]*(?="?\\)?$)'))[1]
    WHERE c.relnamespace = 'read_models'::regnamespace AND x.relname LIKE '%\\_key' GROUP BY 1, 2
"""


def visit(number: int, page: str) -> Event:
    """A page that a user looks at."""
    return user_event(company_id="acme", user_id="u1", name="page_view", page=page, timestamp=NOON + number)


def trade(text: str) -> Event:
    """A trade of which all is called by this text."""
    return closed_trade(trade_id=text, account_id=text, symbol=text, strategy=text)


async def test_long_texts_are_found_listed_and_added_up(models: ReadModels) -> None:
    """As filter, by page and by dimension; two that begin alike are two, and one that is reported again is one."""
    models.given([trade(text) for text in LONG], batches_of=[1])
    models.given([trade(text) for text in LONG])
    totals = await models.rows("trading_totals", by="symbol")
    assert [row["symbol"] for row in totals] == sorted(LONG)
    assert (await models.rows("trading_totals", strategy=LONG[0]))[0]["total_trades"] == 1
    assert [row["trade_id"] for row in await models.rows("trades", trade_id=LONG[1])] == [LONG[1]]
    first = await models.answer("trades", limit="3")
    rest = await models.answer("trades", limit="3", cursor=first["next_cursor"])
    assert {row["trade_id"] for row in (*first["rows"], *rest["rows"])} == set(LONG)
    assert len(rest["rows"]) == 1


def test_stored_keys_are_made_anew(database_url: str) -> None:
    """Tables of an earlier release get the keys of new ones, keep their rows, and take long texts."""
    models = ReadModels(database_url).given([visit(0, "/")])
    with psycopg.connect(database_url) as connection:
        made = connection.execute(INDEXES.encode()).fetchall()
        for table, name, columns in connection.execute(KEYS.encode()).fetchall():
            connection.execute(f'DROP INDEX read_models."{name}_key"; ALTER TABLE {table} ADD PRIMARY KEY ({columns})')
        connection.execute("DROP FUNCTION read_models.short; DROP FUNCTION read_models.shortened")
        for statement in (MIGRATION.SHORTENED, MIGRATION.SHORT, MIGRATION.KEYS):
            connection.execute(statement.encode())
    models.restart()
    with psycopg.connect(database_url) as connection:
        assert connection.execute(INDEXES.encode()).fetchall() == made
    models.given([visit(0, "/"), *(visit(number, text) for number, text in enumerate(LONG))])
    with psycopg.connect(database_url) as connection:
        found = connection.execute("SELECT count(*), sum(times) FROM read_models.user_step_v1").fetchone()
    assert found == (5, 6)
    models.store.close()
