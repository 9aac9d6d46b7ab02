"""The little Markdown that the generated pages need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; empty cells show a dash, so that nobody takes them for a mistake."""
    lines = [head, ["---"] * len(head), *([cell(text) for text in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def cell(text: str) -> str:
    """Text that does not break out of its cell."""
    return " ".join(text.replace("|", "\\|").split()) or "–"


def code(names: Iterable[str]) -> str:
    """Names as code, separated by commas."""
    return ", ".join(f"`{name}`" for name in names)


def document(*parts: str) -> str:
    """Parts with one empty line between them."""
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"
