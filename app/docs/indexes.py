"""docs/README.md and docs/adr/README.md: lists of the pages that are there, by their titles."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from app.docs.markdown import document, table

QUESTIONS = {
    "tutorial": "How do I begin?",
    "how-to": "How do I do this one thing?",
    "reference": "What exactly is there?",
    "why": "Why is it so?",
    "adr": "What was decided, and when would we decide anew?",
}
INTRODUCTION = """# Documentation

Pages of the reference, and this list, are made from the code and the files (`make docs`, `make proto`); a test fails
when they are stale.
"""
DECISIONS = """# Decisions

One page a decision: what made it necessary, what was decided, what it costs, and when to look at it again. A decision
that no longer holds keeps its page; its status names the one that took its place.
"""


def documentation_page(docs: Path, made: Mapping[str, str]) -> str:
    """All folders with their pages. `made` are the pages about to be written, by their path below `docs`."""
    rows = [(f"[{folder}]({folder}/)", question, _links(docs, folder, made)) for folder, question in QUESTIONS.items()]
    return document(INTRODUCTION, table(("folder", "answers", "pages"), rows))


def decisions_page(docs: Path) -> str:
    """All decisions with their status."""
    rows = [(p.name[:4], f"[{_title(p.read_text())[6:]}]({p.name})", _status(p)) for p in _decisions(docs)]
    return document(DECISIONS, table(("number", "decision", "status"), rows))


def _links(docs: Path, folder: str, made: Mapping[str, str]) -> str:
    if folder == "adr":
        return f"[Index](adr/README.md) of {sum(1 for _ in _decisions(docs))}"
    texts = {f"{folder}/{path.name}": path.read_text(encoding="utf-8") for path in (docs / folder).glob("*.md")}
    texts |= {path: text for path, text in made.items() if path.startswith(f"{folder}/")}
    return " · ".join(f"[{_title(texts[path])}]({path})" for path in sorted(texts))


def _decisions(docs: Path) -> Iterator[Path]:
    return iter(sorted((docs / "adr").glob("[0-9]*.md")))


def _title(text: str) -> str:
    found = re.search(r"^# (.+)$", text, re.MULTILINE)
    return found[1] if found else "untitled"


def _status(path: Path) -> str:
    found = re.search(r"^Status: (.+?)\.?$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else "unknown"
