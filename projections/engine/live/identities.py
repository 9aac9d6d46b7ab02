"""Identities of the events that came in the last minutes, so that one which comes twice counts once.

Kept as 64-bit numbers in sorted arrays, 8 bytes an event: 10,000 events/s for twelve minutes are 58 MB, where a set of
Python's takes 500. Two of ten million share a number with a chance of 1 to 400,000, and the durable value corrects it.
"""

from __future__ import annotations

from collections import deque

import numpy as np

KEEP_MINUTES = 12  # minutes: as long as an event can change what is said, and then some
SEALED = 8_192  # newest identities that are kept in a set, before they become an array


class Identities:
    """What came, by the minute in which it came."""

    def __init__(self) -> None:
        self._recent: set[int] = set()
        self._arrays: deque[tuple[int, np.ndarray]] = deque()  # minute, identities in order

    def fresh(self, identities: list[int], minute: int) -> list[bool]:
        """Of each whether it is new; from now on it is known."""
        present = self._in_arrays(identities)
        unseen = []
        for number, identity in enumerate(identities):
            new = identity not in self._recent and not (present is not None and present[number])
            unseen.append(new)
            if new:
                self._recent.add(identity)
        if len(self._recent) >= SEALED:
            self._seal(minute)
        return unseen

    def forget(self, minute: int) -> None:
        """Drop what came longer ago than is kept, seen from this minute."""
        while self._arrays and self._arrays[0][0] < minute - KEEP_MINUTES:
            self._arrays.popleft()
        if self._recent and (not self._arrays or self._arrays[-1][0] < minute):
            self._seal(minute)

    def _in_arrays(self, identities: list[int]) -> np.ndarray | None:
        if not self._arrays:
            return None
        values = np.array(identities, np.int64)
        present = np.zeros(len(values), np.bool_)
        for _, array in self._arrays:
            places = np.minimum(np.searchsorted(array, values), len(array) - 1)
            present |= array[places] == values
        return present

    def _seal(self, minute: int) -> None:
        """The newest ones become an array; together with the one before, where that is of the same minute."""
        fresh = np.fromiter(self._recent, np.int64, len(self._recent))
        fresh.sort()
        if self._arrays and self._arrays[-1][0] == minute:
            fresh = np.concatenate((self._arrays.pop()[1], fresh))
            fresh.sort(kind="stable")  # two runs that are merged: a tenth of sorting them
        self._arrays.append((minute, fresh))
        self._recent.clear()
