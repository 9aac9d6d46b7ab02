"""The pages of docs/reference that are made from the code, so that they cannot fall behind it.

    python -m app.reference          writes them (`make docs`); a test fails when they are stale

docs/reference/protobuf.md is made from the proto files by `make proto`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
MADE = "<!-- Made from the code by `make docs`; edit it there. -->"


def pages() -> Mapping[str, str]:
    """File name in docs/reference → its whole text."""
    from app.reference.cli import cli_page
    from app.reference.events import events_page
    from app.reference.projections import projections_page
    from app.reference.settings import settings_page

    made = {
        "cli.md": cli_page(),
        "events.md": events_page(),
        "projections.md": projections_page(),
        "settings.md": settings_page(),
    }
    return {name: f"{MADE}\n{text.rstrip()}\n" for name, text in made.items()}


def write() -> list[str]:
    """Write the pages that changed and return their names."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    changed = {name: text for name, text in pages().items() if not _is(FOLDER / name, text)}
    for name, text in changed.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return list(changed)


def _is(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text
