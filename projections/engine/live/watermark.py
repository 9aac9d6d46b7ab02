"""The watermark: the event time up to which a tenant's events are taken to be there. It never goes back.

It is the least, over the sources that are active, of the highest event time that came from each, less `GRACE`. A source
that is silent for `IDLE` does not hold it; nor does one that tells of times long gone, as somebody does who hands in
what was missing. With no active source it follows the clock. Times in ms since 1970 UTC.
"""

from __future__ import annotations

GRACE = 5_000
IDLE = 10_000
LATE = 600_000  # an event so much behind the watermark is too late to change what was said
MOST_AHEAD = 60_000  # an event further ahead of the clock never moves the watermark
MOST_SOURCES = 64  # of one tenant and window; more count as one
OTHERS = ""  # what those are called


class Watermark:
    """That of one tenant and window."""

    def __init__(self, at: int) -> None:
        self.at = at
        self._sources: dict[str, tuple[int, int]] = {}  # source → highest event time, when it was last heard

    def observe(self, source: str, event_time: int, now: int) -> None:
        """An event came from a source; one too far ahead shows only that the source is there."""
        if source not in self._sources and len(self._sources) >= MOST_SOURCES:
            source = OTHERS
        highest, _ = self._sources.get(source, (0, 0))
        if event_time <= now + MOST_AHEAD:
            highest = max(highest, event_time)
        self._sources[source] = highest, now

    def advance(self, now: int) -> bool:
        """Move on as far as the sources allow; whether it moved."""
        self._sources = {s: at for s, at in self._sources.items() if now - at[1] < IDLE}
        active = [highest for highest, _ in self._sources.values() if highest > now - LATE]
        before, self.at = self.at, max(self.at, min(active, default=now) - GRACE)
        return self.at > before
