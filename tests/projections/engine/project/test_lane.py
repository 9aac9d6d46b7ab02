"""What a lane waits between two batches: only small ones at the end of the log are followed by a rest."""

from __future__ import annotations

import pytest

from domain.ports import Chunk
from projections.engine.project.cohort import Limits
from projections.engine.store.port import Commit

LIMITS = Limits(batch=1_000, wait=0.5, pace=0.05)  # below 30 events a batch is small


def commit(events: int, left: int = 0) -> Commit:
    chunks = [Chunk(0, [], [], events, 0, events + left), Chunk(1, [], [], 7, 0, 7)]
    return Commit("topic", {0: 0, 1: 7}, chunks, events, 0, 0, [], None)


@pytest.mark.parametrize(
    ("events", "left", "worked", "rest"),
    [
        (29, 0, 0.1, 0.2),
        (29, 0, 0.01, 0.04),  # two batches are not begun within less than the pace
        (29, 0, 0.4, 0.5),  # nor does anybody wait for longer than for new events
        (30, 0, 0.1, 0.0),
        (29, 1, 0.1, 0.0),  # more is there to be read
    ],
)
def test_only_a_small_batch_at_the_end_of_the_log_is_followed_by_a_rest(
    events: int, left: int, worked: float, rest: float
) -> None:
    assert LIMITS.rest(commit(events, left), worked) == pytest.approx(rest)
