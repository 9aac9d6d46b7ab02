"""Views: one window of one tenant as somebody follows it, in one width, and the messages that are said of it.

A message names its window, kind, revision, watermark and what it covers:

`early` (unfinished) · `final` (once, when the watermark passed the end) · `revised` (it replaces what was said, after a
late event) · `durable` (the projection has every minute of it: that value counts, nothing of the live lane is in it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from domain.metrics.value import Reason
from projections.engine.declare.live_window import LiveWindow
from projections.engine.declare.merge_rules import MS_PER_MINUTE, Kind, Money, Sum
from projections.engine.declare.rows import Table
from projections.engine.live.panes import Cells, Grouping, Groups, RowKey, additive, merge_groups, values_of_groups
from projections.engine.live.question import ViewQuestion
from projections.engine.live.tenant import TenantWindow
from projections.engine.live.widths import Width, width_of
from projections.engine.query.answer_row import CURRENCY
from projections.engine.query.formatting import show_time, shower
from projections.engine.query.quantiles import QUANTILES

MOST_NEWEST = 12  # windows of which whoever begins to follow, or has lost something, hears again
REVISED = 12  # minutes that a closed window is remembered: as long as it may be revised, and then some
MOST_ROWS = 500  # of a message; of more the first by key, and it says so


class MessageKind(StrEnum):
    """What kind of message it is."""

    EARLY = "early"
    FINAL = "final"
    REVISED = "revised"
    DURABLE = "durable"


@dataclass(slots=True, eq=False)
class View:
    """One question that is followed. `until`: when (ms) it ends unless somebody goes on following. `since`: the first
    minute of which whoever follows has heard before this view began.
    """

    question: ViewQuestion
    of: TenantWindow
    until: int
    since: int | None = None
    width: Width = field(init=False)
    dirty: set[int] = field(default_factory=set)  # first minutes of windows of which there is something to say
    said: dict[int, dict[str, Any]] = field(default_factory=dict)  # by first minute: the newest message
    _grouping: Grouping = field(init=False)
    _groups: dict[int, Groups] = field(default_factory=dict)  # by minute

    def __post_init__(self) -> None:
        self.width = width_of(self.question.width)
        self._grouping = Grouping(self.of.window, self.question.by, dict(self.question.filters))

    @property
    def retained(self) -> int:
        """How many minutes back it needs panes: its newest closed window and the one that is open."""
        return 2 * self.width.length + 1

    def oldest(self, minute: int) -> int:
        """The first minute that it asks for, in this minute of the clock: what was heard and may still be revised."""
        first = minute - self.retained
        return first if self.since is None else min(first, max(self.since, first - REVISED))

    def touch(self, minute: int) -> None:
        """What a minute holds, or how sure it is, has changed; from now on it is known until the projection has it."""
        self._groups.pop(minute, None)
        self.note(minute)

    def note(self, minute: int) -> None:
        """Something came for a minute; what it holds changes by `merge` alone."""
        self.of.pane(minute)
        self.dirty.update(self.width.starts(minute))

    def merge(self, minute: int, table: Table, key: RowKey, cells: Cells) -> None:
        """What came for a row of a minute: grouping all rows anew would cost more with each that there is."""
        if (groups := self._groups.get(minute)) is None:
            return
        if additive(self.of.window):
            self._grouping.merge(groups, table, key, cells)
        else:
            del self._groups[minute]

    def begin(self, minute: int) -> None:
        """Have something to say of the window that holds this minute, and of the one before."""
        current = self.width.current(minute)
        for each in range(current - self.width.every, minute + 1):
            self.of.pane(each)
        self.dirty |= {current - self.width.every, current}

    def messages(self, minute: int) -> list[dict[str, Any]]:
        """What there is to say in this minute of the clock; of windows that are not as far yet it is said then."""
        due = [start for start in self.dirty if start + self.width.length - self.width.every <= minute]
        self.dirty.difference_update(due)
        self._forget(minute)
        return [message for start in sorted(due) if (message := self._message(start, minute)) is not None]

    def newest(self) -> list[dict[str, Any]]:
        """The newest messages of the last windows."""
        return [self.said[start] for start in sorted(self.said)[-MOST_NEWEST:]]

    def _forget(self, minute: int) -> None:
        oldest = minute - self.retained - REVISED
        for memory in (self.said, self._groups, self._grouping.currencies):
            for start in [start for start in memory if start < oldest]:
                del memory[start]

    def _message(self, start: int, minute: int) -> dict[str, Any] | None:
        minutes = self.width.minutes(start)
        before = self.said.get(start)
        durable = sum(self.of.durable(m) for m in minutes)
        kind = self._kind(minutes, durable, before)
        ending = kind == MessageKind.DURABLE and start >= self.oldest(minute)
        if before is None and start < minute - self.retained and not ending:
            return None  # from before anybody followed, or of which others may have said that it is final
        panes = [pane for m in minutes if (pane := self.of.panes.get(m)) is not None]
        facts, late = sum(p.facts for p in panes), sum(p.late for p in panes)
        groups = self._merged(minutes)
        reasons = sorted({why for m in minutes if m <= minute and (why := self.of.partial(m))})
        currencies = set().union(*(self._grouping.currencies.get(m, ()) for m in minutes))
        mixed = len(currencies) > 1 and CURRENCY not in self.question.by
        rows = display_rows(self.of.window, groups, self.question.by, mixed=mixed)
        message = {
            "window": self.question.window,
            "company": self.question.company,
            "width": self.question.width,
            "start": moment(start * MS_PER_MINUTE),
            "end": moment((start + self.width.length) * MS_PER_MINUTE),
            "zone": "UTC",
            CURRENCY: currencies.pop() if len(currencies) == 1 else None,
            "kind": kind,
            "revision": before["revision"] + 1 if before else 1,
            "watermark": moment(self.of.watermark.at),
            "minutes": self.width.length,
            "durable_minutes": durable,
            "partial": bool(reasons),
            "partial_reasons": reasons,
            "late_share": late / (facts + late) if late else 0.0,
            "rows": rows[:MOST_ROWS],
            "more_rows": max(0, len(rows) - MOST_ROWS),
        }
        if before is not None and _same(before, message):
            return None
        self.said[start] = message
        return message

    def _kind(self, minutes: range, durable: int, before: Mapping[str, Any] | None) -> MessageKind:
        if not self.of.closed(minutes[-1]):
            return MessageKind.EARLY
        if durable == len(minutes):
            return MessageKind.DURABLE
        return MessageKind.FINAL if before is None or before["kind"] == MessageKind.EARLY else MessageKind.REVISED

    def _merged(self, minutes: range) -> Groups:
        merged: Groups = {table: {} for table in self.of.window.tables}
        for minute in minutes:
            if (pane := self.of.panes.get(minute)) is not None:
                groups = self._groups.get(minute)
                if groups is None:
                    self._grouping.currencies.pop(minute, None)
                    groups = self._groups[minute] = self._grouping.groups(pane)
                merge_groups(self.of.window, merged, groups)
        return merged


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two messages say the same but for how far the watermark is."""
    return all(one[name] == other[name] for name in other if name not in ("revision", "watermark"))


def moment(ms: int) -> str:
    """A time as ISO 8601 with Z."""
    return show_time(datetime.fromtimestamp(ms / 1000, UTC))


def minute_of(text: str) -> int:
    """The minute that begins then, of a time as messages say it. Raises ValueError."""
    return round(datetime.fromisoformat(text).timestamp()) // 60


def display_rows(window: LiveWindow, groups: Groups, by: Sequence[str], *, mixed: bool = False) -> list[dict[str, Any]]:
    """Rows as answers show them: dimensions, measures, what is derived from them, reasons; without `by` always one.

    `mixed`: amounts of several currencies are in them, which are none together.
    """
    values = values_of_groups(window, groups)
    buckets = _buckets(window, groups)
    keys = sorted(values) if by else [()]
    rows = [_row(window, by, key, values.get(key), buckets.get(key, {})) for key in keys]
    return [_without_amounts(window, row) for row in rows] if mixed else rows


def _without_amounts(window: LiveWindow, row: dict[str, Any]) -> dict[str, Any]:
    """The row with null for amounts, and for what cannot be derived without them."""
    amounts = [c.name for c in window.of.values if issubclass(c.kind, Money)]
    raw = {c.name: None if c.name in amounts else row[c.name] for c in window.of.values}
    derived, _ = window.derive(raw) if window.derive else ({}, {})
    missing = [*amounts, *(name for name, value in derived.items() if value is None and row[name] is not None)]
    reasons = row.get("reasons", {}) | dict.fromkeys(missing, str(Reason.MIXED_CURRENCIES))
    return {**row, **dict.fromkeys(missing), "reasons": reasons}


def _buckets(window: LiveWindow, groups: Groups) -> dict[tuple[Any, ...], dict[int, int]]:
    """Counts by bucket, of each group."""
    buckets: dict[tuple[Any, ...], dict[int, int]] = {}
    if window.quantiles is not None:
        for (*key, bucket), (count,) in groups[window.quantiles.table].items():
            buckets.setdefault(tuple(key), {})[bucket] = count
    return buckets


def _row(
    window: LiveWindow,
    by: Sequence[str],
    key: tuple[Any, ...],
    values: Sequence[Any] | None,
    buckets: Mapping[int, int],
) -> dict[str, Any]:
    columns = window.of.values
    measures = values if values is not None else [0 if c.rule is Sum else None for c in columns]
    raw = {c.name: value for c, value in zip(columns, measures, strict=True)}
    row = {name: shower(Kind)(value) for name, value in zip(by, key, strict=True)}
    row |= {c.name: shower(c.kind)(raw[c.name]) for c in columns}
    reasons: dict[str, str] = {}
    if window.quantiles is not None:
        row |= _quantiles(window, raw, buckets)
        if not buckets:
            reasons = dict.fromkeys((*QUANTILES, window.quantiles.low, window.quantiles.high), "no_data")
    more, why = window.derive(raw) if window.derive else ({}, {})
    reasons |= why
    return {**row, **more, **({"reasons": reasons} if reasons else {})}


def _quantiles(window: LiveWindow, raw: Mapping[str, Any], buckets: Mapping[int, int]) -> dict[str, Any]:
    """By nearest rank: the value whose rank is ceil(p·n), as the query has it."""
    assert window.quantiles is not None
    low, high, total = raw[window.quantiles.low], raw[window.quantiles.high], sum(buckets.values())
    show = shower(window.of.column(window.quantiles.low).kind)
    quantiles = {}
    for name, percent in QUANTILES.items():
        upto, at = 0, None
        for bucket in sorted(buckets):
            upto += buckets[bucket]
            if upto * 100 >= total * percent:
                at = bucket
                break
        quantiles[name] = show(window.quantiles.value(at, low, high))
    return quantiles
