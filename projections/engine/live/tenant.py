"""One tenant's window: its panes, its watermark, and which minutes are still to come from the projection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from projections.engine.declare.live_window import LiveWindow
from projections.engine.declare.merge_rules import MS_PER_MINUTE
from projections.engine.declare.rows import Table
from projections.engine.live.panes import Cells, Pane, RowKey
from projections.engine.live.watermark import LATE, Watermark

SETTLE = 1_000  # ms that the log may take an event later than the bus
PATIENCE = 10_000  # ms that the projection may differ from what was counted here before its value counts all the same
GAPS_KEPT = 150  # minutes
ASKED_AGAIN = (SETTLE, PATIENCE)  # after what came last: at first it is seen soon, then also if the log was slow

Rows = Mapping[Table, dict[RowKey, Cells]]


@dataclass(slots=True, eq=False)
class TenantWindow:
    """The panes of one window of one tenant.

    `floor`: minutes before it are known from the projection alone: they were dropped, or went by before this process
    began. `gaps`: those in which messages may have been lost, of all tenants alike; `own_gaps`: of this window alone.
    """

    company: str
    window: LiveWindow
    watermark: Watermark
    floor: int
    gaps: list[tuple[int, int]]
    panes: dict[int, Pane] = field(default_factory=dict)
    own_gaps: list[tuple[int, int]] = field(default_factory=list)

    def pane(self, minute: int) -> Pane:
        """The pane of a minute, begun if there was none."""
        pane = self.panes.get(minute)
        if pane is None:
            pane = self.panes[minute] = Pane()
        return pane

    def too_late(self, minute: int) -> bool:
        """Whether what comes for this minute can change nothing any more."""
        return (minute + 1) * MS_PER_MINUTE + LATE <= self.watermark.at

    def closed(self, minute: int) -> bool:
        """Whether the watermark has passed the minute's end."""
        return (minute + 1) * MS_PER_MINUTE <= self.watermark.at

    @property
    def newest_closed(self) -> int:
        """The newest minute that the watermark has passed."""
        return self.watermark.at // MS_PER_MINUTE - 1

    def durable(self, minute: int) -> bool:
        """Whether the minute is as the projection has it."""
        return minute in self.panes and self.panes[minute].durable and not self.panes[minute].corrected

    def partial(self, minute: int) -> str:
        """Why the minute may lack something; '' where it does not."""
        pane = self.panes.get(minute)
        if pane is not None and (pane.corrected or pane.durable):
            return "corrected" if pane.corrected else ""
        if pane is not None and pane.refused:
            return "too_many_keys"
        missed = minute < self.floor or any(
            first <= minute <= last for gaps in (self.gaps, self.own_gaps) for first, last in gaps
        )
        return "gap" if missed else ""

    def close(self, now: int) -> None:
        """Note the minutes whose end the watermark has passed since it was asked last."""
        newest = self.newest_closed
        for minute, pane in self.panes.items():
            if pane.closed is None and minute <= newest:
                pane.closed = now

    def touch(self, minute: int, now: int) -> Pane:
        """The pane of a minute of which something came, or may have been lost: the projection is asked after that."""
        pane = self.pane(minute)
        pane.arrived = now
        if pane.durable and pane.stale is None:
            pane.stale = now + SETTLE
        return pane

    def pending(self, first: int, folded: int) -> list[int]:
        """Closed minutes that the projection has by now and that are not its own here: from the first on all, of those
        before it the ones that are known.

        `folded`: everything that the log took before this moment (ms) is in the projection.
        """
        newest = self.newest_closed
        older = sorted(minute for minute in self.panes if minute < min(first, newest + 1))
        return [minute for minute in (*older, *range(first, newest + 1)) if self._pending(minute, folded)]

    def _pending(self, minute: int, folded: int) -> bool:
        pane = self.panes.get(minute)
        if pane is not None and pane.durable:
            return pane.stale is not None and pane.stale <= folded
        closed = pane.closed if pane is not None else None
        return ((minute + 1) * MS_PER_MINUTE if closed is None else closed) + SETTLE <= folded

    def settle(self, minute: int, rows: Rows, folded: int, now: int) -> bool:
        """Take the projection's rows of a minute, which have what the log took before `folded` (ms); whether anything
        is to be said of it.

        Where they differ from what was counted here without a gap, the log may still be taking what the bus has
        brought: the projection is asked again for a while, and then its value counts. So it is with what came since.
        """
        pane = self.pane(minute)
        whole = not (pane.durable or self.partial(minute))
        if whole and now - (pane.closed or 0) < PATIENCE and pane.differs(rows):
            return False
        pane.stale = next((at for after in ASKED_AGAIN if (at := pane.arrived + after) > folded), None)
        before = self.durable(minute)
        return pane.replace(rows) or not before

    def droppable(self, folded: int) -> Iterator[int]:
        """Minutes that nobody follows and that the projection has."""
        for minute, pane in self.panes.items():
            if pane.closed is not None and pane.closed + SETTLE <= folded:
                yield minute

    def drop(self, minutes: list[int]) -> int:
        """Forget these minutes; how many rows that were."""
        dropped = 0
        for minute in minutes:
            dropped += self.panes.pop(minute).size
            self.floor = max(self.floor, minute + 1)
        return dropped


def note_gap(gaps: list[tuple[int, int]], first: int, last: int) -> None:
    """Add minutes in which something may have been lost, together with the gap before where they meet it."""
    if gaps and gaps[-1][1] >= first:
        first = min(first, gaps.pop()[0])
    gaps[:] = [*(gap for gap in gaps if gap[1] >= last - GAPS_KEPT), (first, last)]
