"""The sparse index of the log in PostgreSQL (table `log_blocks`, made by migration 0005)."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.postgres.connections.link import Link
from domain.ports import Placed
from domain.position import Position
from eventlog.search.bloom import PROBES, probe
from eventlog.search.criteria import ALWAYS, NEVER, BlockSummary, Criteria, Decision, Skips

# Ranges that need no reading are what rows rule out: a block without a row is read. Neighbours are put together, so
# that an answer is about as long as there are blocks to be read.
SKIPS = """
    WITH asked AS (SELECT * FROM unnest(%s::int[], %s::bigint[], %s::bigint[]) AS a (partition, begin, until)),
    blocks AS MATERIALIZED (
        SELECT b.partition, first_offset, next_offset, coalesce({may}, true) AS may, {own} AS own
        FROM asked a JOIN log_blocks b ON b.topic = %s AND b.partition = a.partition
         AND b.first_offset < a.until AND b.next_offset > a.begin),
    ruled_out AS (
        SELECT *, lag(next_offset) OVER (PARTITION BY partition ORDER BY first_offset) AS before
        FROM blocks WHERE NOT may),
    islands AS (
        SELECT *, count(*) FILTER (WHERE before IS DISTINCT FROM first_offset)
                  OVER (PARTITION BY partition ORDER BY first_offset) AS island
        FROM ruled_out),
    ranges AS (
        SELECT partition, min(first_offset) AS first, max(next_offset) AS next FROM islands
        GROUP BY partition, island),
    listed AS (
        SELECT partition, array_agg(first ORDER BY first) AS firsts, array_agg(next ORDER BY first) AS nexts
        FROM ranges GROUP BY partition)
    SELECT partition, count(*) FILTER (WHERE own), count(*) FILTER (WHERE own AND NOT may), max(next_offset),
           firsts, nexts
    FROM blocks LEFT JOIN listed USING (partition) GROUP BY partition, firsts, nexts
"""
BIT = "(({first}::bigint + {second}::bigint * {i}) %% (8 * octet_length(identities)))"
HOLDS = "(get_byte(substring(identities FROM ({bit} / 8)::int + 1 FOR 1), 0) >> ({bit} %% 8)::int) & 1 = 1"
# the first block, and the end of the first one that no other continues
REACHED = """
    SELECT partition, min(first_offset), min(next_offset) FILTER (WHERE following IS DISTINCT FROM next_offset)
    FROM (SELECT partition, first_offset, next_offset,
                 lead(first_offset) OVER (PARTITION BY partition ORDER BY first_offset) AS following
          FROM log_blocks WHERE topic = %s) AS blocks
    GROUP BY partition
"""
ADD = """
    INSERT INTO log_blocks (topic, partition, first_offset, next_offset, records, bytes, min_time, max_time,
                            appended_at, companies, types, identities)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (topic, partition, first_offset) DO UPDATE SET
        next_offset = excluded.next_offset, records = excluded.records, bytes = excluded.bytes,
        min_time = excluded.min_time, max_time = excluded.max_time, appended_at = excluded.appended_at,
        companies = excluded.companies, types = excluded.types, identities = excluded.identities
"""
FORGET = """
    DELETE FROM log_blocks USING unnest(%s::int[], %s::bigint[], %s::bigint[]) AS b (partition, first, head)
    WHERE topic = %s AND log_blocks.partition = b.partition AND (next_offset <= b.first OR next_offset > b.head)
"""


class PostgresEventIndex:
    """`eventlog.search.criteria.EventIndex` on PostgreSQL; connects when first used.

    Methods raise Unavailable, and Defect where the database refuses a statement.
    """

    def __init__(self, database_url: str) -> None:
        self._link = Link(database_url)

    async def skips(self, topic: str, ranges: Mapping[int, tuple[int, int]], criteria: Criteria) -> Mapping[int, Skips]:
        """What need not be read in these ranges of the topic's partitions."""
        may, values = _may_hold(criteria)
        begins, ends = zip(*ranges.values(), strict=True)
        own, companies = _of_company(criteria)
        parameters = (list(ranges), list(begins), list(ends), *values, *companies, topic)
        async with self._link.use() as connection:
            rows = await (await connection.execute(SKIPS.format(may=may, own=own).encode(), parameters)).fetchall()
        return {
            partition: Skips(list(zip(firsts or (), nexts or (), strict=True)), blocks, skipped, until)
            for partition, blocks, skipped, until, firsts, nexts in rows
        }

    async def reached(self, topic: str, starts: Mapping[int, int]) -> Position:
        """Up to where each partition is indexed without a hole."""
        async with self._link.use() as connection:
            rows = await (await connection.execute(REACHED, (topic,))).fetchall()
        ends = {partition: end for partition, first, end in rows if first <= starts.get(partition, 0) <= end}
        return Position({(topic, partition): ends.get(partition, start) for partition, start in starts.items()})

    async def add(self, summary: BlockSummary) -> None:
        """Keep the summary of a block."""
        values = [getattr(summary, name) for name in BlockSummary.__slots__]
        async with self._link.use() as connection:
            await connection.execute(ADD, values)

    async def forget(self, topic: str, bounds: Mapping[int, tuple[int, int]]) -> None:
        """Drop blocks of a part of the log that is gone."""
        firsts, heads = zip(*bounds.values(), strict=True)
        async with self._link.use() as connection:
            await connection.execute(FORGET, (list(bounds), list(firsts), list(heads), topic))

    async def close(self) -> None:
        """Close the connection."""
        await self._link.close()


def _may_hold(criteria: Criteria) -> tuple[str, list[object]]:
    """A condition on a block that is false only where no event can match, and its parameters; cheap parts first."""
    terms: list[tuple[str, object]] = []
    if criteria.from_time != ALWAYS:
        terms.append(("max_time >= %s", criteria.from_time))
    if criteria.to_time != NEVER:
        terms.append(("min_time < %s", criteria.to_time))
    own, companies = _of_company(criteria)
    terms += [(own, company) for company in companies]
    if criteria.message_types:
        terms.append(("(types IS NULL OR types && %s::text[])", sorted(criteria.message_types)))
    conditions = [condition for condition, _ in terms] + [_may_have(text) for text in criteria.filtered]
    return " AND ".join(conditions) or "true", [value for _, value in terms]


def _of_company(criteria: Criteria) -> tuple[str, list[str]]:
    """A condition on blocks that hold something of the only company wanted, if there is one, and its parameter."""
    if not criteria.company or "\0" in criteria.company:
        return "true", []
    return "(companies IS NULL OR %s = ANY (companies))", [criteria.company]


def _may_have(text: bytes) -> str:
    """A condition on a block's filter, probe by probe: half of the blocks without the text end at the first one."""
    first, second = probe(text)
    bits = [BIT.format(first=first, second=second, i=i) for i in range(PROBES)]
    return "(" + " AND ".join(HOLDS.format(bit=bit) for bit in bits) + ")"


DECISION = """
    SELECT (SELECT next_offset FROM admissions WHERE topic = %(topic)s AND partition = %(partition)s),
           EXISTS (SELECT FROM duplicates
                   WHERE topic = %(topic)s AND partition = %(partition)s AND "offset" = %(offset)s),
           (SELECT array_agg(ARRAY[code, reason] ORDER BY id) FROM quarantine
            WHERE topic = %(topic)s AND partition = %(partition)s AND "offset" = %(offset)s)
"""


class PostgresDecisions:
    """`eventlog.search.criteria.Decisions` on PostgreSQL; connects when first used.

    Methods raise Unavailable, and Defect where the database refuses a statement.
    """

    def __init__(self, database_url: str) -> None:
        self._link = Link(database_url)

    async def of(self, place: Placed) -> Decision:
        """The decision on the event that lies there."""
        async with self._link.use() as connection:
            row = await (await connection.execute(DECISION, place._asdict())).fetchone()
        next_offset, duplicate, reasons = row or (None, False, None)
        if reasons:
            return Decision("quarantined", [(code, reason) for code, reason in reasons])
        if duplicate:
            return Decision("duplicate")
        return Decision("admitted" if next_offset is not None and next_offset > place.offset else "waiting")

    async def close(self) -> None:
        """Close the connection."""
        await self._link.close()
