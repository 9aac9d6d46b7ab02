"""`analytics doctor` and `version`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.instance import Instance, run_command


def states(*arguments: str) -> tuple[int, dict[str, str]]:
    """Exit code, and the state of each check."""
    ended = run_command("doctor", "--json", *arguments)
    return ended.exit_code, {row["check"]: row["state"] for row in json.loads(ended.stdout)}


def test_the_doctor_sees_an_instance_that_is_well(instance: Instance) -> None:
    """Every part of its health is looked at."""
    code, found = states("--data", str(instance.folder))
    assert code == 0, found
    assert {"data folder", "keys", "instance", "log", "store", "bus", "projections", "lag"} <= set(found)
    assert "fault" not in found.values()


def test_the_doctor_starts_nothing_and_finds_what_is_loose(tmp_path: Path) -> None:
    """A folder that is not there stays so; a key that others can read is a fault, with what to do."""
    assert states("--data", str(tmp_path / "none")) == (0, {"data folder": "warning", "instance": "warning"})
    assert not (tmp_path / "none").exists()
    tmp_path.chmod(0o700)
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "tokens.pem").write_text("secret")
    (tmp_path / "keys" / "tokens.pem").chmod(0o644)
    code, found = states("--data", str(tmp_path))
    assert (code, found["keys"], found["data folder"]) == (1, "fault", "ok")
    assert "chmod 600" in run_command("doctor", "--data", str(tmp_path)).stdout


def test_versions_are_shown() -> None:
    """Of the service, of Python and of what it stands on."""
    found = {row["part"] for row in json.loads(run_command("version", "--json").stdout)}
    assert {"trading-analytics-service", "python", "polars"} <= found
