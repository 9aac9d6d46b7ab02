"""Past: what a registered query would have answered, and which events stand behind a measure.

The rows of one company are folded anew from the log (from the nearest snapshot on) into scratch tables, which live for
one question; the query's own statement is then run on those. So every query has a past, and none has code for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

from domain.access.rights import Member
from domain.audit import SYSTEM
from domain.errors import Defect
from domain.ports import Answer
from domain.position import Position
from eventlog.search.criteria import NEVER, Scanned
from projections.engine.declare.projection import Projection
from projections.engine.declare.registry import projection as declared
from projections.engine.fold.admission import Facts
from projections.engine.past.history import DecisionsAndRefusals, History, LogPlace
from projections.engine.query.ask import answer
from projections.engine.query.formatting import show_time
from projections.engine.query.plain import names_in
from projections.engine.query.request import Past, Question
from projections.engine.rebuild import Folding
from projections.engine.store.port import Changes, FoldFailed

QueryRows = tuple[Sequence[str], Sequence[tuple[Any, ...]]]  # column names, rows


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A stored copy of a projection's rows at a position. `latest`: event time (ms) after which nothing in it lies."""

    projection: str
    version: int
    number: int
    position: Position
    latest: int | None


class Scratch(Protocol):
    """Tables for one question. Blocking; raises Unavailable, LimitExceeded when a statement takes too long."""

    def snapshots(self, projection: Projection) -> Sequence[Snapshot]:
        """The snapshots of this projection that its declaration can go on from."""
        ...

    def sound(self, projection: Projection, snapshot: Snapshot, company: str) -> bool:
        """Whether the company's rows of a snapshot are those that it was taken with."""
        ...

    def refused(
        self, projection: Projection, company: str, base: Snapshot | None, history: Sequence[tuple[str, Facts]]
    ) -> frozenset[LogPlace]:
        """Places of the events that fold or tables refuse, of facts by topic, after the company's rows of a snapshot.

        Raises FoldFailed where they are so many that the projection's code is wrong.
        """
        ...

    def filled(
        self, projection: Projection, company: str, base: Snapshot | None, more: Changes, member: Member | None = None
    ) -> AbstractContextManager[ScratchTables]:
        """Tables with the company's rows of a snapshot and what was folded since; they are gone afterwards.

        For a member only those rows are left that are its own. Raises Forbidden when a table without such is asked.
        """
        ...


class ScratchTables(Protocol):
    """The tables while they are there."""

    def select(self, statement: str, params: Sequence[object]) -> QueryRows:
        """Run one SELECT; `{name}` stands for the declared table of that name."""
        ...

    def copy(self, create: str, copy: str, csv: bytes) -> None:
        """Make one more temporary table and fill it."""
        ...


@dataclass
class PastStore:
    """`domain.ports.ReadStore` of one company's past: its questions are answered from rows made for them.

    Those of a `member` see its own rows alone.
    """

    history: History
    scratch: Scratch
    company: str
    past: Past
    member: Member | None = None
    scanned: Scanned = field(default_factory=Scanned)
    _turns: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _made: dict[str, tuple[Position, Snapshot | None, Changes]] = field(default_factory=dict, init=False)

    async def ask(self, company: str, projection: str, statement: str, params: Sequence[object]) -> Answer:
        """Run one SELECT over the projection's tables as they were.

        Events that the projection refuses are left out. Raises Defect for another company and where those are too
        many, NotFound, LimitExceeded, Unavailable.
        """
        if company == SYSTEM != self.company and declared(projection).shared:
            return await self._everybodys.ask(company, projection, statement, params)
        if company != self.company:
            raise Defect(f"the past of {self.company} was asked about {company}")
        declaration = declared(projection)
        async with self._turns:  # the parts of a composed query share the scratch tables' session
            try:
                goal, (columns, rows) = await self._selected(declaration, statement, params)
            except FoldFailed:
                await self.narrow(declaration)
                goal, (columns, rows) = await self._selected(declaration, statement, params)
        return Answer(
            columns=columns,
            rows=rows,
            position=str(goal),
            as_of=self.past.time if self.past.time < NEVER else 0,
            complete=True,
            lag_ms=0,
            definition_version=declaration.definition_version,
        )

    @cached_property
    def _everybodys(self) -> PastStore:
        """The same past of what is for every tenant."""
        store = PastStore(self.history, self.scratch, SYSTEM, self.past, None, self.scanned)
        store._turns = self._turns
        return store

    async def _selected(
        self, projection: Projection, statement: str, params: Sequence[object]
    ) -> tuple[Position, QueryRows]:
        if projection.name not in self._made:
            self._made[projection.name] = await self._make(projection)
        goal, base, folded = self._made[projection.name]
        return goal, await asyncio.to_thread(self._select, projection, base, folded, statement, params)

    async def narrow(self, projection: Projection, *, from_snapshot: bool = True) -> None:
        """Leave out from now on what the projection refuses of this history, as whoever stores its rows does.

        Raises FoldFailed where that is so much that its code is wrong.
        """
        past = self.past_of(projection)
        goal = await asyncio.to_thread(self.history.goal, projection, past)
        base = await asyncio.to_thread(self._base, projection, goal) if from_snapshot else None
        start = base.position if base else Position()
        stretches = self.history.read(projection, self.company, past, start, goal, Scanned())
        facts = [(stretch.topic, stretch.facts) async for stretch in stretches]
        refused = await asyncio.to_thread(self.scratch.refused, projection, self.company, base, facts)
        self.history = replace(
            self.history, decisions=DecisionsAndRefusals(self.history.decisions, projection, refused)
        )
        self._made.pop(projection.name, None)

    async def _make(self, projection: Projection) -> tuple[Position, Snapshot | None, Changes]:
        """The position of the past state, and the rows that were there: all that its questions are answered from."""
        past = self.past_of(projection)
        goal = await asyncio.to_thread(self.history.goal, projection, past)
        base = await asyncio.to_thread(self._base, projection, goal)
        folding, start = Folding(projection), base.position if base else Position()
        stretches = self.history.read(projection, self.company, past, start, goal, self.scanned)
        async for stretch in stretches:
            await asyncio.to_thread(folding.add, stretch.facts)
        return goal, base, await asyncio.to_thread(folding.changes)

    def past_of(self, projection: Projection) -> Past:
        """The past state of a projection."""
        return self.past.of_topics(projection.topics, beside=projection.beside)

    def figures(self) -> Mapping[str, int]:
        """What was read; zeros for a member, because what was read is the company's."""
        return asdict(Scanned() if self.member else self.scanned)

    def _base(self, projection: Projection, goal: Position) -> Snapshot | None:
        """The nearest snapshot that holds nothing beyond the past state, and the rows that were signed with it."""
        if self.past_of(projection).log_time < NEVER:  # of no position
            return None
        usable = [s for s in self.scratch.snapshots(projection) if goal.reaches(s.position) and self._early(s)]
        nearest = sorted(usable, key=lambda s: sum(s.position.offsets.values()), reverse=True)
        return next((s for s in nearest if self.scratch.sound(projection, s, self.company)), None)

    def _early(self, snapshot: Snapshot) -> bool:
        return self.past.time == NEVER or (snapshot.latest is not None and snapshot.latest < self.past.time)

    def _select(
        self, projection: Projection, base: Snapshot | None, folded: Changes, statement: str, params: Sequence[object]
    ) -> QueryRows:
        """Only the tables that the statement names are made."""
        part = projection.part(names_in(statement))
        with self.scratch.filled(part, self.company, base, folded.of(part), self.member) as tables:
            return tables.select(statement, params)


async def answer_past(question: Question, store: PastStore) -> dict[str, Any]:
    """Answer a registered query as it would have been answered, in the form of the API, and say what was read for it.

    `as_known_at` is the position that it stands for, `as_of_event_time` the end of event time (exclusive; null: none),
    `asked_at` the moment for which whatever the question leaves open was taken. Raises Invalid for its parameters, and
    what `PastStore.ask` raises.
    """
    result = await answer(question, store)
    end = store.past.time
    return {
        **result,
        "as_known_at": result["position"],
        "as_of_event_time": result["as_of"] if end < NEVER else None,
        "asked_at": show_time(question.asked_at),
        "scanned": store.figures(),
    }
