"""`analytics queries` and the forms of `analytics query`: tables, JSON, CSV, files, again and again."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from click.shell_completion import ShellComplete

from app.cli.main import main
from projections.engine.declare.registry import all_registered
from tests.support.instance import Instance, run_command, trade

COMPANY = "forms"
ASKED = ("query", "trading_totals", "--company", COMPANY, "--param", "by=strategy")


@pytest.fixture
def traded(instance: Instance) -> Instance:
    """With two trades, one of them with a strategy that a spreadsheet would take for a formula."""
    instance.take([trade(COMPANY, 1), trade(COMPANY, 2, strategy="=cmd|' /C calc'!A0")])
    return instance


def test_an_answer_has_the_same_rows_in_every_form(traded: Instance, tmp_path: Path) -> None:
    """JSON is for programs and so without a flag here; files by their ending; what looks like a formula is inert."""
    answer = traded.answer(*ASKED)
    assert traded.answer(*ASKED, "--json")["rows"] == answer["rows"]
    lines = list(csv.DictReader(io.StringIO(traded.command(*ASKED, "--csv").stdout)))
    values = [row["total_pnl"] for row in answer["rows"]]
    assert [line["total_pnl"] for line in lines] == values
    assert {line["strategy"][:5] for line in lines} == {"donch", "'=cmd"}
    table = traded.command(*ASKED, "--table")
    assert table.stdout.split("\n")[0].split()[:2] == list(answer["rows"][0])[:2]
    assert table.stderr.startswith("position ")
    for name in ("rows.csv", "rows.ndjson", "rows.xlsx", "rows.parquet"):
        assert traded.command(*ASKED, "--out", str(tmp_path / name)).exit_code == 0
    assert (tmp_path / "rows.csv").read_text() == traded.command(*ASKED, "--csv").stdout
    assert [json.loads(line) for line in (tmp_path / "rows.ndjson").read_text().splitlines()] == answer["rows"]
    assert pl.read_parquet(tmp_path / "rows.parquet")["total_pnl"].to_list() == values
    assert (tmp_path / "rows.xlsx").read_bytes()[:2] == b"PK"
    refused = traded.command(*ASKED, "--out", str(tmp_path / "rows.doc"))
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert ".parquet" in refused.stderr


def test_a_question_is_asked_again_and_again(traded: Instance) -> None:
    """Each answer is one line of JSON; what would hold still is refused. Who watches is on record."""
    watched = traded.command(*ASKED, "--watch", "0.1", "--count", "2", "--json")
    assert watched.exit_code == 0, watched.output
    first, second = (json.loads(line) for line in watched.stdout.splitlines())
    assert first["rows"] == second["rows"] != []
    assert traded.command(*ASKED, "--watch", "1", "--as-of", "2025-11-01").exit_code == 1


def test_queries_are_listed_with_what_they_take() -> None:
    """All of them, or one with its parameters; a mistyped name gets the nearest."""
    assert [row["name"] for row in json.loads(run_command("queries", "--json").stdout)] == sorted(all_registered())
    one = run_command("queries", "trading_totals")
    assert one.stdout.split("\n")[1].split()[0] == "by"
    wrong = run_command("queries", "trading_total")
    assert (wrong.exit_code, "did you mean 'trading_totals'?" in wrong.stderr) == (1, True)


def test_names_of_queries_are_completed() -> None:
    """As the commands and their options are; each shell gets its script."""
    complete = ShellComplete(main, {}, "analytics", "_ANALYTICS_COMPLETE")
    assert {"trading_totals", "trading_metrics"} <= {c.value for c in complete.get_completions(["query"], "trading_")}
    assert [c.value for c in complete.get_completions([], "quer")] == ["queries", "query"]
    for shell in ("bash", "zsh", "fish"):
        assert "_ANALYTICS_COMPLETE" in run_command("completion", shell).stdout


def test_a_listing_longer_than_the_terminal_goes_through_the_pager() -> None:
    """At a terminal alone: the pager here says that it was asked."""
    ours, theirs = pty.openpty()
    pager = {**os.environ, "PAGER": "sed s/^/paged:/", "LINES": "20", "COLUMNS": "200", "TERM": "xterm"}
    with subprocess.Popen(
        [sys.executable, "-m", "app.cli", "queries"], stdin=theirs, stdout=theirs, stderr=theirs, env=pager
    ) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                shown += os.read(ours, 65_536)
            except OSError:  # of a terminal that nobody holds open any more
                break
        assert process.wait(20) == 0
    os.close(ours)
    assert shown.count(b"paged:") == len(all_registered()) + 1, shown[-500:]
