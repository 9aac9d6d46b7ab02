"""`analytics projections rebuild | verify | switch | drop | cancel`, as its user runs them, killed in the middle."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

import psycopg
import pytest

from adapters.postgres.log.log import EmbeddedLog
from adapters.postgres.read_models.builder import PostgresBuild
from app.bench.events import envelopes, pieces
from app.bench.folding import fold
from app.bench.logs import append
from app.evidence import rebuild_results
from app.settings import Settings
from projections.engine.declare.registry import projection
from projections.engine.store.sql import table_name
from tests.support.instance import environment, run_command

NAME = "user_activity"
EVENTS = 60_000  # four shares
LIVE = projection(NAME).version  # stored first
NEXT, THIRD = LIVE + 1, LIVE + 2


class Commands:
    """The command line on one database."""

    def __init__(self, url: str, nats_url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self._settings = {
            "ANALYTICS_DATABASE_URL": url, "ANALYTICS_NATS_URL": nats_url, "ANALYTICS_DATA": str(folder),
        }  # fmt: skip

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `analytics projections …` in a process group of its own."""
        command = [sys.executable, "-m", "app.cli", "projections", *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, env=environment(**self._settings), stdout=pipe, stderr=pipe, text=True, start_new_session=True
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, stdout and stderr."""
        ended = run_command("projections", *arguments, **self._settings)
        return ended.exit_code, ended.stdout, ended.stderr

    def ask(self, query: str) -> Sequence[tuple[object, ...]]:
        """Rows of a query, or of what an update returns."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode()).fetchall()


async def _lived(url: str, events: int) -> None:
    log = EmbeddedLog(url)
    try:
        await log.create_topics(dict.fromkeys(projection(NAME).topics, 2))
        await append(log, pieces(envelopes(events, ("user_event",))))
        await fold(log, url, [projection(NAME)])
    finally:
        await log.close()


@pytest.fixture
def commands(database_url: str, nats_url: str, tmp_path: Path) -> Commands:
    """The command line on a database without events."""
    return Commands(database_url, nats_url, tmp_path)


@pytest.mark.ci
def test_a_rebuild_that_was_killed_resumes_and_equals_live(commands: Commands) -> None:
    """kill -9 of the command and its workers in mid-rebuild: the next run goes on from what they stored.

    Whole rebuilds in processes of their own, half a minute of both cores.
    """
    asyncio.run(_lived(commands.url, EVENTS))
    with closing(PostgresBuild(commands.url, projection(NAME).stored_as(NEXT))) as other:
        process = commands.start("rebuild", NAME)
        while other.claim() is None:  # a share that the workers do not get, or they might be done before the kill
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        while not (done := other.done().done):
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert 0 < done < EVENTS
    [(state, live)] = commands.ask(f"SELECT state, live FROM projections WHERE version = {NEXT}")
    assert (state, live) == ("building", False)
    code, out, err = commands.run("rebuild", NAME, "--json")
    assert code == 0, err
    assert f"resuming version {NEXT} at" in err
    assert json.loads(out)["version"] == NEXT
    code, out, _ = commands.run("verify", NAME, "--json")
    assert (code, json.loads(out)["equal"]) == (0, True)


@pytest.mark.slow
def test_a_version_that_differs_is_shown_and_refused_until_it_is_explained(commands: Commands) -> None:
    """verify shows the row and fails; switch is refused, and with --explain keeps the reason; then back, then drop."""
    asyncio.run(_lived(commands.url, 2_000))
    assert commands.run("rebuild", NAME, "--workers", "1")[0] == 0
    table = projection(NAME).tables[0]
    measure = next(c.name for c in table.values if c.kind.sql == "bigint")
    name, key = table_name(table.name, NEXT), table.keys[1].name
    change = f'UPDATE {name} SET "{measure}" = "{measure}" + 1 WHERE ctid = (SELECT min(ctid) FROM {name})'
    [(changed,)] = commands.ask(f'{change} RETURNING "{key}"::text')
    code, out, _ = commands.run("verify", NAME, "--json")
    [difference] = json.loads(out)["differences"]
    assert code == 1
    assert difference["table"] == table.name
    assert datetime.fromisoformat(difference["key"][key]) == datetime.fromisoformat(str(changed))
    assert difference["new"][measure] == difference["old"][measure] + 1
    remembered = rebuild_results(Settings(data=commands.folder))[NAME]
    assert (remembered.equal, remembered.version) == (False, LIVE)
    code, _, err = commands.run("switch", NAME)
    assert (code, f"differs from version {LIVE}" in err) == (1, True)
    assert commands.run("switch", NAME, "--explain", "a test")[0] == 0
    assert commands.ask("SELECT version, reason FROM projections WHERE live") == [(NEXT, "a test")]
    assert commands.run("drop", f"{NAME}@{NEXT}")[0] == 1
    assert commands.run("switch", f"{NAME}@{LIVE}", "--explain", "back")[0] == 0
    assert commands.run("drop", f"{NAME}@{NEXT}")[0] == 0
    assert commands.ask("SELECT version, live, state FROM projections ORDER BY version") == [
        (LIVE, True, "running"),
        (NEXT, False, "retired"),
    ]
    assert commands.run("verify", NAME)[0] == 1  # there is nothing beside the live version
    assert json.loads(commands.run("rebuild", NAME, "--plan", "--json")[1])["version"] == THIRD
