"""How much the lanes of a projector take: one alone the whole budget, several their share."""

from __future__ import annotations

from projections.engine.project.batch_size import BatchSizer


def test_a_lane_alone_uses_the_whole_budget() -> None:
    appetite = BatchSizer(100_000, budget=10_000)
    appetite.took("a", 50, 500)
    assert appetite.records("a") == 1_000


def test_lanes_that_are_behind_share_it() -> None:
    appetite = BatchSizer(100_000, budget=10_000)
    for lane in ("a", "b"):
        appetite.took(lane, 1_000, 10_000)
    assert appetite.records("a") == appetite.records("b") == 500
    appetite.took("b", 1, 10)
    assert appetite.records("a") == 1_000
    appetite.took("b", 1_000, 10_000)
    appetite.full("b")
    assert appetite.records("a") == 1_000


def test_a_lane_that_has_read_all_that_there_was_needs_no_share() -> None:
    appetite = BatchSizer(100_000, budget=10_000)
    for lane in ("a", "b"):
        appetite.took(lane, 1_000, 10_000)
    appetite.took("b", 400, 4_000, left=False)
    assert appetite.records("a") == 1_000
    appetite.took("b", 1_000, 10_000, left=False)  # as many as it may: another partition may have more
    assert appetite.records("a") == 500


def test_the_limit_of_a_batch_holds_and_a_large_record_goes_through_alone() -> None:
    appetite = BatchSizer(20, budget=10_000)
    appetite.took("a", 5, 5)
    assert appetite.records("a") == 20
    appetite.took("a", 1, 1_000_000)
    assert appetite.records("a") == 1
