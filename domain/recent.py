"""Recent: room for so many values; what was used least recently makes room for another one."""

from __future__ import annotations

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """At most `most` values by their keys. To get one is to use it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[K, V] = {}  # least recently used first

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: K) -> V | None:
        """The value, which is now the one used last; None where there is none."""
        if key not in self._values:
            return None
        value = self._values[key] = self._values.pop(key)
        return value

    def keep(self, key: K, value: V) -> None:
        """The value, in place of one that was there or of the one used least recently where there are too many."""
        self._values.pop(key, None)
        self._values[key] = value
        if len(self._values) > self._most:
            del self._values[next(iter(self._values))]
