"""`analytics up`: one command that starts everything, keeps it running, and stops all of it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from domain.position import Position
from tests.support.instance import Instance, environment, run_command, trade
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow


def test_addresses_say_where_everything_listens(instance: Instance) -> None:
    """addresses.json has the fixed names, and each address answers."""
    where = instance.addresses
    assert set(where) == {"read_api", "command_api", "pages", "grpc", "nats", "database", "pid"}
    assert instance.process is not None
    assert where["pid"] == instance.process.pid
    for address in (
        where["read_api"].removeprefix("http://"),
        where["command_api"].removeprefix("http://"),
        where["grpc"],
    ):
        host, _, port = address.rpartition(":")
        socket.create_connection((host, int(port)), timeout=5).close()
    with psycopg.connect(where["database"]) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert (instance.folder / "addresses.json").stat().st_mode & 0o077 == 0


def test_what_goes_in_comes_out_of_a_query(instance: Instance, tmp_path: Path) -> None:
    """ingest → wait → query; a bad line goes to quarantine and changes the exit code, a repetition changes nothing."""
    lines = [json.dumps(trade("inout", n, pnl=10.0)) for n in range(50)]
    path = tmp_path / "trades.ndjson"
    path.write_text("\n".join([*lines[:20], '{"message_type": "trading_result"', *lines[20:]]) + "\n")
    first = instance.command("ingest", str(path), "--json")
    outcome = json.loads(first.stdout.strip().splitlines()[-1])
    assert first.exit_code == 3
    assert (outcome["accepted"], outcome["duplicates"], outcome["quarantined"]) == (50, 0, 1)
    waited = instance.command("projections", "wait", "--position", outcome["position"], "--timeout", "180")
    assert waited.exit_code == 0, waited.output
    path.write_text("\n".join(lines))
    assert instance.answer("ingest", str(path), "--json")["duplicates"] == 50
    assert instance.command("projections", "wait").exit_code == 0
    answer = instance.answer("query", "trading_totals", "--company", "inout")
    assert [(row["total_trades"], row["total_pnl"]) for row in answer["rows"]] == [(50, "500")]
    found = [entry for entry in instance.answer("quarantine", "list", "--json") if entry["line"] == 21]
    assert found[0]["code"] == "bad_json"
    shown = instance.answer("quarantine", "show", str(found[0]["id"]), "--json")
    assert shown["raw"] == '{"message_type": "trading_result"'


def test_a_pipe_is_taken_like_a_file(instance: Instance) -> None:
    """`analytics ingest -` as a program in a pipeline."""
    text = "".join(json.dumps(trade("piped", n)) + "\n" for n in range(5))
    command = [sys.executable, "-m", "app.cli", "ingest", "-", "--json", "--data", str(instance.folder)]
    done = subprocess.run(command, input=text.encode(), capture_output=True, env=environment(), check=True, timeout=60)
    assert json.loads(done.stdout.splitlines()[-1])["accepted"] == 5


def test_the_log_can_be_looked_at(instance: Instance) -> None:
    """Its head, its last events, a range of it, and single events by id and by place."""
    instance.take([trade("looked", n) for n in range(3)])
    head = Position.parse(instance.command("log", "head").stdout.strip())
    assert sum(head.of_topics(["trading-events"]).offsets.values()) >= 3
    read = instance.command("log", "read", "--company", "looked", "--topic", "trading-events").stdout
    events = [json.loads(line) for line in read.strip().splitlines()]
    assert [event["payload"]["trade_id"] for event in events] == ["t0", "t1", "t2"]
    place = f"{events[1]['topic']}:{events[1]['partition']}={events[1]['offset']}"
    assert instance.answer("events", "show", place)["event"] == events[1]
    assert instance.answer("events", "show", "looked-1")["event"] == events[1]
    assert instance.command("log", "tail", "-n", "2").stdout.count("\n") == 2


def test_checksum_and_status_have_the_fixed_members(instance: Instance) -> None:
    """Scripts rely on them."""
    instance.take([trade("members", 1)])
    checksum = instance.answer("projections", "checksum", "trading", "--json")
    assert set(checksum) == {"name", "version", "position", "rows", "checksum"}
    assert len(checksum["checksum"]) == 64
    for status in instance.answer("projections", "status", "--json"):
        members = {"name", "version", "state", "position", "lag_events", "lag_seconds", "rate", "error"}
        assert set(status) == members | {"live", "failure"}


def test_a_second_start_in_the_same_folder_is_refused(instance: Instance) -> None:
    """One clear line, and the first one goes on."""
    second = instance.command("up")
    assert second.exit_code == 1
    assert second.stderr.startswith("error: an instance is already running in")
    assert second.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("query", "nonsense", "--company", "a"), "error: no query is called 'nonsense'"),
        (("query", "trading_totals"), "error: name a company"),
        (("query", "trading_totals", "--company", "a", "--param", "by"), "error: 'by' is not of the form k=v"),
        (("projections", "checksum", "nonsense"), "error: no projection 'nonsense'"),
        (("projections", "wait", "--position", "x"), "error: '' in position 'x'"),
        (
            ("projections", "wait", "--position", "trading-events:0=999999999", "--timeout", "0.2"),
            "error: position trad",
        ),
        (("quarantine", "show", "999999999"), "error: "),
        (("events", "show", "no-such-event", "--topic", "audit-events"), "error: there is no event no-such-event"),
    ],
)
def test_errors_are_one_line_and_a_code(instance: Instance, arguments: tuple[str, ...], says: str) -> None:
    """Nobody has to read a traceback."""
    result = instance.command(*arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith(says)
    assert result.stderr.count("\n") == 1


@pytest.mark.ci
def test_what_is_stuck_is_started_again(own_instance: Instance) -> None:
    """A process that lives but does nothing gives no sign of life: it is ended, and another takes its place.

    A projector may beat while its commit waits for ever: it ends by itself, and its successor folds when the store
    lets it.

    It waits for what takes long by its nature: that nothing happens.
    """
    own_instance.start(ANALYTICS_STUCK_SECONDS="4")
    frozen = [child for child in own_instance.children() if {"projector", "read-api"} & set(child.cmdline())]
    assert len(frozen) == 2
    for child in frozen:
        child.suspend()
    eventually(lambda: not any(child.is_running() for child in frozen))
    own_instance.take([trade("frozen", 1)])
    assert own_instance.log.read_text().count("no sign of life") == 2
    with psycopg.connect(own_instance.addresses["database"]) as connection:
        connection.execute("LOCK TABLE checkpoints")
        own_instance.command("ingest", str(_one_trade(own_instance)), "--json")
        eventually(lambda: "no progress for 4 s" in own_instance.log.read_text())
    assert own_instance.command("projections", "wait").exit_code == 0


def _one_trade(instance: Instance) -> Path:
    path = instance.folder.parent / "one.ndjson"
    path.write_text(json.dumps(trade("hanging", 1)) + "\n")
    return path


def test_a_port_that_is_taken_is_named(own_instance: Instance) -> None:
    """It ends with a code and a sentence before anything starts, and leaves nothing behind."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "app.cli", "up", "--data", str(own_instance.folder)]
        done = subprocess.run(
            command, env=environment(ANALYTICS_READ_PORT=port), capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (own_instance.folder / "addresses.json").exists()


def test_light_commands_need_no_servers(tmp_path: Path) -> None:
    """token, access, settings and projections list work in an empty folder and start nothing."""
    folder = str(tmp_path / "data")
    assert run_command("token", "--role", "viewer", "--company", "acme", "--data", folder).stdout.count(".") == 2
    assert "competitive" in run_command("access").stdout
    assert "ANALYTICS_PARTITIONS" in run_command("settings", "--data", folder).stdout
    assert "trading" in run_command("projections", "list").stdout
    assert sorted(p.name for p in Path(folder).iterdir()) == ["keys", "trail"]
