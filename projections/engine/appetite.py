"""How much a projector takes in one step: its lanes share a budget of bytes, so that its memory has a bound.

A batch as columns, its rows and its CSV take some 15 times the bytes of its records. A lane alone may use the whole
budget; lanes that are behind at the same time share it.
"""

from __future__ import annotations

from collections.abc import Iterable

from domain.ports import Chunk

BYTES = 8_000_000  # of records in one step, all lanes together: a projector then stays below 400 MB
UNKNOWN = 1_000  # bytes that a record is taken to have before any was read


class Appetite:
    """Shared by the lanes of one projector; a lane is named by what it reads."""

    def __init__(self, most: int, budget: int = BYTES) -> None:
        self._most = most
        self._budget = budget
        self._mean: dict[str, float] = {}
        self._hungry: set[str] = set()

    def records(self, lane: str) -> int:
        """How many records the lane may read now: at least 1, at most the limit of a batch."""
        share = self._budget / len(self._hungry | {lane})
        return max(1, min(self._most, int(share / self._mean.get(lane, UNKNOWN))))

    def took(self, lane: str, chunks: Iterable[Chunk]) -> None:
        """Note what a read gave: records as large as these are expected, and a lane that got much wants more."""
        sizes = [len(value) for chunk in chunks for value in chunk.values]
        if sizes:
            self._mean[lane] = max(1.0, sum(sizes) / len(sizes))
        if 2 * len(sizes) >= self.records(lane):
            self._hungry.add(lane)
        else:
            self._hungry.discard(lane)

    def full(self, lane: str) -> None:
        """The lane has ended."""
        self._hungry.discard(lane)
