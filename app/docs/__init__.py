"""The pages of docs/ that are made from the code, so that they cannot fall behind it.

    python -m app.docs          writes them (`make docs`); a test fails when they are stale

proto/http/analytics_api.yaml is made with them; docs/reference/protobuf.md is made from the proto files by
`make proto`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
MADE = "<!-- Made from the code by `make docs`; edit it there. -->"


def pages() -> Mapping[str, str]:
    """Path below docs/ → whole text of each generated page."""
    from app.docs.cli import cli_page
    from app.docs.commands import commands_page
    from app.docs.events import events_page
    from app.docs.grpc import grpc_page
    from app.docs.http import http_page
    from app.docs.indexes import decisions_page, documentation_page
    from app.docs.map import map_page
    from app.docs.metrics import metrics_page
    from app.docs.projections import projections_page
    from app.docs.settings import settings_page

    made = {
        "reference/cli.md": cli_page(),
        "reference/commands.md": commands_page(),
        "reference/events.md": events_page(),
        "reference/grpc.md": grpc_page(),
        "reference/http.md": http_page(),
        "reference/metrics.md": metrics_page(),
        "reference/projections.md": projections_page(),
        "reference/settings.md": settings_page(),
        "why/map.md": map_page(),
    }
    made["README.md"] = documentation_page(DOCS, made)
    made["adr/README.md"] = decisions_page(DOCS)
    return {path: f"{MADE}\n{text.rstrip()}\n" for path, text in made.items()}


def write() -> list[str]:
    """Write the pages that changed and return their paths below docs/."""
    changed = {path: text for path, text in pages().items() if not is_current(path, text)}
    for path, text in changed.items():
        (DOCS / path).parent.mkdir(parents=True, exist_ok=True)
        (DOCS / path).write_text(text, encoding="utf-8")
    return list(changed)


def is_current(path: str, text: str) -> bool:
    """Whether the file holds this text."""
    return (DOCS / path).exists() and (DOCS / path).read_text(encoding="utf-8") == text
