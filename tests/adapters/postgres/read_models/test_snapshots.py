"""Snapshots are signed: one that somebody has changed tells nobody's past, and verifying says so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.postgres.read_models.snapshots import PostgresSnapshots, copy_name
from adapters.postgres.tenant_wall import enclose
from projections.engine.declare.registry import projection
from projections.engine.past.past_store import Snapshot
from projections.engine.query.request import Past
from tests.eventlog.publish.samples import trade
from tests.laws.test_past import COMPANY, contents, past_store, position_of
from tests.projections.harness import ReadModels, logged
from tests.support import signing

TRADING = projection("trading")
RECORDS = logged([trade(f"{company}-{n}", company_id=company) for n in range(4) for company in (COMPANY, "beta")])
OWN_AFTER = 2  # of the company, behind the newest snapshot
OWN = f"WHERE company_id = '{COMPANY}'"
CHANGES = {
    "a value": f"UPDATE {{trade}} SET pnl = pnl + 1 {OWN}",
    "a row less": f"DELETE FROM {{trade}} {OWN} AND trade_id = '{COMPANY}-1'",
    "no row": f"DELETE FROM {{trade}} {OWN}",
    "another row": "INSERT INTO {trade} SELECT * FROM {trade} LIMIT 1",
    "another's rows": f"UPDATE {{trade}} SET company_id = '{COMPANY}' WHERE company_id = 'beta'",
    "another table": f"DELETE FROM {{trading_by_quarter}} {OWN}",
    "no table": "DROP TABLE {trade}",
    "its position": "UPDATE snapshots SET position = ''",
    "its latest time": "UPDATE snapshots SET latest = 1",
    "its digests": "UPDATE snapshots SET digests = jsonb_set(digests, '{trade,acme}', '\"00\"')",
    "no signature": "UPDATE snapshots SET signature = NULL",
    "a signature of nobody": "UPDATE snapshots SET signature = sha256(signature)",
    "one of another moment": "UPDATE snapshots s SET position = o.position, digests = o.digests,"
    " signature = o.signature FROM snapshots o WHERE s.number = 2 AND o.number = 1",
}
PASSED_OVER = ("its position", "one of another moment", "no signature")  # another one is nearer then, or it is none


@pytest.fixture
def snapshots(database_url: str) -> Iterator[PostgresSnapshots]:
    """Of which the newest holds half of the log; it is all folded."""
    models = ReadModels(database_url, [TRADING])
    with closing(signing.snapshots(database_url)) as opened:
        for part in (RECORDS[:2], RECORDS[2:4]):
            models.fold(part)
            opened.take(TRADING)
        models.fold(RECORDS[4:])
        models.restart()
        yield opened


def trades(url: str) -> tuple[list[object], int]:
    """The company's trades as of the end of the log, and how many of its records were read for it."""
    store, scratch = past_store(url, RECORDS, Past(position_of(RECORDS)))
    [table] = [t for t in TRADING.tables if t.name == "trade"]
    with closing(scratch):
        answer = asyncio.run(store.ask(COMPANY, TRADING.name, contents(table), (COMPANY,)))
    return list(answer.rows), store.scanned.records


def problems(store: PostgresSnapshots) -> dict[int, str]:
    return {each.number: problem for each in store.stored(TRADING) if (problem := store.problem(TRADING, each))}


def copy_names(number: int) -> dict[str, str]:
    """The copies of a snapshot by the names of their tables."""
    return {t.name: copy_name(t.name, TRADING.version, number) for t in TRADING.tables}


@contextmanager
def changed(url: str, statement: str) -> Iterator[None]:
    """While it lasts, the newest snapshot is changed so; copies of what was there are put back."""
    kept = {**copy_names(2), "snapshots": "snapshots"}
    with psycopg.connect(url, autocommit=True) as connection:
        for name, table in kept.items():
            connection.execute(f"CREATE TABLE kept_{name} (LIKE {table} INCLUDING ALL)".encode())
            connection.execute(f"INSERT INTO kept_{name} SELECT * FROM {table}".encode())
        wanted = "" if "snapshots s" in statement else " WHERE number = 2" if "snapshots" in statement else ""
        connection.execute(
            (statement.replace("{trade,acme}", "{{trade,acme}}").format_map(copy_names(2)) + wanted).encode()
        )
        try:
            yield
        finally:
            for name, table in kept.items():
                connection.execute(f"CREATE TABLE IF NOT EXISTS {table} (LIKE kept_{name})".encode())
                connection.execute(f"DELETE FROM {table}".encode())
                connection.execute(f"INSERT INTO {table} SELECT * FROM kept_{name}".encode())
                connection.execute(f"DROP TABLE kept_{name}".encode())
                if name != "snapshots":
                    enclose(connection, table)


def test_a_snapshot_of_another_key_is_as_good_as_none(database_url: str, snapshots: PostgresSnapshots) -> None:
    """Who owns the database can copy rows and write digests, but cannot sign."""
    other = Ed25519PrivateKey.generate()
    with closing(PostgresSnapshots(database_url, other.sign, signing.HOLDS)) as forger:
        newest: Snapshot = forger.take(TRADING)
    assert problems(snapshots) == {newest.number: "it is not signed by this key"}
    assert trades(database_url)[1] == OWN_AFTER


def test_a_changed_snapshot_tells_no_past_and_is_told(
    database_url: str, snapshots: PostgresSnapshots, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever of it is changed: the answer is the log's, which is read from further back; what is whole is used."""
    expected, read = trades(database_url)
    assert (len(expected), read, problems(snapshots)) == (4, OWN_AFTER, {})
    for kind, statement in CHANGES.items():
        with changed(database_url, statement):
            caplog.clear()
            rows, read_now = trades(database_url)
            assert rows == expected, kind
            assert read_now > read, kind
            if kind != "no signature":  # as one that an earlier release took: nobody goes on from it
                assert problems(snapshots), kind
            if kind not in PASSED_OVER:
                assert "is not as it was signed" in caplog.text, kind
        assert (trades(database_url)[1], problems(snapshots)) == (read, {}), kind
