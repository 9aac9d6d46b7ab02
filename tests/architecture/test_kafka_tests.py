"""Tests that need Kafka are never left out silently: checked on a small suite in a run of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

SUITE = """
import pytest

def test_plain() -> None:
    "What counts is that it runs."

@pytest.mark.kafka
def test_marked() -> None:
    raise AssertionError("must not run without a broker")

def test_using(kafka: object) -> None:
    raise AssertionError("must not run without a broker")
"""


def run(folder: Path, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the small suite where neither Maven nor Docker can be found."""
    (folder / "test_small.py").write_text(SUITE)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = kafka: needs a broker\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANALYTICS_TEST_")}
    kept["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # loading those takes longer than the run
    command = [sys.executable, "-m", "pytest", "-p", "tests.support.kafka_tests", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, *more, "--rootdir", str(folder), str(folder)],
        env={**kept, "PATH": str(folder), "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        cwd=folder,
    )


def test_without_a_broker_the_run_passes_and_says_so_last(tmp_path: Path) -> None:
    """The other tests run; the last line counts those that did not, and says what to install."""
    ended = run(tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "1 passed, 2 deselected" in ended.stdout
    last = ended.stdout.strip().splitlines()[-1]
    assert last.startswith("WARNING: 2 Kafka tests did not run")
    assert "install Maven and Java 17" in last


@pytest.mark.parametrize("processes", [(), ("-p", "xdist", "-n", "2")])
def test_where_kafka_is_required_its_absence_fails(tmp_path: Path, processes: tuple[str, ...]) -> None:
    """As in CI, in one process or several."""
    ended = run(tmp_path, *processes, ANALYTICS_TEST_REQUIRE="kafka")
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED
    assert ended.stdout.strip().splitlines()[-1].startswith("FAILED: 2 Kafka tests did not run")
