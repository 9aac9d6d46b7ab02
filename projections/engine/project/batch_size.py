"""How much a projector takes in one step: its lanes share a budget of bytes, so that its memory has a bound.

What counts are the bytes of a batch as columns: beside its records, rows and CSV it takes some 30 times as much, and a
batch event of 50 facts unfolds to three times its own size. A lane alone may use the whole budget; lanes that are
behind at the same time share it. One that has read all that there was needs no share while it waits: the last one
that is behind sets the pace, and small batches cost more an event.
"""

from __future__ import annotations

from collections import defaultdict

from projections.engine.project.culprit import Trouble

BYTES = 4_000_000  # of columns in one step, all lanes together: a projector then stays below 400 MB
UNKNOWN = 2_000  # bytes that a record is taken to unfold to before any was read


class BatchSizer:
    """Shared by the lanes of one projector; a lane is named by what it reads."""

    def __init__(self, most: int, budget: int = BYTES) -> None:
        self._most = most
        self._budget = budget
        self.troubles: dict[str, Trouble] = defaultdict(Trouble)
        self._mean: dict[str, float] = {}
        self._hungry: set[str] = set()

    def records(self, lane: str) -> int:
        """How many records the lane may read now: at least 1, at most the limit of a batch."""
        share = self._budget / len(self._hungry | {lane})
        return max(1, min(self._most, self.troubles[lane].most, int(share / self._mean.get(lane, UNKNOWN))))

    def took(self, lane: str, records: int, size: int, *, left: bool = True) -> None:
        """Note how many bytes these records became: the next are expected to, and a lane that got much wants more.

        `left`: the log is known to have more for it.
        """
        most = self.records(lane)
        if 2 * records >= most and (left or records >= most):
            self._hungry.add(lane)
        else:
            self._hungry.discard(lane)
        if records:
            self._mean[lane] = max(1.0, size / records)

    def full(self, lane: str) -> None:
        """The lane has ended."""
        self._hungry.discard(lane)
