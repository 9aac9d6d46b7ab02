"""Output of commands: all of it arrives, or the command says that it did not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

SIZE = 3_000_000  # bytes: many times what a pipe holds

COMMAND = """
import sys
import click
from app.cli.frame import Reporting, show_json

@click.group(cls=Reporting)
def main(): pass

@main.command()
@click.argument("size", type=int)
def big(size): show_json(["x" * size])

@main.command()
def broken(): click.echo("before"); raise BrokenPipeError(32, "Broken pipe")

@main.command()
def odd(): raise KeyError("nobody\\nexpected")

main()
"""


def started(*arguments: str, stdout: int) -> subprocess.Popen[bytes]:
    """The command, whose output goes there."""
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments], stdout=stdout, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
    )


@pytest.mark.parametrize("blocking", [True, False])
def test_a_slow_reader_gets_all_of_it(blocking: bool) -> None:
    """Several at once, also through pipes that another process has made non-blocking."""
    running = []
    for _ in range(4):
        reading, writing = os.pipe()
        os.set_blocking(writing, blocking)
        running.append((reading, started("big", str(SIZE), stdout=writing)))
        os.close(writing)
    for reading, process in running:
        time.sleep(0.2)  # it has filled the pipe, and waits
        with open(reading, "rb", buffering=0) as output, process:
            size = 0
            while chunk := output.read(10_000):
                size += len(chunk)
            _, errors = process.communicate()
        assert (process.returncode, errors) == (0, b"")
        assert size == SIZE + len('[""]\n')


def test_a_reader_that_left_ends_it_quietly_with_the_code_of_shells() -> None:
    """As `… | head` does."""
    with started("big", str(SIZE), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read(100)
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.parametrize(
    ("arguments", "error"), [("broken", b"error: Broken pipe\n"), ("odd", b"error: KeyError: 'nobody\\nexpected'\n")]
)
def test_any_other_failure_is_one_line_and_a_code(arguments: str, error: bytes) -> None:
    """A pipe that broke somewhere else is no reader that left."""
    with started(arguments, stdout=subprocess.PIPE) as process:
        _, errors = process.communicate()
    assert (process.returncode, errors) == (1, error)


def test_output_that_its_file_cannot_hold_is_an_error(tmp_path: Path) -> None:
    """As on a full disk: less than all of it was written."""
    limited = ["sh", "-c", 'ulimit -f 1; exec "$@"', "sh", sys.executable, "-c", COMMAND, "big", str(SIZE)]
    with (tmp_path / "output").open("wb") as file:
        done = subprocess.run(limited, stdout=file, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (1, b"error: File too large\n")
