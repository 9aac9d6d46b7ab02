"""What the committed files may contain, the locks, and the complexity gate's own settings."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, texts

LOCKS = ("requirements.lock", "requirements-dev.lock")
# Split, so that this file does not contain what it forbids.
HOSTS = (
    "py" + "pi.org",
    "python" + "hosted.org",
    "npm" + "js.org",
    "repo.maven." + "apache.org",
    "repo1.maven" + ".org",
    "crates" + ".io",
    "proxy.golang" + ".org",
    "deb.debian" + ".org",
)
MACHINE_PATH = re.compile(r"(?<![\w.*-])/(?:work|root|home)/\w")
PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)(?: ; [^\\]+)? \\$")


def test_no_file_names_a_registry() -> None:
    """Where packages come from is the business of whoever installs."""
    assert [f"{path}: {host}" for path, text in texts() for host in HOSTS if host in text] == []


def test_no_file_knows_the_machine_it_was_made_on() -> None:
    """No absolute path of a developer's machine."""
    found = [f"{path}: {found[0]}" for path, text in texts() if (found := MACHINE_PATH.search(text))]
    assert found == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_a_pin_or_its_hash(lock: str) -> None:
    """Only exact versions, each with its hashes: no option lines, no addresses."""
    lines = (ROOT / lock).read_text().splitlines()
    assert [line for line in lines if not PINNED.match(line) and not _is_hash(line)] == []
    pins = [number for number, line in enumerate(lines) if PINNED.match(line)]
    assert [lines[number] for number in pins if not _is_hash(lines[number + 1])] == []


def _is_hash(line: str) -> bool:
    return re.fullmatch(r" {4}--hash=sha256:[0-9a-f]{64}( \\)?", line) is not None


def _pins(lock: str) -> set[tuple[str, str]]:
    found = (PINNED.match(line) for line in (ROOT / lock).read_text().splitlines())
    return {(match[1], match[2]) for match in found if match}


def test_development_has_the_versions_that_run() -> None:
    """The development lock holds the runtime lock, version for version."""
    assert _pins("requirements.lock") - _pins("requirements-dev.lock") == set()


def test_the_locks_hold_what_the_project_declares() -> None:
    """A requirement that was added to pyproject.toml is also locked (`make lock`)."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["build"]
    assert _names(wanted) - {name for name, _ in _pins("requirements.lock")} == set()
    development = project["project"]["optional-dependencies"]["dev"]
    assert _names(development) - {name for name, _ in _pins("requirements-dev.lock")} == set()


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", requirement)[0].lower().replace("_", "-") for requirement in requirements}


def test_complexity_is_limited() -> None:
    """ruff measures it (C901) for every file; this holds the limit itself."""
    ruff = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]
    assert "C90" in ruff["lint"]["select"]
    assert ruff["lint"]["mccabe"]["max-complexity"] <= 10
    silenced = [path for path, text in texts(".py") if re.search(r"noqa:.*C901", text) and Path(path) != THIS]
    assert silenced == []


THIS = Path(__file__).relative_to(ROOT)


def test_the_changelog_knows_the_version() -> None:
    """The version of pyproject.toml, or a heading for what is not released yet, is in CHANGELOG.md."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text()
