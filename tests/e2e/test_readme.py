"""What the README and the tutorial tell people to type works, in the order in which it stands there."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

PAGES = (
    "README.md",
    pytest.param("docs/tutorial/first-five-minutes.md", marks=pytest.mark.ci),  # a load of the sample
    "docs/tutorial/first-number.md",
)
BLOCK = re.compile(r"^( *)```bash\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
START_SECONDS, DRAIN_SECONDS, BLOCK_SECONDS = 60.0, 10.0, 60.0
FREE_PORTS = {f"ANALYTICS_{name}_PORT": "0" for name in ("READ", "COMMAND", "GRPC", "NATS")}


def blocks(page: str) -> list[str]:
    """The executable blocks of a page, without the indentation of the list that they stand in."""
    found = BLOCK.findall((ROOT / page).read_text())
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]


def settings_free_environment() -> dict[str, str]:
    """The environment without settings of whoever runs the tests, so that the defaults of the pages hold."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ANALYTICS_")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder as a checkout is after `make setup`, in which an instance runs, as `make run` starts one, but empty."""
    place = tmp_path_factory.mktemp("checkout")
    (place / ".venv" / "bin").mkdir(parents=True)
    (place / ".venv" / "bin" / "analytics").symlink_to(Path(sys.executable).parent / "analytics")
    with (place / "up.log").open("wb") as log:
        environment = {**settings_free_environment(), **FREE_PORTS}
        command = [".venv/bin/analytics", "up"]
        running = subprocess.Popen(command, cwd=place, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_until_ready(place, running)
        yield place
    finally:
        running.send_signal(signal.SIGTERM)
        assert running.wait(DRAIN_SECONDS) == 0, (place / "up.log").read_text()


def wait_until_ready(place: Path, running: subprocess.Popen[bytes]) -> None:
    """Return once the instance has published its addresses."""
    deadline = time.monotonic() + START_SECONDS
    while not (place / ".analytics" / "addresses.json").exists():
        assert running.poll() is None, (place / "up.log").read_text()
        assert time.monotonic() < deadline, (place / "up.log").read_text()
        time.sleep(0.1)


def typed(block: str, place: Path) -> subprocess.CompletedProcess[str]:
    """Run a block as bash would, with the ports that this instance got.

    Verbs of make are only looked up (--dry-run): this test runs inside one of them, and the environment is made.
    """
    where = json.loads((place / ".analytics" / "addresses.json").read_text())
    block = block.replace("http://127.0.0.1:8003", where["read_api"]).replace(
        "http://127.0.0.1:8004", where["command_api"]
    )
    block = re.sub(r"^make ", f"make --silent --dry-run --directory '{ROOT}' ", block, flags=re.MULTILINE)
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=place,
        env=settings_free_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=BLOCK_SECONDS,
    )


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_block_works(page: str, folder: Path) -> None:
    """Each ends with 0 when typed after the ones above it."""
    assert blocks(page), "no executable block was found: the page or this test has changed its form"
    for block in blocks(page):
        ended = typed(block, folder)
        assert ended.returncode == 0, f"{block}\n{ended.stdout}\n{ended.stderr}"


@pytest.mark.slow
def test_the_tutorial_promises_the_number_that_comes(folder: Path) -> None:
    """Ten shares, 2.30 each, less the fee; and the second time the file is known."""
    publish, ask = blocks("docs/tutorial/first-number.md")[:2]
    typed(publish, folder)
    answer = json.loads(typed(ask, folder).stdout.splitlines()[-1])
    (row,) = [row for row in answer["rows"] if row["symbol"] == "TUTOR"]
    assert (row["total_trades"], row["total_pnl"]) == (1, "22")
    again = typed(publish.rstrip() + " --json", folder).stdout.splitlines()[-1]
    assert json.loads(again)["duplicates"] == 1
