"""What the embedded log promises beyond the port: offsets in commit order, no holes, leases, honest damage reports."""

from __future__ import annotations

import asyncio
import time

import psycopg
import pytest

from adapters.postgres.log import wakeups
from adapters.postgres.log.log import EmbeddedLog
from adapters.postgres.log.membership import shares
from adapters.postgres.log.runs import APPEND, Runs
from domain.errors import Defect, NotFound
from tests.support.event_logs import OpenLog, read_all, record

ALL = {("t", partition) for partition in range(4)}


async def opened(open_embedded_log: OpenLog, partitions: int = 1) -> EmbeddedLog:
    """An embedded log with a topic `t`."""
    log = await open_embedded_log()
    assert isinstance(log, EmbeddedLog)
    await log.create_topics({"t": partitions})
    return log


@pytest.mark.parametrize("ending", ["commit", "rollback"])
async def test_a_slow_committer_never_makes_a_reader_skip(
    open_embedded_log: OpenLog, database_url: str, ending: str
) -> None:
    """Who appends behind it waits: its records come after, and after a rollback there is no hole."""
    log = await opened(open_embedded_log)
    reader = log.reader("t")
    async with await psycopg.AsyncConnection.connect(database_url) as slow:
        await slow.execute(APPEND, _one_record(await _partition_id(slow), b"slow"))
        fast = asyncio.create_task(log.append([record("t", "k", "fast")]))
        assert await reader.read({0: 0}, max_records=10, wait=0.4) == []
        assert not fast.done()
        await (slow.commit() if ending == "commit" else slow.rollback())
    (place,) = await fast
    expected = [b"slow", b"fast"] if ending == "commit" else [b"fast"]
    assert [value for _, value in (await read_all(log, "t"))[0]] == expected
    assert place.offset == len(expected) - 1
    await reader.close()
    await log.close()


async def test_an_append_that_was_not_heard_is_seen(open_embedded_log: OpenLog, database_url: str) -> None:
    """Without a word to those who listen, and where the connection that listens was cut off a moment before."""
    log = await opened(open_embedded_log)
    reader, silent = log.reader("t"), APPEND.replace(", pg_notify('log_append', topic)::text", "")
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%next_offset) from log.partitions%'"
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as other:
        for number, statement in enumerate((silent, silent, APPEND)):
            waiting = asyncio.create_task(reader.read({0: number}, max_records=10, wait=30))
            await asyncio.sleep(0.4)  # by then it listens
            if number:
                await other.execute(cut + " AND pid <> pg_backend_pid() AND datname = current_database()")
            await other.execute(statement, _one_record(await _partition_id(other), b"%d" % number))
            async with asyncio.timeout(10):
                (chunk,) = await waiting
            assert list(chunk.values) == [b"%d" % number]
    await reader.close()
    await log.close()


async def test_what_is_heard_needs_no_look(open_embedded_log: OpenLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Appends wake readers that wait, also while nobody ever looks again."""
    monkeypatch.setattr(wakeups, "LOOK_AGAIN", 3_600.0)
    log, other = await opened(open_embedded_log), await open_embedded_log()
    reader = log.reader("t")
    for number in range(3):
        waiting = asyncio.create_task(reader.read({0: number}, max_records=10, wait=30))
        await asyncio.sleep(0.4)  # by then it listens
        await other.append([record("t", "k", str(number))])
        async with asyncio.timeout(10):
            (chunk,) = await waiting
        assert list(chunk.values) == [b"%d" % number]
    await reader.close()
    for each in (log, other):
        await each.close()


@pytest.mark.slow
async def test_writers_of_several_partitions_do_not_block_each_other_for_ever(open_embedded_log: OpenLog) -> None:
    """Two processes that touch all partitions in different orders never deadlock."""
    first, second = await opened(open_embedded_log, 8), await opened(open_embedded_log, 8)
    keys = [f"k{n}" for n in range(40)]
    for _ in range(30):
        await asyncio.gather(
            first.append([record("t", key, "x") for key in keys]),
            second.append([record("t", key, "x") for key in reversed(keys)]),
        )
    assert sum(map(len, (await read_all(first, "t")).values())) == 2 * 30 * len(keys)
    await first.close()
    await second.close()


async def test_large_records_are_read_in_bounded_portions(open_embedded_log: OpenLog) -> None:
    """One read never holds much more than 32 MB, however many records are asked for."""
    log = await opened(open_embedded_log)
    for _ in range(5):
        await log.append([record("t", "k", b"x" * 1_000_000) for _ in range(10)])
    reader, offset, sizes = log.reader("t"), 0, []
    while offset < 50:
        (chunk,) = await reader.read({0: offset}, max_records=1_000, wait=0)
        sizes.append(sum(map(len, chunk.values)))
        offset = chunk.next_offset
    assert sum(sizes) == 50_000_000
    assert max(sizes) <= 35_000_000
    await reader.close()
    await log.close()


async def test_an_offset_that_retention_has_passed_is_out_of_range(
    open_embedded_log: OpenLog, database_url: str
) -> None:
    """Reading goes on only from what is there, and only if it is asked to."""
    log = await opened(open_embedded_log)
    for number in range(3):
        await log.append([record("t", "k", f"{number}")])
    _run(database_url, "delete from log.runs where last_offset < 2", "update log.partitions set first_offset = 2")
    reader = log.reader("t")
    with pytest.raises(Defect) as error:
        await reader.read({0: 1}, max_records=10, wait=0)
    assert error.value.code == "out_of_range"
    assert await log.starts("t") == {0: 2}
    (chunk,) = await reader.read({0: 2}, max_records=10, wait=0)
    assert list(chunk.values) == [b"2"]
    await reader.close()
    await log.close()


async def test_a_missing_run_is_reported_and_never_skipped(open_embedded_log: OpenLog, database_url: str) -> None:
    """What lies before the damage can be read; then the reader stops and says where."""
    log = await opened(open_embedded_log)
    for number in range(5):
        await log.append([record("t", "k", f"{number}")])
    _run(database_url, "delete from log.runs where last_offset = 3")
    reader = log.reader("t")
    (chunk,) = await reader.read({0: 0}, max_records=10, wait=0)
    assert (list(chunk.values), chunk.next_offset) == ([b"0", b"1", b"2"], 3)
    with pytest.raises(Defect) as error:
        await reader.read({0: 3}, max_records=10, wait=0)
    assert error.value.code == "damaged_log"
    await reader.close()
    await log.close()


async def test_topics_are_created_once_however_many_try(open_embedded_log: OpenLog) -> None:
    """The first one decides how many partitions there are."""
    logs = [await open_embedded_log() for _ in range(4)]
    await asyncio.gather(*(log.create_topics({"t": number + 2}) for number, log in enumerate(logs)))
    heads = [await log.heads("t") for log in logs]
    assert all(found == heads[0] for found in heads)
    assert len(heads[0]) in (2, 3, 4, 5)
    for log in logs:
        await log.close()


async def test_an_unknown_topic_is_not_found(open_embedded_log: OpenLog) -> None:
    """For readers and for writers; the error says what to do."""
    log = await open_embedded_log()
    with pytest.raises(NotFound, match="nowhere"):
        await log.append([record("nowhere", "k", "x")])
    with pytest.raises(NotFound):
        await log.heads("nowhere")
    await log.close()


async def test_a_silent_member_loses_its_partitions_when_its_lease_ends(
    open_embedded_log: OpenLog, database_url: str
) -> None:
    """A worker that was killed, or sleeps, is replaced without anybody's doing."""
    log = await opened(open_embedded_log, 4)
    _run(
        database_url,
        "insert into log.members (group_name, worker, topics, expires_at)"
        " values ('g', 'silent', array['t'], now() + interval '1 second')",
    )
    member = await log.join("g", ["t"])
    assert len(member.assigned()) == 2
    assert await member.wait_changed(10)
    assert member.assigned() == ALL
    await member.leave()
    await log.close()


async def test_a_member_that_slept_owns_nothing(open_embedded_log: OpenLog) -> None:
    """It knows by its own clock that the others have taken over; awake again, it gets its share back."""
    log = await opened(open_embedded_log, 4)
    member = await log.join("g", ["t"])
    assert member.assigned() == ALL
    time.sleep(5.2)  # noqa: ASYNC251 (the whole process sleeps, as after SIGSTOP)
    assert member.assigned() == frozenset()
    assert await member.wait_changed(10)
    assert await member.wait_changed(10)
    assert member.assigned() == ALL
    await member.leave()
    await log.close()


def test_partitions_are_dealt_out_evenly_to_those_who_take_part() -> None:
    """Each partition has one owner; members that read other topics get none of it."""
    partitions = [(topic, number) for topic in ("a", "b") for number in range(4)]
    owned = shares(partitions, [("eldest", ["a", "b"]), ("middle", ["a"]), ("youngest", ["a", "b"])])
    assert sorted(partition for found in owned.values() for partition in found) == partitions
    assert all(topic == "a" for topic, _ in owned["middle"])
    assert all(len(found) >= 1 for found in owned.values())
    assert shares(partitions, []) == {}


async def _partition_id(connection: psycopg.AsyncConnection[tuple[int, ...]]) -> int:
    row = await (await connection.execute("select id from log.partitions where topic = 't'")).fetchone()
    assert row is not None
    return row[0]


def _one_record(partition_id: int, value: bytes) -> dict[str, object]:
    runs = Runs()
    runs.add(partition_id, [value])
    return runs.parameters()


def _run(database_url: str, *statements: str) -> None:
    with psycopg.connect(database_url) as connection:
        for statement in statements:
            connection.execute(statement.encode())
