"""What every event log promises, whatever keeps it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest

from domain.errors import Defect, LimitExceeded
from domain.events.partitioning import partition_of
from domain.ports import Chunk, EventLog, Placed
from tests.support.event_logs import read_all, record
from tests.support.waiting import happens


def numbers_of(key: str, found: dict[int, list[tuple[int, bytes]]]) -> list[int]:
    """The numbers behind the colon of the values that begin with this key, in the order read."""
    partition = partition_of(key.encode(), len(found))
    return [int(value.split(b":")[1]) for _, value in found[partition] if value.startswith(key.encode() + b":")]


async def test_what_is_appended_lies_where_the_answer_says(event_log: EventLog, topic: str) -> None:
    """Places come in the order of the records, and the reader finds each record at its place."""
    records = [record(topic, f"k{n % 7}", f"value {n}") for n in range(200)]
    placed = await event_log.append(records)
    found = {(p, offset): value for p, rows in (await read_all(event_log, topic)).items() for offset, value in rows}
    assert [found[place.partition, place.offset] for place in placed] == [one.value for one in records]
    assert {place.topic for place in placed} == {topic}
    assert len(found) == len(records)


async def test_keys_go_to_the_partition_that_the_common_rule_names(event_log: EventLog, topic: str) -> None:
    """All adapters and producers agree on the partition of a key."""
    keys = [f"company:{n}" for n in range(50)]
    placed = await event_log.append([record(topic, key, "x") for key in keys])
    assert [place.partition for place in placed] == [partition_of(key.encode(), 4) for key in keys]


async def test_records_of_a_key_keep_their_order(event_log: EventLog, topic: str) -> None:
    """Within one call and over successive calls."""
    for start in range(0, 300, 30):
        await event_log.append([record(topic, f"k{n % 5}", f"k{n % 5}:{n}") for n in range(start, start + 30)])
    found = await read_all(event_log, topic)
    for key in range(5):
        assert numbers_of(f"k{key}", found) == list(range(key, 300, 5))


async def test_concurrent_appends_all_arrive_once(event_log: EventLog, other_log: EventLog, topic: str) -> None:
    """Two processes with many appends under way lose nothing, double nothing and keep each call's order."""

    async def appended(log: EventLog, key: str) -> None:
        for start in range(0, 60, 6):
            await log.append([record(topic, key, f"{key}:{n}") for n in range(start, start + 6)])

    await asyncio.gather(*(appended((event_log, other_log)[n % 2], f"writer{n}") for n in range(20)))
    found = await read_all(event_log, topic)
    for writer in range(20):
        assert numbers_of(f"writer{writer}", found) == list(range(60))


async def test_a_transaction_over_several_topics(event_log: EventLog, topic: str) -> None:
    """One call may hold records of several topics; the places tell them apart."""
    second = f"{topic}-second"
    await event_log.create_topics({second: 2})
    placed = await event_log.append([record((topic, second)[n % 2], "k", f"{n}") for n in range(10)])
    assert [place.topic for place in placed] == [topic, second] * 5
    rows = (await read_all(event_log, second))[partition_of(b"k", 2)]
    assert [value for _, value in rows] == [b"1", b"3", b"5", b"7", b"9"]


async def test_nothing_appended_is_nothing_answered(event_log: EventLog) -> None:
    """An empty call is no error."""
    assert await event_log.append([]) == []


async def test_heads_and_starts_bound_what_is_there(event_log: EventLog, topic: str) -> None:
    """An empty topic starts where it ends; each record moves the head of its partition."""
    assert await event_log.starts(topic) == await event_log.heads(topic) == {0: 0, 1: 0, 2: 0, 3: 0}
    placed = await event_log.append([record(topic, f"k{n}", "x") for n in range(40)])
    heads = await event_log.heads(topic)
    last = {place.partition: place.offset for place in placed}
    assert all(heads[partition] > offset for partition, offset in last.items())
    assert await event_log.starts(topic) == {0: 0, 1: 0, 2: 0, 3: 0}


async def test_creating_topics_again_changes_nothing(event_log: EventLog, topic: str) -> None:
    """An existing topic keeps its partitions and its records."""
    await event_log.append([record(topic, "k", "kept")])
    await event_log.create_topics({topic: 8})
    assert len(await event_log.heads(topic)) == 4
    assert sum(map(len, (await read_all(event_log, topic)).values())) == 1


async def test_reading_begins_at_any_offset(event_log: EventLog, topic: str) -> None:
    """Every place that an append answered is one to start from, in the middle of what was appended together too."""
    placed = await event_log.append([record(topic, "k", f"{n}") for n in range(100)])
    reader = event_log.reader(topic)
    for number in (99, 0, 57, 56, 58):
        chunks = await reader.read({placed[number].partition: placed[number].offset}, max_records=3, wait=5)
        assert [value for chunk in chunks for value in chunk.values] == [
            str(n).encode() for n in range(number, min(number + 3, 100))
        ]
    await reader.close()


async def test_max_records_bounds_a_read_over_all_partitions(event_log: EventLog, topic: str) -> None:
    """And small reads, one after the other, meet every record once."""
    placed = await event_log.append([record(topic, f"k{n}", f"{n}") for n in range(100)])
    reader, position = event_log.reader(topic), dict.fromkeys(range(4), 0)
    seen: list[Placed] = []
    while len(seen) < len(placed):
        chunks = await reader.read(position, max_records=7, wait=5)
        assert 0 < sum(len(chunk.values) for chunk in chunks) <= 7
        for chunk in chunks:
            seen += [Placed(topic, chunk.partition, offset) for offset in chunk.offsets]
            position[chunk.partition] = chunk.next_offset
    await reader.close()
    key = lambda place: (place.partition, place.offset)  # noqa: E731 (a name for a key)
    assert sorted(seen, key=key) == sorted(placed, key=key)


async def test_a_chunk_describes_itself(event_log: EventLog, topic: str) -> None:
    """Offsets ascend beside their values, reading goes on behind the last, head and time of writing are known."""
    before = int(time.time() * 1000)
    await event_log.append([record(topic, "k", f"{n}") for n in range(20)])
    partition = partition_of(b"k", 4)
    (chunk,) = await _read(event_log, topic, {partition: 0})
    assert chunk.partition == partition
    assert len(chunk.offsets) == len(chunk.values) == 20
    assert list(chunk.offsets) == sorted(set(chunk.offsets))
    assert chunk.offsets[-1] < chunk.next_offset <= chunk.head
    assert before - 1000 <= chunk.appended_at <= int(time.time() * 1000) + 1000


async def test_a_reader_at_the_head_waits_and_returns_nothing(event_log: EventLog, topic: str) -> None:
    """It waits as long as it was told, not shorter and not much longer."""
    reader = event_log.reader(topic)
    began = time.monotonic()
    assert await reader.read(await event_log.heads(topic), max_records=10, wait=0.3) == []
    assert 0.25 <= time.monotonic() - began < 3
    await reader.close()


async def test_an_append_wakes_a_waiting_reader(event_log: EventLog, other_log: EventLog, topic: str) -> None:
    """A reader that waits sees a record soon after another process appended it."""
    reader = event_log.reader(topic)
    waiting = asyncio.create_task(reader.read(await event_log.heads(topic), max_records=10, wait=20))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await other_log.append([record(topic, "k", "news")])
    began = time.monotonic()
    (chunk,) = await waiting
    assert time.monotonic() - began < 2
    assert list(chunk.values) == [b"news"]
    await reader.close()


async def test_an_offset_beyond_the_head_is_a_defect(event_log: EventLog, topic: str) -> None:
    """It is said, never a silent jump to somewhere else."""
    await event_log.append([record(topic, "k", "x")])
    with pytest.raises(Defect):
        await _read(event_log, topic, {partition_of(b"k", 4): 1_000})


async def test_a_record_of_one_megabyte_goes_through(event_log: EventLog, topic: str) -> None:
    """The largest event that the doors take, bit for bit, with small neighbours."""
    large = bytes(range(256)) * 4096
    await event_log.append([record(topic, "k", b"before"), record(topic, "k", large), record(topic, "k", b"after")])
    rows = (await read_all(event_log, topic))[partition_of(b"k", 4)]
    assert [value for _, value in rows] == [b"before", large, b"after"]


async def test_an_empty_value_is_a_record(event_log: EventLog, topic: str) -> None:
    """It takes an offset like any other."""
    await event_log.append([record(topic, "k", b""), record(topic, "k", b"x"), record(topic, "k", b"")])
    rows = (await read_all(event_log, topic))[partition_of(b"k", 4)]
    assert [value for _, value in rows] == [b"", b"x", b""]


async def test_a_record_too_large_is_refused(event_log: EventLog, topic: str) -> None:
    """LimitExceeded, and the log goes on working."""
    with pytest.raises(LimitExceeded):
        await event_log.append([record(topic, "k", b"x" * 5_000_000)])
    await event_log.append([record(topic, "k", b"small")])
    rows = (await read_all(event_log, topic))[partition_of(b"k", 4)]
    assert [value for _, value in rows] == [b"small"]


@pytest.mark.slow
async def test_members_share_the_partitions_and_hand_them_over(
    event_log: EventLog, other_log: EventLog, topic: str
) -> None:
    """Together they own all, never the same; who leaves gives everything to those who stay."""
    everything = frozenset((topic, partition) for partition in range(4))
    first = await event_log.join(f"group-{topic}", [topic])
    await happens(lambda: first.assigned() == everything)
    second = await other_log.join(f"group-{topic}", [topic])
    await happens(lambda: bool(second.assigned()) and first.assigned() | second.assigned() == everything)
    await happens(lambda: not first.assigned() & second.assigned())
    assert len(first.assigned()) == len(second.assigned()) == 2
    await first.leave()
    assert first.assigned() == frozenset()
    await happens(lambda: second.assigned() == everything)
    await second.leave()


@pytest.mark.slow
async def test_a_member_is_told_of_a_change(event_log: EventLog, other_log: EventLog, topic: str) -> None:
    """`wait_changed` returns False when nothing happens in time, True when the assignment changes."""
    first = await event_log.join(f"group-{topic}", [topic])
    await happens(lambda: len(first.assigned()) == 4)
    while await first.wait_changed(0.5):
        pass
    change = asyncio.create_task(first.wait_changed(30))
    second = await other_log.join(f"group-{topic}", [topic])
    assert await change
    await second.leave()
    await first.leave()


async def test_closing_lets_an_append_under_way_finish(event_log: EventLog, other_log: EventLog, topic: str) -> None:
    """What was handed in before `close` is durable, and its caller is told."""
    under_way = asyncio.create_task(event_log.append([record(topic, "k", f"{n}") for n in range(500)]))
    await asyncio.sleep(0)
    await event_log.close()
    assert len(await under_way) == 500
    assert sum(map(len, (await read_all(other_log, topic)).values())) == 500


async def _read(log: EventLog, topic: str, start: dict[int, int]) -> Sequence[Chunk]:
    """One read with a reader of its own."""
    reader = log.reader(topic)
    try:
        return await reader.read(start, max_records=1_000, wait=5)
    finally:
        await reader.close()
