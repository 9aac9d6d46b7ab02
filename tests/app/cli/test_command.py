"""`analytics command`, as its user runs it."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.command_handlers import counted
from tests.support.instance import run_command


class Commands:
    """The command line on one database."""

    def __init__(self, url: str, nats_url: str, folder: Path) -> None:
        self._settings = {
            "ANALYTICS_DATABASE_URL": url, "ANALYTICS_NATS_URL": nats_url, "ANALYTICS_DATA": str(folder),
        }  # fmt: skip

    def run(self, *arguments: str, given: str = "") -> tuple[int, str, str]:
        """Exit code, stdout and stderr of `analytics command … --company acme`."""
        ended = run_command("command", *arguments, "--company", "acme", given=given, **self._settings)
        return ended.exit_code, ended.stdout, ended.stderr


@pytest.fixture
def commands(database_url: str, nats_url: str, tmp_path: Path) -> Commands:
    """A command line whose servers run already."""
    return Commands(database_url, nats_url, tmp_path)


def test_commands_are_given_from_text_file_and_standard_input(commands: Commands, tmp_path: Path) -> None:
    """Each prints id, version and position; the next one goes on from there."""
    code, out, err = commands.run("dashboard.create", "--body", '{"name": "Desk"}', "--json")
    made = json.loads(out)
    assert (code, made["version"], err) == (0, 1, "")
    (tmp_path / "name.json").write_text('{"name": "Trading desk"}')
    about = ("--id", made["id"])
    code, out, err = commands.run("dashboard.rename", *about, "--body", f"@{tmp_path}/name.json", "--if-match", "1")
    assert (code, out.split()) == (0, ["id", "version", "position", made["id"], "2", "config-store:0=3"])
    assert err == "decided: dashboard.renamed\n"
    code, out, _ = commands.run("dashboard.describe", *about, "--body", "-", given='{"description": "Words"}')
    assert (code, out.split()[4]) == (0, "3")
    code, _, err = commands.run("dashboard.archive", *about, "--if-match", "1")
    assert (code, err.startswith("error: version 1 was expected, but it is at version 3")) == (1, True)


def test_what_is_wrong_is_one_clear_line(commands: Commands, database_url: str, tmp_path: Path) -> None:
    """And nothing is stored; a dry run stores nothing either."""
    for arguments, told in (
        (("dashboard.explode",), "there is no command 'dashboard.explode'"),
        (("dashboard.create", "--body", '{"nmae": 1}'), "nmae: there is no such field"),
        (("dashboard.create", "--body", f"@{tmp_path}/none"), "cannot be read"),
        (("dashboard.archive",), "needs the id"),
        (("dashboard.archive", "--id", str(uuid4())), "there is no such dashboard"),
    ):
        code, out, err = commands.run(*arguments)
        assert (code, out, err.count("\n")) == (1, "", 1), err
        assert told in err
    code, _, err = commands.run("company.change_tier", "--body", '{"tier": "PRO"}', "--dry-run")
    assert (code, err.startswith("error: nothing is known of a company 'acme'")) == (1, True)
    code, _, err = commands.run("company.change_currency", "--body", '{"currency": "CHF"}', "--dry-run")
    assert (code, err) == (0, "would be: company.currency_changed\n")
    assert counted(database_url) == 0
