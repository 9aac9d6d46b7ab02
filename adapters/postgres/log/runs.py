"""Runs: how records lie in the table `log.runs`, and the statements that append and fetch them.

A run is what was appended together to one partition: consecutive offsets, the sizes of the records and their bytes in
one piece. A row a run instead of a row a record costs a fraction of the work on both sides, as a broker's batches do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from domain.events.record_runs import pack

RUN_RECORDS = 4_096  # records in one run, at most
RUN_BYTES = 262_144  # bytes in one run, at most, unless it is a single record

# One statement, so that the partitions are locked for one round trip and the commit only. `locked` takes the locks in
# the order of ids (no deadlocks) and sees what the holder before us committed; the locks last until our commit.
APPEND = """
with locked as materialized (
    select id, topic, next_offset from log.partitions where id = any(%(ids)b::int[]) order by id for update
), advanced as (
    update log.partitions p set next_offset = l.next_offset + t.total
    from locked l join unnest(%(ids)b::int[], %(totals)b::bigint[]) as t (id, total) on t.id = l.id
    where p.id = l.id
), inserted as (
    insert into log.runs (partition_id, first_offset, last_offset, appended_at, sizes, records)
    select l.id, l.next_offset + r.before, l.next_offset + r.before + r.count - 1, clock_timestamp(), r.sizes, r.records
    from unnest(
        %(run_ids)b::int[], %(befores)b::bigint[], %(counts)b::bigint[], %(sizes)b::bytea[], %(records)b::bytea[]
    ) as r (id, before, count, sizes, records)
    join locked l on l.id = r.id
)
select id, next_offset, pg_notify('log_append', topic)::text from locked
"""

# All runs that hold offsets in [start, stop), as long as fewer than `budget` bytes came before them.
FETCH = f"""
select s.id, w.first_offset, (extract(epoch from w.appended_at) * 1000)::bigint, w.sizes, w.records
from unnest(%b::int[], %b::bigint[], %b::bigint[]) as s (id, start, stop)
cross join lateral (
    select first_offset, appended_at, sizes, records,
           sum(octet_length(records)) over (order by last_offset rows unbounded preceding) - octet_length(records)
               as before
    from log.runs
    where partition_id = s.id
      and last_offset >= s.start and last_offset < s.stop + {RUN_RECORDS} and first_offset < s.stop
) w
where w.before < %b::bigint
"""


@dataclass(slots=True)
class Runs:
    """Records of several partitions on their way into the log, as the parameters of `APPEND`."""

    totals: dict[int, int] = field(default_factory=dict)
    ids: list[int] = field(default_factory=list)
    befores: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    sizes: list[bytes] = field(default_factory=list)
    records: list[bytes] = field(default_factory=list)

    def add(self, partition_id: int, values: Sequence[bytes]) -> int:
        """Put these records behind those that the partition already gets; returns how many those are."""
        before = place = self.totals.get(partition_id, 0)
        for run in _cut(values):
            self.ids.append(partition_id)
            self.befores.append(place)
            self.counts.append(len(run))
            together = pack(run)
            self.sizes.append(together.sizes)
            self.records.append(together.records)
            place += len(run)
        self.totals[partition_id] = place
        return before

    def parameters(self) -> dict[str, object]:
        """For `APPEND`."""
        return {
            "ids": list(self.totals),
            "totals": list(self.totals.values()),
            "run_ids": self.ids,
            "befores": self.befores,
            "counts": self.counts,
            "sizes": self.sizes,
            "records": self.records,
        }


def _cut(values: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Cut records into runs of at most `RUN_RECORDS` and `RUN_BYTES`."""
    if len(values) <= RUN_RECORDS and sum(map(len, values)) <= RUN_BYTES:
        yield values
        return
    begin, held = 0, 0
    for index, value in enumerate(values):
        if index > begin and (held + len(value) > RUN_BYTES or index - begin == RUN_RECORDS):
            yield values[begin:index]
            begin, held = index, 0
        held += len(value)
    yield values[begin:]
