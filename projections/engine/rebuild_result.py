"""How the last comparison of a projection's live rows with rebuilt ones ended."""

from __future__ import annotations

import msgspec


class RebuildResult(msgspec.Struct, frozen=True):
    """Whether rebuilt rows were the live ones of a version, bit for bit, at one position; `at`: s since 1970 UTC."""

    equal: bool
    position: str
    version: int
    at: float
