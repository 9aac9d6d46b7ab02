"""Bring a database's durable tables up to the newest revision in `migrations/versions`."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from adapters.postgres.roles import give_rights, rights_are_given
from domain.errors import Defect, Unavailable

LOCK = 0x616E616C79746963  # "analytic": one advisory lock for all who migrate the same database
CONNECT_TIMEOUT = 10  # seconds


def migrate(database_url: str) -> None:
    """Apply the revisions that are missing; all of them or, after an error, none.

    Several processes may call it at once: one works, the others wait and find nothing left to do. `database_url` is
    anything that libpq takes. Raises Unavailable when the database does not answer, Defect when a revision fails or
    when the database is of a newer release than this code.
    """
    try:
        with psycopg.connect(database_url, autocommit=True, connect_timeout=CONNECT_TIMEOUT) as connection:
            if _applied(connection) != newest_revision() or not rights_are_given(connection):
                with _locked(connection):
                    _upgrade(connection)
                    give_rights(connection)
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise Unavailable(f"the database cannot be migrated now: {error}") from error


def migrations_folder() -> Path:
    """Where the revisions lie, in a checkout and in an installed distribution alike. Raises Defect without them."""
    spec = importlib.util.find_spec("migrations")
    if spec is None or spec.origin is None:
        raise Defect("the package `migrations` is not installed")
    return Path(spec.origin).parent


def newest_revision() -> str:
    """The id of the last revision, which is the name of its file.

    Taken from the file names, because importing Alembic costs 0.4 s that every command would pay only to learn that
    nothing is to be done. A test holds names, ids and the chain together. Raises Defect without the package.
    """
    return max(path.stem for path in (migrations_folder() / "versions").glob("[0-9]*.py"))


def _applied(connection: psycopg.Connection) -> str | None:
    """The revision that the database is at, None for a new database."""
    if connection.execute("SELECT to_regclass('public.alembic_version')").fetchone() == (None,):
        return None
    row = connection.execute("SELECT version_num FROM public.alembic_version").fetchone()
    return None if row is None else str(row[0])


@contextmanager
def _locked(connection: psycopg.Connection) -> Iterator[None]:
    """Hold the lock. It is the session's, not a transaction's: a waiter then holds no snapshot while it waits."""
    connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s)", (LOCK,))


def _upgrade(connection: psycopg.Connection) -> None:
    """Let Alembic work over our own open connection, which holds the lock."""
    # Heavy, and needed only here: API processes that import this module never load them.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError
    from sqlalchemy import create_engine
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import StaticPool

    engine = create_engine("postgresql+psycopg://", creator=lambda: connection, poolclass=StaticPool)
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    connection.autocommit = False
    try:
        with engine.connect() as wrapped:
            config.attributes["connection"] = wrapped  # migrations/env.py takes it from here
            command.upgrade(config, "head")
    except DBAPIError as error:
        failed = Defect(f"a revision cannot be applied, and none was: {error}", code="migration_failed")
        raise (error.orig if isinstance(error.orig, psycopg.OperationalError) else failed) from error
    except CommandError as error:
        raise Defect(
            f"this release does not know the database's revision {_applied(connection)!r}: {error}",
            code="unknown_revision",
            suggested_actions=("run the release that last migrated this database, or a newer one",),
        ) from error
    finally:
        if not connection.closed:
            connection.rollback()
            connection.autocommit = True
