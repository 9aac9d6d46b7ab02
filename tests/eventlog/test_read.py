"""The one loop that reads the log to a goal: exactly its ranges, and an error where the log gives nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from adapters.files.checkpoint_key import checker
from adapters.postgres.log.log import EmbeddedLog
from domain.access.rights import OPERATOR
from domain.errors import Defect, Unavailable
from domain.ports import Chunk, EventLog, Placed
from domain.position import Position, TopicPartition
from eventlog import read
from eventlog.read import STALLED, Range, Reading, between
from eventlog.seals.chain import GENESIS, Seal, seal
from eventlog.seals.checkpoints import Checkpoint, Head, signed
from eventlog.seals.proof import prove
from eventlog.seals.verify import Evidence, verify
from eventlog.search.criteria import Scanned
from eventlog.search.search import EventSearch, Search
from projections.engine.declare.registry import all_projections
from projections.engine.past.history import History
from projections.engine.project.batch_size import BatchSizer
from projections.engine.project.catch_up import CatchUp
from projections.engine.project.cohort import Cohort
from projections.engine.project.tenant_lag import lag_by_tenant
from projections.engine.query.request import Past
from projections.engine.rebuild import LogRange, work
from projections.engine.store.port import Aside, ProjectionStatus, Refusal
from tests.support.event_logs import record


@dataclass
class Sparse:
    """A log of one topic in memory: any offsets, in chunks of any size, as brokers give them."""

    records: Mapping[int, Sequence[int]]
    heads: Mapping[int, int]
    sizes: Sequence[int]
    reads: int = 0

    def reader(self, _topic: str) -> Sparse:
        return self

    async def read(self, start: Mapping[int, int], *, max_records: int, wait: float) -> list[Chunk]:
        chunks = []
        for partition, first in start.items():
            self.reads += 1
            most = min(max_records, self.sizes[self.reads % len(self.sizes)])
            if not most:
                continue
            offsets = [o for o in self.records[partition] if o >= first][:most]
            last = len(offsets) < most
            following = self.heads[partition] if last else offsets[-1] + 1
            if following > first:
                values = [b"%d" % offset for offset in offsets]
                chunks.append(Chunk(partition, offsets, values, following, 0, self.heads[partition]))
        return chunks

    async def close(self) -> None:
        """Nothing to give back."""


@st.composite
def sparse_logs(draw: st.DrawFn) -> tuple[Sparse, dict[int, list[Range]]]:
    """A log and what of it is to be read."""
    records, heads, ranges = {}, {}, {}
    for partition in range(draw(st.integers(1, 3))):
        offsets = sorted(draw(st.sets(st.integers(0, 40), max_size=30)))
        heads[partition] = 41 + draw(st.integers(0, 3))
        records[partition] = offsets
        edges = sorted(draw(st.lists(st.integers(0, heads[partition]), max_size=6)))
        ranges[partition] = list(zip(edges[::2], edges[1::2], strict=False))
    sizes = draw(st.lists(st.integers(0, 7), min_size=1, max_size=5).filter(any))
    return Sparse(records, heads, sizes), ranges


@given(sparse_logs(), st.integers(1, 9))
def test_every_record_of_the_ranges_comes_once_in_order_and_no_other(
    some: tuple[Sparse, dict[int, list[Range]]], most: int
) -> None:
    """However sparse the offsets are, and whatever a read gives."""
    log, ranges = some

    async def run() -> dict[int, list[int]]:
        seen: dict[int, list[int]] = {partition: [] for partition in ranges}
        async with Reading(log, "t", ranges) as reading:  # type: ignore[arg-type]  # of a log only its reader is used
            while reading.left:
                for chunk in await reading.read(most):
                    seen[chunk.partition] += chunk.offsets
                    assert list(chunk.values) == [b"%d" % offset for offset in chunk.offsets]
        return seen

    with patch.object(read, "BREATH", 0):
        seen = asyncio.run(run())
    assert seen == {
        partition: [o for first, stop in some for o in log.records[partition] if first <= o < stop]
        for partition, some in ranges.items()
    }


async def test_a_log_is_read_to_the_goal_and_not_beyond(event_log: EventLog, topic: str) -> None:
    """Several partitions of a real log; what is appended behind the goal is not read."""
    await event_log.append([record(topic, f"k{n}", f"v{n}") for n in range(500)])
    heads = await event_log.heads(topic)
    await event_log.append([record(topic, f"k{n}", "late") for n in range(100)])
    values = []
    async with Reading(event_log, topic, between(await event_log.starts(topic), heads)) as reading:
        while reading.left:
            values += [value for chunk in await reading.read(70) for value in chunk.values]
    assert sorted(values) == sorted(f"v{n}".encode() for n in range(500))


async def test_a_range_that_the_log_does_not_hold_is_an_error_to_show(event_log: EventLog, topic: str) -> None:
    await event_log.append([record(topic, "k", "v")])
    heads = await event_log.heads(topic)
    async with Reading(event_log, topic, {0: [(heads[0] + 5, heads[0] + 9)]}) as reading:
        with pytest.raises(Defect):
            await reading.read(10)


TRADES, END = "trading-events", 8
TRADING = all_projections()["trading"]
GOAL = Position({(TRADES, 0): END})
KEY = Ed25519PrivateKey.generate()


@dataclass
class Silent:
    """A log that knows of its records and gives none of them: at once and for ever, or by never answering."""

    log: EventLog
    hangs: bool

    def __getattr__(self, name: str) -> Any:
        return getattr(self.log, name)

    def reader(self, _topic: str) -> Silent:
        return self

    async def read(self, _start: object, *, max_records: int, wait: float) -> list[Chunk]:
        if self.hangs:
            await asyncio.sleep(3_600)
        return []

    async def close(self) -> None:
        """The log is closed by who opened it."""


class Around:
    """What stands around the log: one seal and its checkpoint, a share to be rebuilt, admission's decisions."""

    seal = seal((TRADES, 0), (0, END), range(END), [b"v"] * END, GENESIS)
    checkpoint = signed(None, 1, "k", {(TRADES, 0): Head(END, seal.chain)}, KEY.sign)

    def __init__(self) -> None:
        self._shares = [LogRange(0, TRADES, 0, 0, 0, END)]

    async def between(self, _place: TopicPartition, _begin: int, _end: int) -> list[Seal]:
        return [self.seal]

    def all(self) -> list[Checkpoint]:
        return [self.checkpoint]

    def unfinished(self) -> list[str]:
        return []

    def claim(self) -> LogRange | None:
        return self._shares.pop() if self._shares else None

    def set_aside(self, _topic: str, _ranges: object) -> Aside:
        return Aside(frozenset(), {})

    def commit(self, _commit: object) -> Sequence[Refusal]:
        """Kept nowhere, and nothing is refused."""
        return ()


async def _prove(log: Any, around: Any) -> None:
    await prove(log, around, around, (TRADES, 0), 3)


async def _verify(log: Any, around: Any) -> None:
    verdict = await verify(
        log, Evidence(around, around, checker(KEY.public_key())), [TRADES], Position(), GOAL, lambda _a, _b: None
    )
    raise Unavailable(verdict.findings[0].reason, code=STALLED)  # a finding of its own: others are looked for further


async def _history(log: Any, around: Any) -> None:
    history = History(log, around, most=100)
    async for _ in history.read(TRADING, "acme", Past(), Position(), GOAL, Scanned()):
        pass


async def _catch_up(log: Any, around: Any) -> None:
    async def announce(_commit: object) -> None:
        """Nobody listens."""

    behind = CatchUp(TRADES, Cohort([], {0: 0}), log, around, BatchSizer(100), announce, lambda: None)
    await behind.run(lambda: {0: END}, 0, asyncio.Event())


async def _rebuild(log: Any, around: Any) -> None:
    await work(TRADING, log, around, lambda: True)


async def _lag(log: Any, _around: Any) -> None:
    stored = ProjectionStatus("trading", 1, "running", {}, 0, 0, 0.0, None)
    await lag_by_tenant(log, [stored], GOAL, most=100)


async def _event(log: Any, _around: Any) -> None:
    await EventSearch(log).at(OPERATOR, Placed(TRADES, 0, 3))


async def _search(log: Any, _around: Any) -> None:
    search = EventSearch(log)
    await search.first(await search.walk(OPERATOR, Search(topics=[TRADES])), 10)


Reads = Callable[[Any, Any], Awaitable[None]]
READERS: tuple[Reads, ...] = (
    _prove,
    _verify,
    _history,
    _catch_up,
    _rebuild,
    _lag,
    _event,
    _search,
)


@pytest.mark.parametrize("hangs", [False, True])
async def test_whoever_reads_to_a_goal_is_told_when_the_log_gives_nothing(
    database_url: str, monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    """Every reader: none waits for ever, none takes what it got for the whole."""
    monkeypatch.setattr(read, "PATIENCE", 0.3)
    log = EmbeddedLog(database_url)
    try:
        await log.create_topics({TRADES: 1})
        await log.append([record(TRADES, "k", "v") for _ in range(END)])
        for reads in READERS:
            with pytest.raises(Unavailable, match=f"{TRADES}|waited for"):
                await asyncio.wait_for(reads(Silent(log, hangs), Around()), 60)
    finally:
        await log.close()
