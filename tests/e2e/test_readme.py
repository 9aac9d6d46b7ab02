"""What the README and the tutorial tell people to type works, in the order in which it stands there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT
from tests.support.instance import Instance, trade

PAGES = (
    pytest.param("README.md", marks=pytest.mark.ci),  # it starts, loads and stops several times
    pytest.param("docs/tutorial/first-five-minutes.md", marks=pytest.mark.ci),  # a load of the sample
    "docs/tutorial/first-number.md",
)
BLOCK = re.compile(r"^( *)```bash\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
BLOCK_SECONDS = 60.0


def blocks(page: str) -> list[str]:
    """The executable blocks of a page, without the indentation of the list that they stand in."""
    found = BLOCK.findall((ROOT / page).read_text())
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]


def settings_free_environment() -> dict[str, str]:
    """The environment without settings of whoever runs the tests, so that the defaults of the pages hold."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ANALYTICS_")}


@pytest.fixture(scope="module")
def folder(instance: Instance, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a checkout is after `make setup`, whose data folder is that of an instance that runs."""
    instance.take([trade("acme", 0)])  # the pages ask about a company of the sample, which is not loaded here
    place = tmp_path_factory.mktemp("checkout")
    (place / ".venv" / "bin").mkdir(parents=True)
    (place / ".venv" / "bin" / "analytics").symlink_to(Path(sys.executable).parent / "analytics")
    (place / ".analytics").symlink_to(instance.folder)
    return place


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
