"""User journeys: the paths that most users take, at most five events long, from an event or to one.

A path is a run of a sequence's events in the order of time; a sequence is a user, or a session where those are given
as users. Without an anchor it begins with the first event; `begin` anchors it at the first such event, `to` lets it end
there. The same event several times in a row counts once, unless `repeats` is set. Events of one moment are in the order
that makes the path longest: after the one that it begins with, before the one that it ends with; else by their names.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from domain.metrics.engagement.events import Events, IntArray, Ordered, ordered, starts

LENGTH = 5
NOTHING = -1  # in a path that is shorter


class Path(NamedTuple):
    """The names of a path in order, and how many sequences took it."""

    names: tuple[int, ...]
    sequences: int


def user_journey(
    events: Events,
    *,
    begin: int | None = None,
    to: int | None = None,
    length: int = LENGTH,
    top: int = 20,
    repeats: bool = False,
) -> list[Path]:
    """The most frequent paths, those of equal frequency by their names. Names are not negative."""
    stream = ordered(events, _rank(events.names, begin, to))
    if not repeats:
        stream = _without_repeats(stream)
    steps = _paths(stream, begin, to, length)
    code = np.zeros(len(steps), np.int64)
    for k in range(length):  # numbered anew at each step, so that no number outgrows 64 bits
        _, code = np.unique(code * (int(steps.max(initial=0)) + 2) + steps[:, k] + 1, return_inverse=True)
    _, where, counts = np.unique(code, return_index=True, return_counts=True)
    paths = [
        Path(tuple(name for name in steps[row].tolist() if name != NOTHING), int(number))
        for row, number in _frequent(where, counts, top)
    ]
    return sorted(paths, key=lambda path: (-path.sequences, path.names))[:top]


def _rank(names: IntArray, begin: int | None, to: int | None) -> IntArray:
    """The order of events of one moment: where a path begins comes first, where it ends last, the others by name."""
    if to is not None:
        return np.where(names == to, names.max(initial=0) + 1, names)
    return names if begin is None else np.where(names == begin, -1, names)


def _without_repeats(stream: Ordered) -> Ordered:
    same = (stream.users[1:] == stream.users[:-1]) & (stream.names[1:] == stream.names[:-1])
    first = np.concatenate(([True], ~same))[: len(stream.users)]
    return Ordered(stream.users[first], stream.at[first], stream.names[first])


def _paths(stream: Ordered, begin: int | None, to: int | None, length: int) -> IntArray:
    """One row a sequence that has the anchor: its path, in order, filled up with NOTHING."""
    anchor = begin if to is None else to
    firsts = starts(stream.users)
    rows = firsts if anchor is None else np.flatnonzero(stream.names == anchor).astype(np.int64)
    rows = rows[starts(stream.users[rows])]
    places = rows[:, None] + np.arange(length) - (0 if to is None else length - 1)
    inside = (places >= 0) & (places < len(stream.users))
    places = np.where(inside, places, 0)
    inside &= stream.users[places] == stream.users[rows][:, None] if len(rows) else inside
    return np.where(inside, stream.names[places], NOTHING) if len(rows) else np.empty((0, length), np.int64)


def _frequent(where: IntArray, counts: IntArray, top: int) -> list[tuple[int, int]]:
    """Rows and numbers of all paths that are as frequent as the last one of the top."""
    if not len(counts):
        return []
    least = np.sort(counts)[::-1][min(top, len(counts)) - 1]
    return [(int(where[i]), int(counts[i])) for i in np.flatnonzero(counts >= least)]
