"""Bloom filters: which texts a block of the log may hold, in ten bits a text.

A filter never denies a text that it was made of, and admits about one in a hundred of all others. Its form is stable:
bit `(first + i * second) mod bits` for i in 0..6, little-endian in each byte, where `first` and `second` are the halves
of MurmurHash3's 64-bit finaliser over CRC-32. Thirty-two bits suffice for the some ten thousand texts of a block.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PROBES = 7  # bits set for each text; 10 ln 2
BITS = 10  # of the filter, for each text
WORD = 64  # the filter is so many bits, or a multiple
FACTORS = (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53)
LOW, ALL = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF


def checksums(texts: Collection[bytes]) -> NDArray[np.uint32]:
    """All that a filter needs to know of each text, in four bytes."""
    import numpy as np  # only who makes filters needs it; who asks one text does not

    return np.fromiter(map(crc32, texts), np.uint32, len(texts))


def filter_of_checksums(sums: NDArray[np.uint32]) -> bytes:
    """The filter of texts of which each one's checksum is here once."""
    import numpy as np

    bits = WORD * max(1, -(-BITS * len(sums) // WORD))
    mixed, shift = sums.astype(np.uint64), np.uint64(33)
    for factor in FACTORS:
        mixed = (mixed ^ (mixed >> shift)) * np.uint64(factor)
    mixed ^= mixed >> shift
    first, second = mixed & np.uint64(LOW), (mixed >> np.uint64(32)) | np.uint64(1)
    places = (first[:, None] + second[:, None] * np.arange(PROBES, dtype=np.uint64)) % np.uint64(bits)
    table = np.zeros(bits, np.uint8)
    table[places.ravel()] = 1
    return np.packbits(table, bitorder="little").tobytes()


def probe(text: bytes) -> tuple[int, int]:
    """`first` and `second` of a text: its bits are at `(first + i * second) mod bits`, i below PROBES."""
    mixed = crc32(text)
    for factor in FACTORS:
        mixed = (mixed ^ (mixed >> 33)) * factor & ALL
    mixed ^= mixed >> 33
    return mixed & LOW, (mixed >> 32) | 1
