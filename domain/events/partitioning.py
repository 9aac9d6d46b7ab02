"""Which partition a key goes to: the rule of Kafka's Java client, so that every adapter and every producer agree."""

from __future__ import annotations

from functools import lru_cache

_MULTIPLIER = 0x5BD1E995
_SEED = 0x9747B28C
_MASK = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """MurmurHash2 (Austin Appleby, public domain) with the seed that Kafka uses, as an unsigned 32-bit number."""
    length = len(data)
    value = _SEED ^ length
    whole = length & ~3
    for start in range(0, whole, 4):
        block = (int.from_bytes(data[start : start + 4], "little") * _MULTIPLIER) & _MASK
        block = ((block ^ (block >> 24)) * _MULTIPLIER) & _MASK
        value = ((value * _MULTIPLIER) & _MASK) ^ block
    if whole < length:
        value = ((value ^ int.from_bytes(data[whole:], "little")) * _MULTIPLIER) & _MASK
    value = ((value ^ (value >> 13)) * _MULTIPLIER) & _MASK
    return value ^ (value >> 15)


# Keys repeat (one a user), and hashing one costs 3 µs in Python; a remembered one takes 250 bytes.
@lru_cache(maxsize=8_192)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition, in [0, `partitions`), of a record with this key."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
