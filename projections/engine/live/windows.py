"""The live windows of all tenants: what comes is folded into panes, and what is followed is said.

Pure: times are arguments, in ms since 1970 UTC. Memory is bounded: a tenant has `MOST_ROWS` rows of panes at most, and
a minute's panes are dropped once the projection has it, unless somebody follows. Rows for which a tenant has no room
are counted, and its minutes told as partial until the projection has them; other tenants do not notice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, NamedTuple

from projections.engine.declare.live_window import LiveWindow
from projections.engine.declare.merge_rules import MS_PER_MINUTE
from projections.engine.declare.registry import all_windows
from projections.engine.live.arrivals import Admitted, Arrivals, GoodMessages, Reader, folded, good_messages
from projections.engine.live.corrections import Corrections
from projections.engine.live.folding import Delta, Report, SourceProgress, topics_of, windows_of
from projections.engine.live.panes import Pane
from projections.engine.live.question import ViewQuestion
from projections.engine.live.tenant import Rows, TenantWindow, note_gap
from projections.engine.live.view import View
from projections.engine.live.watermark import GRACE, IDLE, LATE, Watermark

MOST_ROWS = 20_000  # of panes of one tenant, all windows together
MOST_TENANTS = 5_000  # that have open minutes at once
FIGURES = ("messages", "facts", "bad", "failed", "repeated", "late", "refused", "gaps")
LONGEST = 70  # minutes that a pane which nobody follows waits for the projection


class PendingMinutes(NamedTuple):
    """Closed minutes of a tenant's window that the projection has, and that are to be taken from it.

    `folded`: everything that the log took before this moment (ms) is in the projection.
    """

    company: str
    window: LiveWindow
    minutes: Sequence[int]
    folded: int = 0


@dataclass(slots=True)
class Tenant:
    """One tenant's windows by name, how many rows their panes have, and how many of `MOST_ROWS` found no room."""

    windows: dict[str, TenantWindow] = field(default_factory=dict)
    rows: int = 0


class LiveWindows:
    """All windows. `started`: when this process began to listen; of minutes before it knows nothing by itself."""

    def __init__(self, started: int, *, most_rows: int = MOST_ROWS, most_tenants: int = MOST_TENANTS) -> None:
        self.counts: Counter[str] = Counter()
        self._reader, self._corrections = Reader(), Corrections()
        self._floor = started // MS_PER_MINUTE + 1  # before it, windows that begin now know nothing by themselves
        self._gaps: list[tuple[int, int]] = []
        self._tenants: dict[str, Tenant] = {}
        self._views: dict[str, View] = {}
        self._views_of: dict[TenantWindow, list[View]] = defaultdict(list)
        self._most_rows, self._most_tenants = most_rows, most_tenants

    def take(self, topic: str, messages: Sequence[bytes], now: int) -> None:
        """Fold messages of the bus that came together."""
        admitted = self.admit(good_messages(topic, messages, now), len(messages), now)
        self.add(topic, folded(topic, admitted), now)

    def admit(self, good: GoodMessages, came: int, now: int) -> Admitted:
        """The first step of it: of so many messages that came the good ones that did not come before."""
        admitted = self._reader.admit(good, came, now)
        self.counts.update(messages=came, bad=admitted.bad, repeated=admitted.repeated)
        return admitted

    def add(self, topic: str, arrivals: Arrivals, now: int) -> None:
        """Merge what messages of a topic have come to."""
        for progress in arrivals.progress:
            self._observe(progress, now)
        for report in arrivals.reports:
            self._correct(report, now)
        for delta in arrivals.deltas:
            self._merge(delta, now)
        self.counts["failed"] += arrivals.failed.total()
        for company, (_, window) in product(arrivals.failed, windows_of(topic)):
            self._note_failed(company, window, now)

    def advance(self, now: int) -> None:
        """Move the watermarks on; what they pass is closed, and said to be so."""
        for tenant in self._tenants.values():
            for of in tenant.windows.values():
                before = of.newest_closed
                if of.watermark.advance(now):
                    for view in self._views_of.get(of, ()):
                        for minute in range(max(before, of.newest_closed - view.retained) + 1, of.newest_closed + 1):
                            view.touch(minute)
                    of.close(now)
        self._reader.forget(now)

    def note_gap(self, since: int, now: int) -> None:
        """Messages may have been lost since then: minutes that were open are partial, and others asked for again."""
        self.counts["gaps"] += 1
        first = (since - GRACE - IDLE) // MS_PER_MINUTE
        note_gap(self._gaps, first, now // MS_PER_MINUTE)
        for tenant in self._tenants.values():
            for of in tenant.windows.values():
                self._doubt(of, first, now)

    def _correct(self, report: Report, now: int) -> None:
        """A fact was reported again, or taken back: the minutes that this changes are the projection's to tell."""
        minutes = self._corrections.minutes(report)
        of = self._window_of(report.company, report.window, now) if minutes != [] else None
        if of is None:
            return
        changed = [minute for minute in of.panes if of.durable(minute)] if minutes is None else minutes
        for minute in [minute for minute in changed if not of.too_late(minute)]:
            of.touch(minute, now).corrected = True
            for view in self._views_of.get(of, ()):
                view.touch(minute)

    def _note_failed(self, company: str, window: LiveWindow, now: int) -> None:
        """An event could not be folded: whichever minute it is of, its tenant's may lack it, and nobody else's."""
        of = self._window_of(company, window, now)
        if of is not None:
            first = (now - LATE) // MS_PER_MINUTE
            note_gap(of.own_gaps, first, now // MS_PER_MINUTE)
            self._doubt(of, first, now)

    def _doubt(self, of: TenantWindow, first: int, now: int) -> None:
        """Ask the projection again for what it gave before, and say which minutes may lack something."""
        for minute, pane in of.panes.items():
            if pane.durable and not of.too_late(minute):
                of.touch(minute, now)
        for view in self._views_of.get(of, ()):
            for minute in range(max(first, now // MS_PER_MINUTE - view.retained), now // MS_PER_MINUTE + 1):
                view.touch(minute)

    def follow(self, question: ViewQuestion, now: int, until: int, since: int | None = None) -> View:
        """The view of a question, begun if nobody followed it yet; it goes on until then at least.

        `since`: the first minute of which whoever follows has heard before, from another process or before a pause.
        """
        view = self._views.get(question.id)
        if view is None:
            tenant = self._tenants.setdefault(question.company, Tenant())
            of = self._window(tenant, question.company, all_windows()[question.window][1], now)
            of.watermark.advance(now)
            view = self._views[question.id] = View(question, of, until, since)
            self._views_of[of].append(view)
            view.begin(now // MS_PER_MINUTE)
        view.until = max(view.until, until)
        return view

    def expire(self, now: int) -> None:
        """End views that nobody follows any more."""
        for view in [view for view in self._views.values() if view.until < now]:
            del self._views[view.question.id]
            self._views_of[view.of].remove(view)
            if not self._views_of[view.of]:
                del self._views_of[view.of]

    def messages(self, now: int) -> list[tuple[View, dict[str, Any]]]:
        """What there is to say of what is followed, since it was asked last."""
        minute = now // MS_PER_MINUTE
        return [(v, message) for v in self._views.values() if v.dirty for message in v.messages(minute)]

    def followed(self) -> frozenset[tuple[str, str]]:
        """Topics and tenants whose events somebody follows."""
        questions = [view.question for view in self._views.values()]
        return frozenset((topic, question.company) for question in questions for topic in topics_of(question.window))

    def pending(self, folded: Mapping[str, int], now: int) -> list[PendingMinutes]:
        """What is to be taken from the projections, of what is followed; the rest of what they have is dropped.

        `folded`, by projection: everything that the log took before that moment is in it.
        """
        due = []
        for company, tenant in list(self._tenants.items()):
            for name, of in list(tenant.windows.items()):
                through = folded.get(all_windows()[name][0].name, 0)
                views = self._views_of.get(of, ())
                oldest = min((v.oldest(now // MS_PER_MINUTE) for v in views), default=0)
                if views and (minutes := of.pending(oldest, through)):
                    due.append(PendingMinutes(company, of.window, minutes, through))
                self._drop(tenant, of, oldest if views else None, through, now)
                if not of.panes and not views:
                    self._floor = max(self._floor, of.floor)
                    del tenant.windows[name]
            if not tenant.windows:
                del self._tenants[company]
        return due

    def settle(self, pending: PendingMinutes, rows: Mapping[int, Rows], now: int) -> None:
        """Take the projection's rows by minute; of minutes without rows it has none."""
        tenant = self._tenants.get(pending.company)
        of = tenant.windows.get(pending.window.name) if tenant else None
        if tenant is None or of is None:  # nobody follows it any more
            return
        for minute in pending.minutes:
            before = of.panes[minute].size if minute in of.panes else 0
            if of.settle(minute, rows.get(minute, {}), pending.folded, now):
                for view in self._views_of.get(of, ()):
                    view.touch(minute)
            tenant.rows += of.panes[minute].size - before

    def panes(self, company: str, window: str) -> Mapping[int, Pane]:
        """The panes of a tenant's window by minute, as they are."""
        tenant = self._tenants.get(company)
        return tenant.windows[window].panes if tenant and window in tenant.windows else {}

    def figures(self) -> dict[str, int]:
        """How much there is of everything."""
        windows = [of for tenant in self._tenants.values() for of in tenant.windows.values()]
        return {
            **{name: self.counts[name] for name in FIGURES},
            "tenants": len(self._tenants),
            "panes": sum(len(of.panes) for of in windows),
            "rows": sum(tenant.rows for tenant in self._tenants.values()),
            "views": len(self._views),
        }

    def _observe(self, progress: SourceProgress, now: int) -> None:
        of = self._window_of(progress.company, progress.window, now)
        if of is None:
            self.counts["refused"] += progress.facts
            return
        of.watermark.observe(progress.source, progress.highest, now)
        self.counts["facts"] += progress.facts
        if of.too_late(progress.minute):
            self.counts["late"] += progress.facts
            if progress.minute in of.panes:
                of.panes[progress.minute].late += progress.facts
        else:
            of.pane(progress.minute).facts += progress.facts
        for view in self._views_of.get(of, ()):
            view.note(progress.minute)

    def _merge(self, delta: Delta, now: int) -> None:
        tenant = self._tenants.get(delta.company)
        of = tenant.windows.get(delta.window.name) if tenant else None
        minute = delta.time // MS_PER_MINUTE
        if tenant is None or of is None or of.too_late(minute):
            return
        pane = of.touch(minute, now)
        if pane.durable:
            return
        if not pane.holds(delta.table, delta.key):
            if tenant.rows >= self._most_rows:
                pane.refused += 1
                self.counts["refused"] += 1
                return
            tenant.rows += 1
        for view in self._views_of.get(of, ()):
            view.merge(minute, delta.table, delta.key, delta.cells)
        pane.merge(delta.table, delta.key, delta.cells)

    def _window_of(self, company: str, window: LiveWindow, now: int) -> TenantWindow | None:
        """The tenant's window; None for a tenant for which there is no room."""
        tenant = self._tenants.get(company)
        if tenant is None:
            if len(self._tenants) >= self._most_tenants:
                return None
            tenant = self._tenants[company] = Tenant()
        return self._window(tenant, company, window, now)

    def _window(self, tenant: Tenant, company: str, window: LiveWindow, now: int) -> TenantWindow:
        of = tenant.windows.get(window.name)
        if of is None:
            watermark = Watermark(now - GRACE - IDLE)
            of = TenantWindow(company, window, watermark, self._floor, self._gaps)
            tenant.windows[window.name] = of
        return of

    def _drop(self, tenant: Tenant, of: TenantWindow, oldest: int | None, folded: int, now: int) -> None:
        """Forget panes that nobody needs: of what is followed, those that are older than that."""
        if oldest is None:
            aged = now // MS_PER_MINUTE - LONGEST
            gone = {*of.droppable(folded), *(minute for minute in of.panes if minute < aged)}
        else:
            gone = {minute for minute in of.panes if minute < oldest - 12}
        tenant.rows -= of.drop(sorted(gone))
