"""Durable tables: every revision applies, once, whoever else is migrating, or not at all."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import sql

from adapters.postgres import migrate as migrating
from adapters.postgres.migrate import migrate, migrations_folder, newest_revision
from adapters.servers.servers import Addresses
from domain.errors import Defect, Unavailable
from tests.support.servers import database_named

EmptyDatabase = Callable[[str], str]


@pytest.fixture
def empty_database(servers: Addresses) -> EmptyDatabase:
    """Makes a database without any table; answers its address."""

    def make(name: str) -> str:
        with psycopg.connect(servers.database_url, autocommit=True) as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        return database_named(servers.database_url, name)

    return make


def tables(url: str) -> set[tuple[str, str]]:
    """Schema and name of every table that is there."""
    query = "select schemaname, tablename from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
    with psycopg.connect(url) as connection:
        return {(str(schema), str(name)) for schema, name in connection.execute(query)}


def revisions_with(folder: Path, name: str, statement: str) -> Path:
    """A copy of the migrations with one more revision at the end."""
    copied = folder / "migrations"
    shutil.copytree(migrations_folder(), copied)
    text = f'''from alembic import op

revision = "{name}"
down_revision = "{newest_revision()}"


def upgrade() -> None:
    op.execute("CREATE TABLE half_made (id int)")
    op.execute("{statement}")
'''
    (copied / "versions" / f"{name}.py").write_text(text)
    return copied


def test_revisions_are_one_chain_in_the_order_of_their_names() -> None:
    """The newest file is the head, ids are file names and fit alembic_version, and no revision has two successors."""
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    chain = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]
    assert chain == sorted(path.stem for path in (migrations_folder() / "versions").glob("[0-9]*.py"))
    assert chain[-1] == newest_revision()
    assert [revision for revision in chain if len(revision) > 32] == []


def test_an_empty_database_gets_all_tables(empty_database: EmptyDatabase) -> None:
    """After the migration the durable tables are there and the revision is recorded."""
    url = empty_database("migrated_once")
    migrate(url)
    assert {("public", "checkpoints"), ("public", "quarantine"), ("public", "seen_events")} <= tables(url)
    assert "log" in {schema for schema, _ in tables(url)}
    with psycopg.connect(url) as connection:
        assert connection.execute("select version_num from alembic_version").fetchall() == [(newest_revision(),)]


def test_migrating_again_changes_nothing_and_is_fast(database_url: str) -> None:
    """Every command migrates first, so finding nothing to do costs about one connection."""
    before = tables(database_url)
    started = time.perf_counter()
    migrate(database_url)
    assert time.perf_counter() - started < 0.3
    assert tables(database_url) == before


def test_several_processes_may_migrate_at_once(empty_database: EmptyDatabase) -> None:
    """All of them return, and the revisions were applied once (a second time would fail on existing tables)."""
    url = empty_database("migrated_by_many")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, [url] * 4))
    with psycopg.connect(url) as connection:
        assert connection.execute("select version_num from alembic_version").fetchall() == [(newest_revision(),)]
        assert connection.execute("select count(*) from pg_locks where locktype = 'advisory'").fetchone() == (0,)


def test_a_failing_revision_leaves_nothing_behind(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first table is gone again, the revision is the old one, and the error says what failed."""
    folder = revisions_with(tmp_path, "9998_broken", "SELECT no_such_function()")
    monkeypatch.setattr(migrating, "migrations_folder", lambda: folder)
    before = tables(database_url)
    with pytest.raises(Defect, match="no_such_function"):
        migrate(database_url)
    assert tables(database_url) == before


def test_a_database_of_a_newer_release_is_refused(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Older code does not guess what a newer one has made."""
    with monkeypatch.context() as newer:
        folder = revisions_with(tmp_path, "9999_newer", "SELECT 1")
        newer.setattr(migrating, "migrations_folder", lambda: folder)
        migrate(database_url)
    with pytest.raises(Defect, match="9999_newer"):
        migrate(database_url)


def test_a_database_that_does_not_answer_is_unavailable() -> None:
    """It is an error that may go away, and says so."""
    with pytest.raises(Unavailable):
        migrate("postgresql://nobody@127.0.0.1:1/nothing")
