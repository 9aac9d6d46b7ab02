"""Records to append, and reading back what was appended."""

from __future__ import annotations

from collections.abc import Sequence

from domain.ports import Chunk, EventLog, LogReader, Record

YEAR_2099 = 4_070_908_800_000


def records(count: int, *, topic: str = "events", users: int = 20, start: int = 0, size: int = 0) -> list[Record]:
    """Numbered records, `size` bytes at least, over some users; their time is far in the future."""
    return [
        Record(topic, f"acme:u{i % users}".encode(), str(i).encode().ljust(size), YEAR_2099, {"message_type": b"test"})
        for i in range(start, start + count)
    ]


async def read_to_head(log: EventLog, topic: str = "events") -> list[Chunk]:
    """All chunks of the topic from its first offset to its head, with a reader of their own."""
    reader = log.reader(topic)
    position, heads = await log.starts(topic), await log.heads(topic)
    chunks: list[Chunk] = []
    while any(position[p] < heads[p] for p in heads):
        some = await reader.read(position, max_records=100_000, wait=1)
        position |= {chunk.partition: chunk.next_offset for chunk in some}
        chunks += some
    await reader.close()
    return chunks


def numbers(chunks: Sequence[Chunk]) -> dict[int, list[int]]:
    """The numbers of the records by partition, in log order."""
    found: dict[int, list[int]] = {}
    for chunk in chunks:
        found.setdefault(chunk.partition, []).extend(int(value) for value in chunk.values)
    return found


async def read_some(reader: LogReader, start: dict[int, int], *, wait: float = 5.0, most: int = 100_000) -> list[Chunk]:
    """One read with the usual limits."""
    return await reader.read(start, max_records=most, wait=wait)
