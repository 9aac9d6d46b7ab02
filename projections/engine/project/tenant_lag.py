"""Lag by tenant: the records that projections have not folded yet, read from the log and counted by company.

No projection keeps such a count: it would cost every batch something, to tell what is nearly always zero.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from domain.ports import Chunk, EventLog
from domain.position import Position, TopicPartition
from eventlog.columns import array_of, decode_envelopes
from eventlog.read import Reading
from projections.engine.project.backlog import Span, behind
from projections.engine.store.port import ProjectionStatus

STEP = 5_000  # records of one read: the age of a company's oldest record is known as exactly as this
UNREADABLE = ""  # the company of a record that cannot be decoded


@dataclass
class Backlog:
    """What a version has not folded: records by company, and when the oldest of each was appended (ms), about."""

    spans: Mapping[TopicPartition, Span]
    records: Counter[str] = field(default_factory=Counter)
    oldest: dict[str, int] = field(default_factory=dict)

    def count(self, topic: str, chunk: Chunk, companies: Sequence[str]) -> None:
        """Count the records of a chunk that lie in the version's span."""
        start, stop = self.spans.get((topic, chunk.partition), (0, 0))
        for offset, company in zip(chunk.offsets, companies, strict=True):
            if start <= offset < stop:
                self.records[company] += 1
                self.oldest[company] = min(self.oldest.get(company, chunk.appended_at), chunk.appended_at)


async def lag_by_tenant(
    log: EventLog, stored: Sequence[ProjectionStatus], head: Position, *, most: int, only: str = ""
) -> list[dict[str, object]]:
    """One entry a stored version and company that has records which it has not folded, most first.

    `most`: records that are read at most; beyond them `complete` is false and counts are what was found until there.
    `only`: one company. `lag_seconds` is the age of its oldest record, from its append to now. Raises Unavailable.
    """
    backlogs = [(status, Backlog(behind(status, head))) for status in stored]
    spans: dict[TopicPartition, Span] = {}
    for _, backlog in backlogs:
        for place, (start, stop) in backlog.spans.items():
            first, last = spans.get(place, (start, stop))
            spans[place] = (min(first, start), max(last, stop))
    complete = await _read(log, spans, [backlog for _, backlog in backlogs], most)
    now = 1000 * time.time()
    return [
        {
            "name": status.name,
            "version": status.version,
            "company_id": company,
            "lag_events": count,
            "lag_seconds": round(max(0.0, now - backlog.oldest[company]) / 1000, 3),
            "complete": complete,
        }
        for status, backlog in backlogs
        for company, count in backlog.records.most_common()
        if not only or company == only
    ]


async def _read(log: EventLog, spans: Mapping[TopicPartition, Span], backlogs: Sequence[Backlog], most: int) -> bool:
    """Read the spans once for all; False when there were more than `most` records."""
    for topic in sorted({topic for topic, _ in spans}):
        ranges = {partition: [span] for (name, partition), span in spans.items() if name == topic}
        async with Reading(log, topic, ranges) as reading:
            while reading.left:
                if most <= 0:
                    return False
                for chunk in await reading.read(min(STEP, most)):
                    companies = _companies(chunk)
                    for backlog in backlogs:
                        backlog.count(topic, chunk, companies)
                    most -= len(chunk.values)
    return True


def _companies(chunk: Chunk) -> list[str]:
    frame, _ = decode_envelopes(array_of(chunk.values), ("company_id",))
    companies = dict(zip(frame.get_column("_row"), frame.get_column("company_id"), strict=True))
    return [companies.get(row, UNREADABLE) for row in range(len(chunk.values))]
