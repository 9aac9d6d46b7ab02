"""Decoding what a broker answered, without a broker."""

from __future__ import annotations

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from adapters.kafka.errors import translated
from adapters.kafka.fetched import Fetched
from domain.errors import Defect

NONE, ZSTD = 0, 4


def batch(count: int, compression: int = NONE) -> bytearray:
    """A record batch at offset 0 with the values "0", "1", …"""
    builder = DefaultRecordBatchBuilder(2, compression, 0, -1, -1, -1, 1_000_000)
    for i in range(count):
        builder.append(i, 1_760_000_000_000 + i, b"key", str(i).encode(), [("header", b"value")])
    built: bytearray = builder.build()
    return built


@pytest.mark.parametrize("compression", [NONE, ZSTD])
def test_a_batch_is_taken_in_pieces(compression: int) -> None:
    """Any limits give the same records, from a start within the batch to its end."""
    fetched = Fetched(7, start=3, head=50, aborted=(), data=bytes(batch(20, compression)))
    chunks = [fetched.take(limit) for limit in (2, 5, 1, 100)]
    assert [value for chunk in chunks for value in chunk.values] == [str(i).encode() for i in range(3, 20)]
    assert [offset for chunk in chunks for offset in chunk.offsets] == list(range(3, 20))
    assert {(c.partition, c.head, c.appended_at) for c in chunks} == {(7, 50, 1_760_000_000_019)}
    assert fetched.exhausted
    assert chunks[-1].next_offset == 20


def test_a_flipped_bit_is_a_defect() -> None:
    """The checksum of a record batch is checked; nothing of a damaged one is returned."""
    damaged = batch(20)
    damaged[-3] ^= 1
    with pytest.raises(Defect) as raised, translated("read"):
        Fetched(0, start=0, head=20, aborted=(), data=bytes(damaged)).take(100)
    assert raised.value.code == "corrupt_log"


def test_a_truncated_answer_ends_with_its_last_whole_batch() -> None:
    """Brokers cut answers at the limit of bytes, in the middle of a batch; the rest is fetched again."""
    whole = batch(20)
    fetched = Fetched(0, start=0, head=40, aborted=(), data=bytes(whole + batch(20)[:50]))
    assert len(fetched.take(100).values) == 20
    assert fetched.next_offset == 20
