"""Which partition a key goes to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.events.partitioning import murmur2, partition_of
from tests.support.memory import held_by


@pytest.mark.parametrize(
    ("key", "signed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_the_hash_is_the_one_of_kafkas_java_client(key: bytes, signed: int) -> None:
    """Known values of the Java implementation, which computes in signed 32-bit numbers."""
    assert murmur2(key) == signed & 0xFFFFFFFF


@given(st.binary(max_size=80), st.integers(1, 64))
def test_a_key_has_one_partition(key: bytes, partitions: int) -> None:
    """Always the same, and one that exists."""
    assert partition_of(key, partitions) == partition_of(bytes(key), partitions)
    assert 0 <= partition_of(key, partitions) < partitions


def test_users_of_one_company_spread_over_all_partitions() -> None:
    """A large tenant does not sit in one partition: no partition has less than half of its fair share."""
    counts = [0] * 8
    for user in range(4_000):
        counts[partition_of(f"acme:user-{user}".encode(), 8)] += 1
    assert min(counts) > 250


def test_many_users_do_not_fill_the_memory() -> None:
    """Keys are remembered, because they repeat; not so many that an API process would feel it."""
    assert held_by(lambda: [partition_of(b"acme:%d" % user, 12) for user in range(60_000)]) < 6_000_000
