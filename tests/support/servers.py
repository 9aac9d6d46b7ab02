"""Real servers for tests: one PostgreSQL and one NATS for the whole run, a fresh migrated database for each test.

A test that kills servers starts its own (`own_servers`).
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import signal
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from adapters.postgres.migrate import migrate
from adapters.postgres.read_models.projection_store import PostgresProjectionStore
from adapters.servers.servers import Addresses, Servers
from app.instance.instance import embedded_servers, prepare, with_servers
from app.settings import Settings
from projections.engine.declare.registry import all_projections
from tests.support.copies import copy_of, in_memory

_NUMBERS = itertools.count(1)
KEPT = 100  # databases of those who need many: a database that goes soon is never written to the disk


def database_named(url: str, name: str) -> str:
    """The address of another database of the same server."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{name}"))


@pytest.fixture(scope="session")
def servers() -> Iterator[Addresses]:
    """Addresses of a PostgreSQL and a NATS that run until the end of the test run."""
    folder = Path(tempfile.mkdtemp(prefix="analytics-", dir=in_memory()))
    running = Servers(folder)
    try:
        addresses = asyncio.run(running.start())
        with psycopg.connect(addresses.database_url, autocommit=True) as connection:  # what dies with the run anyway
            connection.execute("alter system set fsync = off")
            connection.execute("alter system set full_page_writes = off")
            connection.execute("alter system set autovacuum = off")  # in hundreds of databases that live for a second
            connection.execute("alter system set max_wal_size = '512MB'")
            connection.execute("select pg_reload_conf()")
        yield addresses
        os.kill(addresses.pids["postgres"], signal.SIGKILL)  # a clean stop would first write what nobody reads again
    finally:
        asyncio.run(running.stop())
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def database_template(servers: Addresses) -> str:
    """Name of a database with all durable tables: copying it is faster than migrating."""
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        connection.execute("create database template_migrated")
    migrate(database_named(servers.database_url, "template_migrated"))
    return "template_migrated"


@pytest.fixture(scope="session")
def read_models_template(servers: Addresses, database_template: str) -> str:
    """Name of a database in which each projection has its tables, too: to make those takes longer than all the rest."""
    url = _copied(servers, database_template)
    with closing(PostgresProjectionStore(url)) as store:
        store.prepare(list(all_projections().values()))
    return _name(url)


@pytest.fixture
def database_url(servers: Addresses, database_template: str) -> Iterator[str]:
    """A fresh database with all durable tables and no rows."""
    made = _copied(servers, database_template)
    yield made
    _drop(servers, made)


@pytest.fixture
def read_models_url(servers: Addresses, read_models_template: str) -> Iterator[str]:
    """As `database_url`, with the tables of all projections."""
    made = _copied(servers, read_models_template)
    yield made
    _drop(servers, made)


@pytest.fixture(scope="session")
def new_database(servers: Addresses, read_models_template: str) -> Callable[[], str]:
    """Makes databases as `read_models_url` is, for tests that need many; the last ones are there."""
    made: deque[str] = deque()

    def one_more() -> str:
        if len(made) == KEPT:
            _drop(servers, made.popleft())
        made.append(_copied(servers, read_models_template))
        return made[-1]

    return one_more


@pytest.fixture
def copied_database(servers: Addresses) -> Iterator[Callable[[str], str]]:
    """Makes copies of a database that nobody is connected to: from its address to the copy's."""
    made: list[str] = []

    def copy(url: str) -> str:
        made.append(_copied(servers, _name(url)))
        return made[-1]

    yield copy
    for url in made:
        _drop(servers, url)


@pytest.fixture(scope="module")
def module_database_url(servers: Addresses, database_template: str) -> Iterator[str]:
    """As `database_url`, shared by the tests of one module."""
    made = _copied(servers, database_template)
    yield made
    _drop(servers, made)


@pytest.fixture(scope="session")
def nats_url(servers: Addresses) -> str:
    """A NATS server; tests choose subjects of their own."""
    return servers.nats_url


@pytest.fixture(scope="session")
def stopped_instance() -> Iterator[Path]:
    """A folder of an instance that ran once and was stopped: copying it is faster than making cluster and tables."""
    folder = Path(tempfile.mkdtemp(prefix="analytics-", dir=in_memory()))
    asyncio.run(_once(Settings(data=folder)))
    with (folder / "postgres" / "postgresql.auto.conf").open("a") as conf:  # a process that is killed loses no write
        conf.write("fsync = off\nfull_page_writes = off\n")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_folder(stopped_instance: Path) -> Iterator[Path]:
    """A folder with stopped servers of the test's own."""
    with copy_of(stopped_instance) as folder:
        yield folder


@pytest.fixture
async def own_servers(own_folder: Path) -> AsyncIterator[Servers]:
    """Servers, not yet started, that the test may kill."""
    servers = Servers(own_folder)
    yield servers
    await servers.stop()


async def _once(settings: Settings) -> None:
    servers = embedded_servers(settings)
    await prepare(with_servers(settings, await servers.start()))
    await servers.stop()


def _copied(servers: Addresses, template: str) -> str:
    name = f"test_{next(_NUMBERS)}"
    # files lie in memory, where copying them takes a third of logging page by page, and nothing is dirty when they go
    copy = sql.SQL("create database {} template {} strategy file_copy")
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        connection.execute(copy.format(sql.Identifier(name), sql.Identifier(template)))
    return database_named(servers.database_url, name)


def _drop(servers: Addresses, url: str) -> None:
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(_name(url))))


def _name(url: str) -> str:
    return urlsplit(url).path.lstrip("/")
