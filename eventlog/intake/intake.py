"""Ingest: what all doors stand on. Raw events in, checked, deduplicated and durable; bad ones in quarantine.

One call is one `Intake`: events are added in the order in which they happened, in pieces of any size, and `finish`
answers once everything is durable. While one batch is being written, the next is read; never more than these two are
held, so a file of any size fits. Calls at the same time share the size of a batch, as far as that makes sense. However
few they are, events of a stream that stays open are on their way after `LINGER`.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from common.envelope_pb2 import AnalyticsProcessingEnvelope

from domain.errors import Unavailable
from domain.events.catalogue import MAX_EVENT, event_type
from domain.events.identity import bad_identity
from domain.events.problems import Code, Problem, RefusedEvent, shown
from domain.events.validation import RESERVED_STREAMS, reserved, too_large
from domain.ports import Placed
from domain.position import Position
from domain.request import correlation, tracing
from eventlog import tasks
from eventlog.intake.event_tokens import EventTokens, ended, without_signatures
from eventlog.intake.framing import Item
from eventlog.intake.identified import Good, Identified, contradicting
from eventlog.intake.parsing import Parse, ParsedEvent, refusal
from eventlog.intake.quarantine import BadEvent, Quarantine, Seen, SeenEvents
from eventlog.publish.publisher import Publisher
from eventlog.publish.record import record_of

REASONS = 100  # reasons an answer lists; the others are in quarantine like these
BATCH_EVENTS = 2_000  # shared by the calls of the process that are under way
BATCH_BYTES = 2 * 1024 * 1024
MOST_SHARES = 8  # of a batch: smaller ones cost a question to the database for a handful of events
LINGER = 0.1  # seconds that events of an open stream wait for others
CACHED = 1_000  # companies, tokens and kinds of bad events that one call remembers; a stream may last for ever
SLICE = 250  # events read before other work of the process gets its turn


class Reason(NamedTuple):
    """Why one event was set aside."""

    line: int
    code: str
    reason: str
    event_id: str


@dataclass(slots=True)
class Outcome:
    """What became of one call. `position` covers everything accepted; `warnings`: events with unknown members.

    `of_companies` counts those that the caller may publish, where that was asked.
    """

    accepted: int = 0
    duplicates: int = 0
    quarantined: int = 0
    warnings: int = 0
    position: Position = field(default_factory=Position)
    reasons: list[Reason] = field(default_factory=list)
    of_companies: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, object]:
        """The answer of the doors; reasons that the list leaves off are counted in `quarantined`."""
        return {
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "quarantined": self.quarantined,
            "position": str(self.position),
            "warnings": self.warnings,
            "reasons": [{"line": r.line, "code": r.code, "reason": r.reason} for r in self.reasons],
        }


class Ingest:
    """The service behind all doors of one process; remembers the identities that it lately made durable."""

    def __init__(
        self,
        publisher: Publisher,
        quarantine: Quarantine,
        seen: SeenEvents,
        *,
        remembered: int = 10_000,
        tokens: EventTokens | None = None,
    ) -> None:
        """`publisher` must not stamp: events at the doors are other producers'. No `tokens`: theirs are ignored."""
        self.publisher = publisher
        self.quarantine = quarantine
        self.tokens = tokens
        self._seen = seen
        self._remembered = remembered
        self._durable: dict[bytes, Seen] = {}  # oldest first; an OrderedDict takes half as much again
        self.calls = 0  # under way

    async def take(
        self,
        items: AsyncIterator[list[Item]] | list[Item],
        parse: Parse,
        *,
        door: str,
        allows: Callable[[str], bool] | None = None,
        keep_stamps: bool = False,
        tenant: str = "",
        progress: Callable[[Outcome, int], None] | None = None,
    ) -> Outcome:
        """Take raw events, a stream or all there are; see `Intake`. `progress` gets the outcome so far, the last line.

        `tenant`: whose call it is; bad events of two tenants are never taken for the same. Raises as `Intake` does.
        """
        intake = Intake(self, parse, door=door, allows=allows, keep_stamps=keep_stamps, tenant=tenant)
        self.calls += 1
        try:
            with tracing.span("ingest", door=door):
                some = items if isinstance(items, list) else await _next(intake, items)
                while some is not None:
                    for start in range(0, len(some), SLICE):
                        await intake.add(some[start : start + SLICE])
                        if progress is not None:
                            progress(intake.outcome, some[min(start + SLICE, len(some)) - 1].line)
                        await asyncio.sleep(0)
                    some = None if isinstance(items, list) else await _next(intake, items)
                return await intake.finish()
        except BaseException:
            intake.leave()
            raise
        finally:
            self.calls -= 1

    async def places(self, identities: Sequence[bytes]) -> Mapping[bytes, Seen]:
        """Those that are in the log already, with what is known of them, as far as that is known in a short time."""
        recent = {i: self._durable[i] for i in identities if i in self._durable}
        try:
            seen = await self._seen.places([i for i in identities if i not in recent])
        except Unavailable:
            # The log is what must answer. A duplicate that passes here is recognised by the projectors.
            return recent
        return {**seen, **recent}

    def remember(self, events: Mapping[bytes, Seen]) -> None:
        """What these identify is in the log now."""
        self._durable.update(events)
        for oldest in list(islice(self._durable, max(0, len(self._durable) - self._remembered))):
            del self._durable[oldest]


async def _next(intake: Intake, items: AsyncIterator[list[Item]]) -> list[Item] | None:
    """What the stream brings next, None at its end. Meanwhile what waits is written when it has lingered."""
    if intake.lingers() is None:
        return await anext(items, None)
    reading = tasks.owned(_one(items), "reading at a door")
    try:
        while not (await asyncio.wait({reading}, timeout=intake.lingers()))[0]:
            await intake.launch()
        return reading.result()
    finally:
        if not reading.done():
            await tasks.end(reading)


async def _one(items: AsyncIterator[list[Item]]) -> list[Item] | None:
    return await anext(items, None)


class Intake:
    """One call. Raises Unavailable from any method when log or quarantine do not answer: repeat the call then.

    What is repeated counts once: good events by their identity, bad ones by theirs, and a bad one is kept once the good
    ones before it are durable.
    """

    def __init__(
        self,
        ingest: Ingest,
        parse: Parse,
        *,
        door: str,
        allows: Callable[[str], bool] | None,
        keep_stamps: bool,
        tenant: str,
    ) -> None:
        self.outcome = Outcome()
        self._ingest = ingest
        self._parse = parse
        self._door = door
        self._allows = allows
        self._keep_stamps = keep_stamps
        self._tenant = tenant
        self._correlation_id = correlation.current.get()  # of the call: events that bring none get these
        trace = tracing.current.get()  # and so does the trace of the call, as it is and as they carry it
        self._trace = None if trace is None else (trace, tracing.carrying(trace))
        self._allowed: dict[str, bool] = {}  # this and what follows is forgotten when it is much: it costs little
        self._verdicts: dict[tuple[str, str], float | Problem] = {}
        self._good: list[Good] = []
        self._bad: list[BadEvent] = []
        self._size = 0
        self._since: float | None = None  # when the oldest of them came
        self._bad_times: dict[bytes, int] = {}  # how often the call brought the same bad bytes
        self._batch: dict[bytes, int] = {}  # contents, by identity
        self._flying: dict[bytes, int] = {}
        self._flight: asyncio.Task[None] | None = None
        self._reached: dict[tuple[str, int], int] = {}  # by all events of the call that are in the log

    async def add(self, items: Iterable[Item]) -> None:
        """Read some events, and write a batch when enough are there."""
        shares = max(1, min(self._ingest.calls, MOST_SHARES))
        most_events, most_bytes = BATCH_EVENTS // shares, BATCH_BYTES // shares
        for item in items:
            try:
                self._take(item)
            except RefusedEvent as refused:
                self._bad.append(self._bad_event(item, refused))
                self._size += len(item.data)
            if self._size >= most_bytes:
                await self.launch()
        if len(self._good) + len(self._bad) >= most_events:
            await self.launch()
        elif self._since is None and (self._good or self._bad):
            self._since = asyncio.get_running_loop().time()

    def lingers(self) -> float | None:
        """Seconds that what waits may go on waiting for others; None while nothing waits."""
        if self._since is None:
            return None
        return max(0.0, self._since + LINGER - asyncio.get_running_loop().time())

    async def finish(self) -> Outcome:
        """Write what is left; everything is durable when this returns."""
        await self.launch()
        await self._landed()
        return self.outcome

    def leave(self) -> None:
        """End a call that failed halfway: what is being written goes on, but nobody asks for its outcome."""
        if self._flight is not None:
            self._flight.add_done_callback(lambda flight: flight.cancelled() or flight.exception())

    def _take(self, item: Item) -> None:
        if item.problem is not None:
            raise RefusedEvent(item.problem)
        parsed = self._parse(item.data)
        good = self._admitted(item, parsed)
        if good.identified is not None:
            of_event = good.identified
            before = self._batch.get(of_event.identity, self._flying.get(of_event.identity))
            if before == of_event.content:
                self.outcome.duplicates += 1
                return
            if before is not None:
                raise contradicting(parsed.envelope)
            self._batch[of_event.identity] = of_event.content
        if parsed.envelope.unknown_members:
            self.outcome.warnings += 1
        self._good.append(good)
        self._size += len(good.record.value)

    def _admitted(self, item: Item, parsed: ParsedEvent) -> Good:
        envelope = parsed.envelope
        if parsed.kind.stream in RESERVED_STREAMS:
            raise refusal(envelope, reserved(parsed.kind))
        if self._allows is not None:
            company = envelope.company_id
            allowed = self._allowed.get(company)
            if allowed is None:
                if len(self._allowed) >= CACHED:
                    self._allowed.clear()
                allowed = self._allowed[company] = self._allows(company)
            if not allowed:
                reason = f"the caller may not publish for company {shown(company)}"
                raise refusal(envelope, Problem(Code.FORBIDDEN_COMPANY, reason))
            self.outcome.of_companies[company] += 1
        tokens = self._ingest.tokens
        if tokens is not None and (tokens.required or envelope.HasField("auth_token")):
            self._check_token(envelope, tokens)
        stamped = self._keep_stamps and envelope.producer_id and envelope.producer_seq
        envelope.producer_seq = envelope.producer_seq if stamped else 0
        envelope.first_taken_at = 0  # what was repaired says it, and nobody else
        if not envelope.correlation_id:
            envelope.correlation_id = self._correlation_id
        trace = None
        if self._trace is not None and not envelope.HasField("trace_context"):
            trace, carried = self._trace
            envelope.trace_context.CopyFrom(carried)
        record = record_of(envelope, parsed.kind, trace)
        if len(record.value) > MAX_EVENT:
            raise refusal(envelope, too_large(len(record.value)))
        return Good(record, item, None if stamped else Identified.of(record, envelope))

    def _check_token(self, envelope: AnalyticsProcessingEnvelope, tokens: EventTokens) -> None:
        """A token must be good now, and at the event's own time, by which admission will judge it again."""
        if not envelope.auth_token.token:
            if tokens.required:
                raise refusal(envelope, Problem(Code.MISSING_FIELD, "auth_token is required here"))
            return
        key = (envelope.auth_token.token, envelope.company_id)
        if key not in self._verdicts:
            if len(self._verdicts) >= CACHED:
                self._verdicts.clear()
            self._verdicts[key] = tokens.verdict(*key)
        problem = ended(self._verdicts[key], max(time.time(), envelope.timestamp / 1000))
        if problem is not None:
            raise refusal(envelope, problem)

    def _bad_event(self, item: Item, refused: RefusedEvent) -> BadEvent:
        """The event to be set aside, which counts as such from now on."""
        problem, kind = refused.problem, event_type(refused.message_type)
        raw = without_signatures(item.data)
        self.outcome.quarantined += 1
        if len(self.outcome.reasons) < REASONS:
            self.outcome.reasons.append(Reason(item.line, problem.code, problem.reason, refused.event_id))
        return BadEvent(
            code=problem.code,
            reason=problem.reason,
            raw=raw,
            door=self._door,
            line=item.line,
            identity=self._bad_identity(raw),
            stream=kind.stream if kind is not None else "",
            company_id=refused.company_id,
            event_id=refused.event_id,
            item=problem.item,
            taken_at=time.time_ns() // 1_000_000,
        )

    def _bad_identity(self, raw: bytes) -> bytes:
        """Known by its bytes; equal ones of one call are several events, of which a repeated call brings as many."""
        first = bad_identity(self._tenant, raw, 0)
        if first not in self._bad_times and len(self._bad_times) >= CACHED:
            self._bad_times.clear()
        times = self._bad_times[first] = self._bad_times.get(first, -1) + 1
        return bad_identity(self._tenant, raw, times) if times else first

    async def launch(self) -> None:
        """Send the batch on its way once the one before has landed: what happened earlier is written earlier."""
        await self._landed()
        if self._good or self._bad:
            self._flight = tasks.owned(self._fly(self._good, self._bad), "a batch on its way into the log")
            self._good, self._bad, self._size, self._since = [], [], 0, None
            self._flying, self._batch = self._batch, {}
        if self._ingest.calls >= MOST_SHARES:  # others read while these are written
            await self._landed()

    async def _landed(self) -> None:
        if self._flight is not None:
            flight, self._flight = self._flight, None
            await flight

    async def _fly(self, good: Sequence[Good], bad: Sequence[BadEvent]) -> None:
        fresh, conflicts = await self._unknown(good)
        if fresh:
            with tracing.span("append", events=len(fresh)):
                written = await self._ingest.publisher.append([g.record for g in fresh])
            self._cover(written.placed)
            self.outcome.accepted += len(fresh)
            places = zip((g.identified for g in fresh), written.placed, strict=True)
            self._ingest.remember({i.identity: Seen(place, i.content) for i, place in places if i is not None})
        if bad or conflicts:
            await self._ingest.quarantine.add([*bad, *conflicts])

    async def _unknown(self, good: Sequence[Good]) -> tuple[Sequence[Good], list[BadEvent]]:
        """Those that are not in the log yet, and those whose id another event in the log has."""
        ids = [name for g in good if g.identified is not None for name in g.identified[:2]]
        seen = await self._ingest.places(ids)
        if not seen:
            return good, []
        fresh, conflicts = list[Good](), list[BadEvent]()
        for each in good:
            before = None if each.identified is None else each.identified.in_log(seen)
            if before is None:
                fresh.append(each)
            elif each.identified is not None and before.content in (None, each.identified.content):
                self.outcome.duplicates += 1
                self._cover([before.place])
            else:
                conflicts.append(self._bad_event(each.item, contradicting(self._parse(each.item.data).envelope)))
        return fresh, conflicts

    def _cover(self, places: Iterable[Placed]) -> None:
        for place in places:
            at = (place.topic, place.partition)
            self._reached[at] = max(self._reached.get(at, 0), place.offset + 1)
        self.outcome.position = Position(dict(self._reached))
