"""Buckets for quantiles: the same on every machine, and never more than 1 % off."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.decimals import LARGEST, ONE
from projections.engine.query.quantiles import bucket_of, edges, middle_of

TRILLIONTHS = st.one_of(
    st.integers(-LARGEST, LARGEST),
    st.integers(-200, 200),
    st.integers(0, 90).map(lambda bits: min(2**bits, LARGEST)),
    st.sampled_from(edges()).flatmap(lambda edge: st.sampled_from((edge - 1, edge, edge + 1))),
)


def buckets(values: list[int]) -> list[int]:
    frame = pl.DataFrame({"value": values}, schema={"value": pl.Int128})
    return frame.select(bucket_of(pl.col("value"))).to_series().to_list()


def test_edges_are_whole_numbers_that_cover_all_decimals() -> None:
    """Edges rise by 1 or by at most 2 %, from 1 to the largest number, and their numbers fit into 16 bits."""
    assert edges()[0] == 1
    assert edges()[:101] == (*range(1, 101), 102)
    assert all(low < high and (high == low + 1 or high * 100 <= low * 102) for low, high in pairwise(edges()))
    assert edges()[-1] <= LARGEST < edges()[-1] * 102 // 100
    assert len(edges()) < 2**15


def test_edges_never_change() -> None:
    """Stored counts mean these edges: other edges need a new version of every projection that has buckets."""
    assert (len(edges()), edges()[100], edges()[1_000], edges()[-1]) == (
        3_020,
        102,
        4_324_656_847,
        999_305_868_589_507_170_511_455_387,
    )


@given(st.lists(TRILLIONTHS, min_size=1))
def test_the_middle_of_a_bucket_is_within_1_percent(values: list[int]) -> None:
    """What stands for a value is at most 1 % of it away; exact below 100, and for zero."""
    for value, bucket in zip(values, buckets(values), strict=True):
        assert abs(middle_of(bucket) - value) * 100 <= abs(value)
        assert abs(value) >= 100 or middle_of(bucket) == value


@given(st.lists(TRILLIONTHS, min_size=2, max_size=2).map(sorted))
def test_buckets_keep_the_order_of_values(values: list[int]) -> None:
    """A larger value never lies in a lower bucket, so that ranks can be counted over buckets."""
    low, high = buckets(values)
    assert low <= high
    assert middle_of(low) <= middle_of(high)


@pytest.mark.parametrize("value", [0, 1, -1, 51, -99, LARGEST, -LARGEST])
def test_a_negative_value_mirrors_the_positive_one(value: int) -> None:
    """Minus a value lies in minus its bucket; zero in bucket 0."""
    bucket, mirrored = buckets([value, -value])
    assert bucket == -mirrored
    assert middle_of(bucket) == -middle_of(mirrored)


def counted(values: list[int]) -> dict[int, int]:
    """How many of the values lie in each bucket, as rows hold it."""
    return dict(Counter(buckets(values)))


def merge(parts: list[dict[int, int]], chance: random.Random) -> dict[int, int]:
    """The parts added up two by two in any order, as batches, minutes and services do."""
    parts = list(parts)
    while len(parts) > 1:
        one, other = (parts.pop(chance.randrange(len(parts))) for _ in range(2))
        parts.append(dict(Counter(one) + Counter(other)))
    return parts[0]


def quantile_of(counts: dict[int, int], percent: int) -> int:
    """The nearest rank over buckets: the middle of the one that holds it."""
    rank, total = 0, sum(counts.values())
    for bucket in sorted(counts):
        rank += counts[bucket]
        if rank * 100 >= total * percent:
            return middle_of(bucket)
    raise AssertionError("no bucket holds the rank")


@pytest.mark.parametrize("tail", ["pareto", "lognormal", "cauchy"])
@given(seed=st.integers(0, 10**6), size=st.integers(1, 3_000), parts=st.integers(1, 40))
def test_quantiles_of_heavy_tails_are_within_1_percent_after_any_merge(
    tail: str, seed: int, size: int, parts: int
) -> None:
    """p50, p95, p99 of values over many decades, split in any way and added up in any order."""
    chance = random.Random(seed)
    draws = {
        "pareto": lambda: chance.paretovariate(0.7),
        "lognormal": lambda: chance.lognormvariate(3, 3),
        "cauchy": lambda: abs(chance.gauss(0, 1) / (chance.gauss(0, 1) or 1)),
    }
    values = [min(round(draws[tail]() * ONE), LARGEST) for _ in range(size)]
    counts = merge([counted(values[i::parts]) for i in range(min(parts, size))], chance)
    assert counts == counted(values)
    for percent in (50, 95, 99):
        exact = sorted(values)[-(-size * percent // 100) - 1]
        assert abs(quantile_of(counts, percent) - exact) * 100 <= exact
