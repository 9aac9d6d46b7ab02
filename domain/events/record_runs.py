"""Packed records: many of them as a few pieces of bytes, and a single one made only where somebody looks at it.

A log hands out millions of records, and most are decoded as columns: to make an object of each would cost more than to
read them.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import overload

SIZE = 4  # bytes of one size


@dataclass(frozen=True, slots=True)
class Run:
    """Records one behind the other: their sizes (unsigned, 32 bits, little-endian) and their bytes."""

    sizes: bytes
    records: bytes

    def __len__(self) -> int:
        return len(self.sizes) // SIZE

    def ends(self) -> list[int]:
        """Where each record begins, and where the last one ends."""
        return list(accumulate(struct.unpack(f"<{len(self)}I", self.sizes), initial=0))

    def holding(self, needle: bytes) -> Iterator[tuple[int, bytes]]:
        """The records that hold these bytes, with their numbers."""
        at = self.records.find(needle)
        ends = self.ends() if at >= 0 else []
        while at >= 0:
            number = bisect_right(ends, at) - 1
            begin, end = ends[number : number + 2]
            if at + len(needle) <= end:
                yield number, self.records[begin:end]
            at = self.records.find(needle, end if at + len(needle) <= end else at + 1)

    def part(self, begin: int, end: int) -> Run:
        """The records from number `begin` up to, not including, `end`; both may lie outside of the run."""
        begin, end, _ = slice(max(begin, 0), max(begin, end, 0)).indices(len(self))
        if (begin, end) == (0, len(self)):
            return self
        ends = self.ends()
        return Run(self.sizes[SIZE * begin : SIZE * end], self.records[ends[begin] : ends[end]])


class RunRecords(Sequence[bytes]):
    """The records of some runs, in order."""

    __slots__ = ("_length", "runs")

    def __init__(self, runs: Iterable[Run]) -> None:
        self.runs = tuple(runs)
        self._length = sum(map(len, self.runs))

    @classmethod
    def of(cls, values: Sequence[bytes]) -> RunRecords:
        """These records, packed where they are not yet."""
        return values if isinstance(values, cls) else cls([pack(values)])

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        for run in self.runs:
            ends, records = run.ends(), run.records
            yield from [records[a:b] for a, b in pairwise(ends)]

    def __add__(self, other: RunRecords) -> RunRecords:
        return RunRecords((*self.runs, *other.runs))

    @overload
    def __getitem__(self, at: int) -> bytes: ...

    @overload
    def __getitem__(self, at: slice) -> RunRecords: ...

    def __getitem__(self, at: int | slice) -> bytes | RunRecords:
        if isinstance(at, slice):
            begin, end, step = at.indices(len(self))
            return self._between(begin, end) if step == 1 else RunRecords.of(list(self)[at])
        place = range(len(self))[at]
        return next(iter(self._between(place, place + 1)))

    def holding(self, needle: bytes) -> list[tuple[int, bytes]]:
        """The records that hold these bytes, with their numbers: looked for in whole runs, not record by record."""
        befores = accumulate(map(len, self.runs), initial=0)
        return [
            (before + number, record)
            for run, before in zip(self.runs, befores, strict=False)
            for number, record in run.holding(needle)
        ]

    def _between(self, begin: int, end: int) -> RunRecords:
        befores = accumulate(map(len, self.runs), initial=0)
        parts = (run.part(begin - before, end - before) for run, before in zip(self.runs, befores, strict=False))
        return RunRecords(part for part in parts if part)


def pack(values: Sequence[bytes]) -> Run:
    """These records as one run."""
    return Run(struct.pack(f"<{len(values)}I", *map(len, values)), b"".join(values))
