"""Seals in PostgreSQL, through a link of their own."""

from __future__ import annotations

from typing import Any

import psycopg

from adapters.postgres.connections.link import Link
from domain.errors import Fenced
from domain.position import TopicPartition
from eventlog.seals.chain import Header, Seal

SILENT = 45.0  # seconds, beyond three turns, after which a sealer counts as gone: one call may take twenty
COLUMNS = "topic, partition, first_offset, next_offset, records, content, root, previous, chain"


class PostgresSeals:
    """`eventlog.seals.chain.Seals` in the table `log_seals`. A link is used once: two sealers cannot both go on.

    Methods raise Unavailable, and Defect where the database refuses a statement.
    """

    def __init__(self, url: str) -> None:
        self._link = Link(url)

    async def add(self, new: Seal) -> None:
        """Keep a seal; durable when this returns. Raises Fenced where another sealer was first."""
        h = new.header
        values = (h.topic, h.partition, h.first_offset, h.next_offset, h.records, h.content, h.root)
        async with self._link.use() as connection:
            try:
                await connection.execute(
                    f"INSERT INTO log_seals ({COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)".encode(),
                    (*values, new.previous, new.chain),
                )
            except psycopg.errors.UniqueViolation:
                raise Fenced(f"{h.topic}:{h.partition} was sealed by another sealer") from None

    async def last(self) -> dict[TopicPartition, Seal]:
        """The newest seal of every partition."""
        async with self._link.use() as connection:
            cursor = await connection.execute(
                f"SELECT DISTINCT ON (topic, partition) {COLUMNS} FROM log_seals"
                " ORDER BY topic, partition, first_offset DESC".encode()
            )
            seals = [_seal(row) for row in await cursor.fetchall()]
        return {(seal.header.topic, seal.header.partition): seal for seal in seals}

    async def between(self, place: TopicPartition, begin: int, end: int) -> list[Seal]:
        """Seals of blocks that hold offsets in [begin, end), ascending."""
        async with self._link.use() as connection:
            cursor = await connection.execute(
                f"SELECT {COLUMNS} FROM log_seals WHERE topic = %s AND partition = %s AND next_offset > %s"
                " AND first_offset < %s ORDER BY first_offset".encode(),
                (*place, begin, end),
            )
            return [_seal(row) for row in await cursor.fetchall()]

    async def report(self, problem: str, every: float) -> None:
        """Say that a sealer is there, what it waits for, and in how many seconds it is heard of again."""
        async with self._link.use() as connection:
            await connection.execute(
                "INSERT INTO sealer_reports (problem, every, heard_at) VALUES (%s, %s, now()) ON CONFLICT (single)"
                " DO UPDATE SET problem = excluded.problem, every = excluded.every, heard_at = excluded.heard_at",
                (problem, every),
            )

    async def problem(self) -> str:
        """What is wrong with the sealer: what it says, or that nothing is heard of it. Empty where none ever began."""
        async with self._link.use(limit=2.0) as connection:
            cursor = await connection.execute(
                "SELECT problem, every, extract(epoch FROM now() - heard_at)::float8 FROM sealer_reports"
            )
            row = await cursor.fetchone()
        if row is None:
            return ""
        problem, every, silent = row
        late = silent > 3 * every + SILENT
        return f"the sealer was last heard of {silent:.0f} s ago" if late else str(problem)

    async def close(self) -> None:
        """Close the connection."""
        await self._link.close()


def _seal(row: tuple[Any, ...]) -> Seal:
    return Seal(Header(*row[:7]), *row[7:])
