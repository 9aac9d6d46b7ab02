"""Trouble: a batch that the store gives up on again and again at one position, while the server answers.

Then it is no outage: something in the batch brings it about, a crash of the server's process, say. Batches are made
smaller and smaller until it is one record; that is set aside by the projection that brings it about, and behind the
batch all is as before.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from domain.events.problems import Code
from projections.engine.project.failure import Culprit
from projections.engine.store.port import Commit, Folded, FoldFailed, Interrupted, ProjectionStore

REPEATS = 3  # failures at one position after which its batch is made smaller
SMALLER = 8  # times
EVERYTHING = 2**31

logger = logging.getLogger(__name__)


@dataclass
class Trouble:
    """Of one lane. `most`: records that it may read at once."""

    most: int = EVERYTHING
    _failures: Counter[tuple[tuple[int, int], ...]] = field(default_factory=Counter)  # by position
    _end: Mapping[int, int] = field(default_factory=dict)  # of the batch since which they are smaller
    _error: Interrupted | None = None

    async def store(self, commit: Commit, store: ProjectionStore, within: Callable[..., Awaitable[Any]]) -> None:
        """Store a batch, `within(call, *arguments)`: in a thread. Raises Fenced, Unavailable, FoldFailed."""
        position = tuple(sorted(commit.expected.items()))
        if self._error is not None and commit.events == 1 and self._failures[position] >= REPEATS:
            suspects = _suspects(commit, self._failures[position] - REPEATS)
            folded = [_hopeless(f, self._error) if i in suspects else f for i, f in enumerate(commit.folded)]
            commit = replace(commit, folded=folded)
        try:
            await within(_store, store, commit)
        except Interrupted as error:
            if await within(store.answers):
                error.culprit = _first(commit)
                self._met(position, commit, error)
            raise
        self._end = {p: end for p, end in self._end.items() if commit.reached.get(p, 0) < end}
        if not self._end:
            self.most = EVERYTHING
            self._failures.clear()

    def _met(self, position: tuple[tuple[int, int], ...], commit: Commit, error: Interrupted) -> None:
        self._error = error
        self._failures[position] += 1
        if self._failures[position] >= REPEATS and commit.events > 1:
            self.most, self._end = max(1, commit.events // SMALLER), commit.reached
            self._failures.clear()


def _store(store: ProjectionStore, commit: Commit) -> None:
    for refusal in store.commit(commit):
        place = f"{commit.topic}:{refusal.partition}:{refusal.offset}"
        logger.warning("%s is set aside: %s", place, refusal.reason)


def _first(commit: Commit) -> Culprit:
    """Where a batch begins, and the event there if it is the only one."""
    partition = min(p for p, offset in commit.reached.items() if offset > commit.expected[p])
    frames = [frame for folded in commit.folded for frame in folded.facts.values() if frame.height]
    if commit.events > 1 or not frames:
        return Culprit(partition, commit.expected[partition], "", "")
    fact = frames[0].row(0, named=True)
    return Culprit(partition, commit.expected[partition], fact["event_id"], fact["company_id"])


def _suspects(commit: Commit, tried: int) -> Sequence[int]:
    """Which parts of a commit of one record are not stored this time: one after the other, at last all of them.

    To the others the record is a good one; those that have nothing of it cannot have brought it about.
    """
    having = [i for i, folded in enumerate(commit.folded) if any(frame.height for frame in folded.facts.values())]
    return having[tried : tried + 1] or having


def _hopeless(folded: Folded, error: Interrupted) -> Folded:
    """What is not to be tried again."""
    return Folded(folded.projection, folded.facts, error=FoldFailed(folded.projection, error, code=Code.STORE_REJECTED))
