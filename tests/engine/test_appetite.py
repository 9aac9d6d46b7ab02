"""How much the lanes of a projector take: one alone the whole budget, several their share."""

from __future__ import annotations

from domain.ports import Chunk
from projections.engine.appetite import Appetite


def chunk(records: int, size: int) -> Chunk:
    return Chunk(0, range(records), [b"x" * size] * records, records, 0, records)


def test_a_lane_alone_uses_the_whole_budget() -> None:
    appetite = Appetite(100_000, budget=10_000)
    appetite.took("a", [chunk(50, 10)])
    assert appetite.records("a") == 1_000


def test_lanes_that_are_behind_share_it() -> None:
    appetite = Appetite(100_000, budget=10_000)
    for lane in ("a", "b"):
        appetite.took(lane, [chunk(1_000, 10)])
    assert appetite.records("a") == appetite.records("b") == 500
    appetite.took("b", [chunk(1, 10)])
    assert appetite.records("a") == 1_000
    appetite.took("b", [chunk(1_000, 10)])
    appetite.full("b")
    assert appetite.records("a") == 1_000


def test_the_limit_of_a_batch_holds_and_a_large_record_goes_through_alone() -> None:
    appetite = Appetite(20, budget=10_000)
    appetite.took("a", [chunk(5, 1)])
    assert appetite.records("a") == 20
    appetite.took("a", [chunk(1, 1_000_000)])
    assert appetite.records("a") == 1
