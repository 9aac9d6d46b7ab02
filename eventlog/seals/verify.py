"""Verifying the log: its records against the seals, the seals against the signed checkpoints.

Reading and hashing go side by side: while one piece is hashed in a thread (which holds no interpreter lock for it),
the next one is read. A partition is followed up to its first fault; what lies beyond is not vouched for.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

from domain.errors import Defect, Invalid, Unavailable
from domain.events.record_runs import RunRecords
from domain.ports import Chunk, EventLog
from domain.position import Position, TopicPartition
from eventlog.read import STALLED, Reading
from eventlog.seals.chain import GENESIS, Seal, Seals, content
from eventlog.seals.checkpoints import Check, Checkpoint, Checkpoints, first_fault

READ_RECORDS = 65_536


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault: `code` is stable. The block is [first_offset, next_offset) of the partition, where it has a place."""

    code: str
    reason: str
    topic: str = ""
    partition: int = 0
    first_offset: int = 0
    next_offset: int = 0

    def as_json(self) -> dict[str, Any]:
        """For answers."""
        return asdict(self)


@dataclass(slots=True)
class Verdict:
    """What a verification covers: `records` were read and hashed up to `position`; `unsealed` lie beyond all seals."""

    findings: list[Finding] = field(default_factory=list)
    records: int = 0
    blocks: int = 0
    checkpoints: int = 0
    unsealed: int = 0
    reached: dict[TopicPartition, int] = field(default_factory=dict)
    chains: list[bytes] = field(default_factory=list)  # the last link verified of every partition
    notes: list[str] = field(default_factory=list)  # what is not as usual, and no fault

    @property
    def verified(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.findings

    @property
    def position(self) -> str:
        """Up to where every record was verified."""
        return str(Position(self.reached))

    def as_json(self) -> dict[str, Any]:
        """For answers."""
        members = {"records": self.records, "blocks": self.blocks, "checkpoints": self.checkpoints}
        findings = [finding.as_json() for finding in self.findings]
        return {
            "verified": self.verified,
            **members,
            "position": self.position,
            "unsealed": self.unsealed,
            "findings": findings,
            "notes": self.notes,
        }


@dataclass
class Partition:
    """One partition's blocks as they come in, against its seals."""

    place: TopicPartition
    seals: Sequence[Seal]
    finding: Finding | None = None
    done: int = 0  # seals that were found right
    records: int = 0
    _offsets: list[int] = field(default_factory=list)
    _values: RunRecords = field(default_factory=lambda: RunRecords(()))

    @property
    def begin(self) -> int:
        """The first offset that a seal covers."""
        return self.seals[0].header.first_offset

    @property
    def end(self) -> int:
        """The first offset that no seal covers."""
        return self.seals[-1].header.next_offset

    @property
    def reached(self) -> int:
        """Every record before this offset, from `begin` on, is as it was sealed."""
        return self.seals[self.done - 1].header.next_offset if self.done else self.begin

    @property
    def open(self) -> bool:
        """Whether there is more to read."""
        return self.finding is None and self.done < len(self.seals)

    def take(self, chunk: Chunk) -> None:
        """Hash every block that is complete with this chunk."""
        self._offsets += chunk.offsets
        self._values += RunRecords.of(chunk.values)
        begin = 0
        while self.open and self.seals[self.done].header.next_offset <= chunk.next_offset:
            end = bisect_left(self._offsets, self.seals[self.done].header.next_offset, begin)
            self._compare(self._offsets[begin:end], self._values[begin:end])
            begin = end
        del self._offsets[:begin]
        self._values = self._values[begin:]

    def _compare(self, offsets: Sequence[int], values: Sequence[bytes]) -> None:
        header = self.seals[self.done].header
        if len(values) != header.records:
            self.fault("records_differ", f"{len(values)} records where {header.records} were sealed")
        elif content(offsets, values) != header.content:
            self.fault("content_differs", "its records are not those that were sealed")
        else:
            self.done += 1
            self.records += len(values)

    def fault(self, code: str, reason: str) -> None:
        """Note what is wrong with the block that is to be verified next, or behind the last one."""
        if self.done == len(self.seals):
            block = self.end, self.end
            where = f"after offset {self.end - 1}"
        else:
            header = self.seals[self.done].header
            block = header.first_offset, header.next_offset
            where = f"offsets {block[0]} to {block[1] - 1}"
        self.finding = Finding(code, f"{self.place[0]}:{self.place[1]} {where}: {reason}", *self.place, *block)

    def check_chain(self, signed: Mapping[int, bytes]) -> None:
        """Check the links among themselves and with what was signed (next offset → link); the rest is cut off."""
        ends = {seal.header.next_offset: seal.chain for seal in self.seals}
        for number, seal in enumerate(self.seals):
            before = self.seals[number - 1] if number else None
            linked = before is None or (seal.previous, seal.header.first_offset) == (
                before.chain,
                before.header.next_offset,
            )
            if not seal.sound or not linked:
                self._cut(number, "seal_differs", "its seal is not the one that the chain goes on with")
                return
            if signed.get(seal.header.next_offset, seal.chain) != seal.chain:
                self._cut(number, "checkpoint_differs", "its seal is not the one that was signed")
                return
        missing = [offset for offset in signed if offset > self.begin and offset not in ends]
        if missing:
            after = (n for n, s in enumerate(self.seals) if s.header.next_offset > min(missing))
            self._cut(
                next(after, len(self.seals)),
                "seal_missing",
                f"a checkpoint names offset {min(missing)}, where no seal ends",
            )

    def _cut(self, number: int, code: str, reason: str) -> None:
        """Note the fault at one seal, or behind all of them; what comes before may still be verified."""
        self.done = number
        self.fault(code, reason)
        self.done = 0


@dataclass(frozen=True)
class Evidence:
    """What the log is verified against. `check` says whether a signature is the key's.

    `snapshots` tells what is wrong with copies of read models, which are signed by the same key.
    """

    seals: Seals
    checkpoints: Checkpoints
    check: Check
    snapshots: Callable[[], Awaitable[Sequence[str]]] | None = None


Report = Callable[[int, int], None]  # records verified, records in all


async def verify(
    log: EventLog, evidence: Evidence, topics: Sequence[str], begin: Position, end: Position | None, report: Report
) -> Verdict:
    """Verify what lies between two positions, in whole blocks; `end` None is the end of all seals.

    Where that is all of it, snapshots are verified as well.

    Raises Unavailable when the log or the seals do not answer. Faults are findings, not errors.
    """
    verdict = Verdict()
    signed = _signed(evidence, verdict)
    parts: dict[str, list[Partition]] = {}
    for topic in topics:
        starts, heads = await log.starts(topic), await log.heads(topic)
        for number, head in heads.items():
            place = (topic, number)
            stop = 2**62 if end is None else end[place]
            first = max(begin[place], starts[number])
            seals = await evidence.seals.between(place, first, stop)
            if seals and seals[0].header.first_offset < starts[number]:
                seals = seals[1:]  # retention has passed a part of this block
            elif seals and seals[0].header.first_offset > first and seals[0].previous != GENESIS:
                reason = f"{topic}:{number}: no seal covers offset {first}, though blocks before it were sealed"
                verdict.findings.append(Finding("seal_missing", reason, topic, number, first))
            own = {o: c for o, c in signed.get(place, {}).items() if first < o <= stop}
            _begin(verdict, parts.setdefault(topic, []), place, seals, own, head)
            sealed = seals[-1].header.next_offset if seals else first
            verdict.unsealed += max(0, head - sealed) if end is None else 0
    total = sum(seal.header.records for some in parts.values() for p in some for seal in p.seals)
    for topic, some in parts.items():
        await _read(log, topic, some, lambda: report(sum(p.records for s in parts.values() for p in s), total))
    _conclude(verdict, [p for some in parts.values() for p in some])
    if evidence.snapshots and not begin.offsets and end is None:
        verdict.findings += [Finding("snapshot_differs", reason) for reason in await evidence.snapshots()]
    return verdict


def _signed(evidence: Evidence, verdict: Verdict) -> dict[TopicPartition, dict[int, bytes]]:
    """Every link that a checkpoint names, by place and offset; faults of the checkpoints are findings."""
    try:
        checkpoints: list[Checkpoint] = evidence.checkpoints.all()
    except Invalid as error:
        verdict.findings.append(Finding("checkpoint_unreadable", str(error)))
        return {}
    if fault := first_fault(checkpoints, evidence.check):
        verdict.findings.append(Finding("checkpoint_invalid", fault))
        return {}
    for name in evidence.checkpoints.unfinished():
        verdict.notes.append(f"the last line of {name} was never written to its end: it was no checkpoint")
    verdict.checkpoints = len(checkpoints)
    signed: dict[TopicPartition, dict[int, bytes]] = {}
    for checkpoint in checkpoints:
        for place, head in checkpoint.heads.items():
            if signed.setdefault(place, {}).setdefault(head.next_offset, head.chain) != head.chain:
                reason = f"checkpoint {checkpoint.number} signs another history of {place[0]}:{place[1]}"
                verdict.findings.append(Finding("checkpoint_invalid", reason, *place))
    return signed


def _begin(
    verdict: Verdict,
    parts: list[Partition],
    place: TopicPartition,
    seals: list[Seal],
    signed: Mapping[int, bytes],
    head: int,
) -> None:
    if not seals:
        if signed:
            reason = f"{place[0]}:{place[1]}: checkpoints name offset {max(signed)}, and no seal is left"
            verdict.findings.append(Finding("seal_missing", reason, *place))
        return
    part = Partition(place, seals)
    part.check_chain(signed)
    if part.finding is not None:  # verify up to the bad seal; what is wrong there is known already
        verdict.findings.append(part.finding)
        bad = part.finding.first_offset
        part = Partition(place, [s for s in seals if s.header.next_offset <= bad])
        if not part.seals:
            return
    last = part.seals[-1].header.next_offset
    if head < last:
        usable = [seal for seal in part.seals if seal.header.next_offset <= head]
        reason = f"{place[0]}:{place[1]} ends at offset {head}, but was sealed up to {last}"
        verdict.findings.append(Finding("tail_missing", reason, *place, head, last))
        if not usable:
            return
        part = Partition(place, usable)
    parts.append(part)


async def _read(log: EventLog, topic: str, parts: Sequence[Partition], report: Callable[[], None]) -> None:
    """Read and hash until every partition is through or at its first fault."""
    by_number = {part.place[1]: part for part in parts}
    loop = asyncio.get_running_loop()
    hashing: asyncio.Future[None] = loop.create_future()
    hashing.set_result(None)
    with ThreadPoolExecutor(1, "verify") as pool:
        async with Reading(log, topic, {n: [(part.begin, part.end)] for n, part in by_number.items()}) as reading:
            while reading.left:
                chunks, unreadable = await _chunks(reading)
                await hashing
                for number, reason in unreadable.items():
                    if by_number[number].open:
                        by_number[number].fault("unreadable", reason)
                reading.left = {n: ranges for n, ranges in reading.left.items() if by_number[n].open}
                hashing = loop.run_in_executor(pool, _take, by_number, chunks)
                report()
            await hashing
            report()


def _take(parts: Mapping[int, Partition], chunks: Sequence[Chunk]) -> None:
    for chunk in chunks:
        parts[chunk.partition].take(chunk)


async def _chunks(reading: Reading) -> tuple[list[Chunk], dict[int, str]]:
    """What is there, and why partitions cannot be read: one that is damaged does not stop the others."""
    try:
        return await reading.read(READ_RECORDS), {}
    except Defect:
        pass
    except Unavailable as error:
        if error.code != STALLED:
            raise
        return [], dict.fromkeys(reading.left, str(error))
    read: list[Chunk] = []
    reasons: dict[int, str] = {}
    for number in list(reading.left):
        try:
            read += await reading.read(READ_RECORDS, [number])
        except Defect as error:
            reasons[number] = str(error)
    return read, reasons


def _conclude(verdict: Verdict, parts: Sequence[Partition]) -> None:
    for part in parts:
        if part.finding is not None:
            verdict.findings.append(part.finding)
        verdict.records += part.records
        verdict.blocks += part.done
        verdict.reached[part.place] = part.reached
        verdict.chains += [seal.chain for seal in part.seals[part.done - 1 : part.done]]
    verdict.findings.sort(key=lambda f: (f.topic, f.partition, f.first_offset))
