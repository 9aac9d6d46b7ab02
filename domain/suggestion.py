"""The right name that is nearest to a wrong one, for answers to whoever mistyped it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST = 64  # characters of a name that are shown again or compared


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or nothing where no name is near."""
    near = get_close_matches(name[:LONGEST].lower(), list(map(str, names)), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
