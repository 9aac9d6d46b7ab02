"""Starting, sharing, killing and stopping the embedded servers, with real processes."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adapters.nats.bus import NatsBus
from adapters.postgres.migrate import migrate
from adapters.postgres.read_models.read_store import PostgresReadStore
from adapters.servers.access_lists import let_in
from adapters.servers.process import Launcher, alive, end, free_port
from adapters.servers.servers import Addresses, Servers
from tests.architecture.sources import PACKAGES
from tests.eventlog.publish.samples import trade
from tests.projections.harness import ReadModels, logged
from tests.support.frozen import stop

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]

START_AND_SLEEP = """
import asyncio, sys
from pathlib import Path
from adapters.servers.servers import Servers
async def main():
    addresses = await Servers(Path(sys.argv[1])).start()
    print(addresses.pids["postgres"], addresses.pids["nats"], flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


@pytest.fixture
def folder(own_folder: Path) -> Path:
    """A folder where servers have run before, without what makes those of tests faster."""
    (own_folder / "postgres" / "postgresql.auto.conf").write_text("")
    return own_folder


@pytest.fixture
def new_folder() -> Iterator[Path]:
    """A folder where nothing has run."""
    path = Path(tempfile.mkdtemp(prefix="analytics-own-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


async def both_answer(addresses: Addresses) -> bool:
    """Whether the database answers on both addresses and the bus takes a connection."""
    for url in (addresses.database_url, addresses.database_tcp_url):
        with psycopg.connect(url) as connection:
            if connection.execute("select current_setting('fsync')").fetchone() != ("on",):
                return False
    bus = await NatsBus.connect(addresses.nats_url)
    connected = bus.connected
    await bus.close()
    return connected


async def taken(port: int) -> socket.socket:
    """Somebody else's socket at the port, as soon as the processes that had it are gone."""
    while True:
        with suppress(OSError):
            return socket.create_server(("127.0.0.1", port))
        await asyncio.sleep(0.01)


async def test_the_last_user_stops_the_servers(folder: Path) -> None:
    """Who starts second uses what runs; whoever started them may leave first."""
    first, second = Servers(folder), Servers(folder)
    started = await first.start()
    assert await second.start() == started
    await first.stop()
    assert await both_answer(started)
    await second.stop()
    assert not any(alive(pid) for pid in started.pids.values())


async def test_two_that_start_at_once_start_one_instance(new_folder: Path) -> None:
    """The second waits for the first and finds everything running."""
    users = [Servers(new_folder) for _ in range(3)]
    addresses = await asyncio.gather(*(user.start() for user in users))
    assert addresses[0] == addresses[1] == addresses[2]
    await asyncio.gather(*(user.stop() for user in users))
    assert not any(alive(pid) for pid in addresses[0].pids.values())


async def test_ports_data_and_secrets_stay_from_one_start_to_the_next(folder: Path) -> None:
    """So that addresses written down yesterday are right today."""
    servers = Servers(folder)
    first = await servers.start()
    with psycopg.connect(first.database_url) as connection:
        connection.execute("create table kept as select 7 as number")
    await servers.stop()
    second = await servers.start()
    assert (second.database_url, second.nats_url) == (first.database_url, first.nats_url)
    with psycopg.connect(second.database_url) as connection:
        assert connection.execute("select number from kept").fetchone() == (7,)
    await servers.stop()
    for key in ("database", "bus"):
        assert stat.S_IMODE((folder / "keys" / key).stat().st_mode) == 0o600


async def test_two_folders_run_side_by_side(folder: Path, new_folder: Path) -> None:
    """With other ports and other data."""
    left, right = Servers(folder), Servers(new_folder)
    addresses = await asyncio.gather(left.start(), right.start())
    assert len({*addresses[0].pids.values(), *addresses[1].pids.values()}) == 4
    assert await both_answer(addresses[0])
    assert await both_answer(addresses[1])
    await asyncio.gather(left.stop(), right.stop())


async def test_servers_of_a_killed_owner_are_adopted(folder: Path) -> None:
    """After kill -9 of the process that started them the next start uses them, and stops them as the last user."""
    owner, pids = _started_in_another_process(folder)
    owner.kill()
    owner.wait()
    servers = Servers(folder)
    addresses = await servers.start()
    assert addresses.pids == {"postgres": pids[0], "nats": pids[1]}
    await servers.stop()
    assert not any(alive(pid) for pid in pids)


async def test_everything_killed_at_once_starts_again(folder: Path) -> None:
    """Owner, PostgreSQL and NATS killed by kill -9: the pid files and sockets left behind do not stand in the way."""
    owner, pids = _started_in_another_process(folder)
    for pid in (*pids, owner.pid):
        os.kill(pid, signal.SIGKILL)
    owner.wait()
    servers = Servers(folder)
    assert await both_answer(await servers.start())
    await servers.stop()


async def test_servers_that_end_while_a_start_waits_for_them_start_again(folder: Path) -> None:
    """One that was just killed counts as running for a moment, and never answers: here the moment is a long one."""
    owner, pids = _started_in_another_process(folder)
    stop(pids)
    servers = Servers(folder)
    starting = asyncio.create_task(servers.start())
    await asyncio.sleep(0.5)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(30):
        addresses = await starting
    assert await both_answer(addresses)
    owner.kill()
    owner.wait()
    await servers.stop()


async def test_servers_come_back_at_their_old_addresses_or_not_at_all(folder: Path) -> None:
    """Everybody who works with them knows these addresses: while another has the port they wait, and say so."""
    servers = Servers(folder)
    addresses = await servers.start()
    waits, back = asyncio.Event(), asyncio.Event()

    def report(line: str) -> None:
        for said, event in (("trying again", waits), ("run again", back)):
            if said in line:
                event.set()

    for pid in addresses.pids.values():
        os.kill(pid, signal.SIGKILL)
    with await taken(int((folder / "run" / "postgres.port").read_text())):
        watching = asyncio.create_task(servers.watch(report))
        await waits.wait()
    await back.wait()
    watching.cancel()
    again = servers.addresses()
    assert (again.database_url, again.nats_url) == (addresses.database_url, addresses.nats_url)
    assert await both_answer(again)
    await servers.stop()


async def test_a_pid_that_now_belongs_to_somebody_else_is_no_server(folder: Path) -> None:
    """A stale pid file may name any process by now: it is neither taken for the server nor killed."""
    servers = Servers(folder)
    await servers.start()
    await servers.stop()
    (folder / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{folder}/postgres\n")
    (folder / "run" / "nats.pid").write_text(str(os.getpid()))
    assert servers.addresses().pids == {}
    assert await both_answer(await servers.start())
    await servers.stop()


async def test_the_watch_brings_back_what_dies(folder: Path) -> None:
    """Again and again, on the same addresses, with a line for each event."""
    servers, lines = Servers(folder), list[str]()
    first = await servers.start()
    watching = asyncio.create_task(servers.watch(lines.append))
    for victim in ("postgres", "nats", "postgres"):
        before = servers.addresses().pids
        os.kill(before[victim], signal.SIGKILL)
        async with asyncio.timeout(30):
            while servers.addresses().pids.get(victim, before[victim]) == before[victim]:  # noqa: ASYNC110 (no event)
                await asyncio.sleep(0.05)
            while lines.count("the embedded servers run again") < lines.count(lines[0]):  # noqa: ASYNC110 (no event)
                await asyncio.sleep(0.05)
    assert await both_answer(first)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await servers.stop()


async def test_a_long_folder_name_gets_its_socket_elsewhere(new_folder: Path) -> None:
    """A socket's path holds about 100 bytes; folders may be longer, and have spaces."""
    servers = Servers(new_folder / ("long name " * 12).strip())
    assert await both_answer(await servers.start())
    await servers.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="then all the other tests already run as an ordinary user")
@pytest.mark.ci  # all of this file once more
def test_an_ordinary_user_starts_them_too(new_folder: Path) -> None:
    """Here we are root, so the same is done once more under an ordinary account."""
    launcher = Launcher()
    launcher.own(new_folder)
    assert launcher.account is not None
    packages = (ROOT / name for name in (*PACKAGES, "proto", "tests"))  # not the data folder that may lie beside them
    for path in (Path(sys.base_prefix), Path(sys.prefix), *packages):
        let_in(launcher.account.pw_uid, path)
    user = {"user": launcher.account.pw_uid, "group": launcher.account.pw_gid, "extra_groups": []}
    owner, pids = _started_in_another_process(new_folder, user)
    assert all(os.stat(f"/proc/{pid}").st_uid != 0 for pid in (owner.pid, *pids))
    owner.kill()
    owner.wait()
    for pid in pids:
        end(pid, ((signal.SIGTERM, 1.0), (signal.SIGKILL, 10.0)))


def status_of(pid: int) -> dict[str, str]:
    """What the kernel says of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user has no rights to lose")
async def test_servers_of_root_have_no_rights(new_folder: Path) -> None:
    """They run as an account without a single capability, and cannot come by one; folders stay closed to others."""
    closed = new_folder / "home"
    closed.mkdir(mode=0o700)
    servers = Servers(closed / "data")
    started = await servers.start()
    for pid in started.pids.values():
        status = status_of(pid)
        assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}
        assert status["NoNewPrivs"] == "1"
        assert "0" not in status["Uid"].split()
    assert await both_answer(started)
    assert closed.stat().st_mode & 0o007 == 0
    await servers.stop()


async def test_no_role_of_the_service_may_more_than_it_needs(folder: Path) -> None:
    """None is a superuser or passes row security by; the reader and the member can become nobody else."""
    servers = Servers(folder)
    started = await servers.start()
    migrate(started.owner_url)
    with psycopg.connect(started.owner_url) as connection:
        roles = connection.execute(
            "SELECT rolname, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication FROM pg_roles"
            " WHERE rolname LIKE 'analytics_%' ORDER BY 1"
        ).fetchall()
    assert roles == [(f"analytics_{name}", False) for name in ("member", "owner", "reader", "writer")]
    for url, statement in (
        (started.reader_url, "SET ROLE analytics_writer"),
        (started.reader_url, "SET ROLE analytics_owner"),
        (started.reader_url, "SET SESSION AUTHORIZATION analytics"),
        (started.reader_url, "SELECT * FROM log.runs"),
        (started.reader_url, "CREATE TABLE read_models.mine (id int)"),
        (started.member_url, "SET ROLE analytics_writer"),
        (started.member_url, "SET ROLE analytics_reader"),
        (started.member_url, "SELECT * FROM read_models.stored_tiers()"),
        (started.member_url, "SELECT * FROM log.runs"),
        (started.writer_url, "SET ROLE analytics_owner"),
        (started.writer_url, "ALTER TABLE log.runs ADD extra int"),
        (started.writer_url, "DROP TABLE quarantine"),
        (started.writer_url, "UPDATE alembic_version SET version_num = '0'"),
        (started.writer_url, "CREATE TABLE public.mine (id int)"),
    ):
        with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())
    with psycopg.connect(started.writer_url) as connection:
        for role in ("reader", "member"):  # as a command does that has no login of the reader
            connection.execute(f"SET ROLE analytics_{role}".encode())
            assert connection.execute("SELECT count(*) FROM checkpoints").fetchone() == (0,)
    await servers.stop()


async def test_a_database_of_one_superuser_is_handed_over(folder: Path) -> None:
    """Of a release whose service was the superuser: rows stay, and what there is belongs to the new roles."""
    servers = Servers(folder)
    started = await servers.start()
    with psycopg.connect(started.database_url, dbname="postgres", autocommit=True) as connection:
        connection.execute("DROP DATABASE analytics")
        connection.execute("DROP ROLE analytics_owner, analytics_writer, analytics_reader, analytics_member")
        connection.execute("CREATE DATABASE analytics")
    migrate(started.database_url)
    models = ReadModels(started.database_url)
    models.fold(logged([trade("before", company_id="acme")]))
    await models.close()
    await servers.stop()
    started = await servers.start()
    migrate(started.owner_url)
    models = ReadModels(started.writer_url)
    models.fold(logged([trade("before", company_id="acme"), trade("after", company_id="acme")]))
    store = PostgresReadStore(started.reader_url, connections=1)
    await store.open()
    assert (await store.ask("acme", "trading", "SELECT count(*) FROM {trade}", ())).rows == [(2,)]
    await store.close()
    await models.close()
    await servers.stop()


def _started_in_another_process(
    folder: Path, user: Mapping[str, Any] | None = None
) -> tuple[subprocess.Popen[str], list[int]]:
    """A process that has started the servers and then only sleeps, and the servers' pids."""
    command = [sys.executable, "-c", START_AND_SLEEP, str(folder)]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'proto'}", "PYTHONDONTWRITEBYTECODE": "1"}
    owner = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, **(user or {}))
    assert owner.stdout is not None
    with owner.stdout:
        pids = [int(pid) for pid in owner.stdout.readline().split()]
    assert len(pids) == 2, "the servers did not start"
    return owner, pids


def test_a_remembered_port_can_be_read_at_any_moment(tmp_path: Path) -> None:
    """It is written again whenever a server comes back, while others look where that server listens."""
    file = tmp_path / "server.port"
    free_port(file, 4242)
    with file.open() as before:
        free_port(file, 4343)
        assert before.read() == "4242"
    assert file.read_text() == "4343"
