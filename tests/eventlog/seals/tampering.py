"""Changing the embedded log behind its back, as the owner of the database could."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from domain.events import record_runs

Run = tuple[int, int, int, bytes, bytes]  # partition id, first and last offset, sizes, records


@dataclass(frozen=True)
class Harm:
    """What was done: the partition and the first offset that is no longer what it was; `undo` puts it back."""

    kind: str
    partition_id: int
    offset: int
    undo: Callable[[], None]


def tamper(connection: psycopg.Connection, kind: str, chance: random.Random) -> Harm:
    """Do one kind of harm at a random place: flip, delete, reorder, truncate, insert or drop a run."""
    runs = connection.execute(
        "SELECT partition_id, first_offset, last_offset, sizes, records FROM log.runs WHERE last_offset > first_offset"
    ).fetchall()
    run: Run = chance.choice(runs)
    partition_id, first, last, sizes, records = run
    values = list(record_runs.RunRecords([record_runs.Run(sizes, records)]))
    if kind == "truncate":
        return _truncate(connection, partition_id, chance)
    index = chance.randrange(len(values))
    if kind == "flip":
        place, bit = chance.randrange(len(values[index])), 1 << chance.randrange(8)
        changed = values[index][:place] + bytes([values[index][place] ^ bit]) + values[index][place + 1 :]
        new = [*values[:index], changed, *values[index + 1 :]]
    elif kind == "delete":
        new = [*values[:index], *values[index + 1 :]]
    elif kind == "reorder":
        other = next((i for i in range(len(values)) if values[i] != values[index]), None)
        assert other is not None
        new = list(values)
        new[index], new[other] = new[other], new[index]
        index = min(index, other)
    else:
        assert kind == "drop-run"
        connection.execute("DELETE FROM log.runs WHERE partition_id = %s AND last_offset = %s", (partition_id, last))
        return Harm(kind, partition_id, first, lambda: _insert(connection, run))
    _store(connection, run, new)
    return Harm(kind, partition_id, first + index, lambda: _store(connection, run, values))


def _store(connection: psycopg.Connection, run: Run, values: list[bytes]) -> None:
    sizes = struct.pack(f"<{len(values)}I", *map(len, values))
    connection.execute(
        "UPDATE log.runs SET sizes = %s, records = %s WHERE partition_id = %s AND last_offset = %s",
        (sizes, b"".join(values), run[0], run[2]),
    )


def _insert(connection: psycopg.Connection, run: Run) -> None:
    connection.execute(
        "INSERT INTO log.runs (partition_id, first_offset, last_offset, appended_at, sizes, records)"
        " VALUES (%s, %s, %s, now(), %s, %s)",
        run,
    )


def _truncate(connection: psycopg.Connection, partition_id: int, chance: random.Random) -> Harm:
    """Take the newest records away, and let the log believe that it ends before them."""
    (head,) = connection.execute(
        "SELECT next_offset FROM log.partitions WHERE id = %s", (partition_id,)
    ).fetchone() or (0,)
    cut = chance.randrange(head)

    def set_head(offset: int) -> None:
        connection.execute("UPDATE log.partitions SET next_offset = %s WHERE id = %s", (offset, partition_id))

    set_head(cut)
    return Harm("truncate", partition_id, cut, lambda: set_head(head))
