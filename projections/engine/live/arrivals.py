"""Arrivals: messages of the bus as delta rows of the windows' tables, by the same steps and folds as the log's.

A few messages are judged one by one; many are judged as columns. Both are the judgement of `domain.events.validation`,
so that the bus and the log hold the same events good.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from random import getrandbits
from typing import NamedTuple

from common.envelope_pb2 import AnalyticsProcessingEnvelope

from domain.events.identity import producer_of
from domain.events.validation import judge
from domain.ports import Chunk
from eventlog.columns import fault
from projections.engine.declare.merge_rules import MS_PER_MINUTE
from projections.engine.fold.admission import Records, decode
from projections.engine.live.folding import (
    Delta,
    Envelopes,
    Report,
    SourceProgress,
    fold_columns,
    fold_events,
    reads,
    topics,
)
from projections.engine.live.identities import Identities

FEW = 65_536  # bytes of messages that are judged one by one: up to some 300 events that is faster

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Arrivals:
    """What a batch of messages of one topic comes to. `bad`, `repeated`: messages that do not count; `failed`: by
    tenant how many good ones no fold could take, so that nothing of them is here.
    """

    progress: list[SourceProgress]
    deltas: list[Delta]
    reports: list[Report] = field(default_factory=list)
    bad: int = 0
    repeated: int = 0
    failed: Counter[str] = field(default_factory=Counter)


class GoodMessages(NamedTuple):
    """Good messages, and of each the number that stands for its event."""

    envelopes: Envelopes
    identities: list[int]


class Admitted(NamedTuple):
    """Good messages that came for the first time, the number of the first one, and how many others there were."""

    envelopes: Envelopes
    first: int
    bad: int
    repeated: int


class Reader:
    """Reads messages; knows those that came in the last minutes, and numbers them as they come."""

    def __init__(self) -> None:
        self._identities = Identities()
        self._number = 0

    def read(self, topic: str, messages: Sequence[bytes], now: int) -> Arrivals:
        """The deltas of messages that came together, at `now` (ms)."""
        return folded(topic, self.admit(good_messages(topic, messages, now), len(messages), now))

    def admit(self, good: GoodMessages, came: int, now: int) -> Admitted:
        """Of so many messages that came the good ones, without those that came before."""
        fresh = self._identities.fresh(good.identities, now // MS_PER_MINUTE)
        envelopes, first = list(compress(good.envelopes, fresh)), self._number
        self._number += len(envelopes)
        return Admitted(envelopes, first, came - len(fresh), len(fresh) - len(envelopes))

    def forget(self, now: int) -> None:
        """Drop identities of messages that came long ago."""
        self._identities.forget(now // MS_PER_MINUTE)


def warm_up() -> None:
    """Fold an empty event of each type: the first fold loads libraries for half a second, which nobody should wait."""
    for topic in topics():
        empty = [AnalyticsProcessingEnvelope(message_type=name, company_id="-", timestamp=1) for name in reads(topic)]
        fold_columns(topic, empty, 0)
        fold_events(topic, empty, 0)


def parts(arrivals: Arrivals, size: int) -> Iterator[Arrivals]:
    """The same in parts of so many rows, of which the first says what came of each source."""
    yield replace(arrivals, deltas=arrivals.deltas[:size])
    for start in range(size, len(arrivals.deltas), size):
        yield Arrivals([], arrivals.deltas[start : start + size])


def folded(topic: str, admitted: Admitted) -> Arrivals:
    """What they come to; it needs nothing but them, and may be done beside everything else."""
    arrivals = Arrivals([], [], [], admitted.bad, admitted.repeated)
    _fold(topic, admitted.envelopes, admitted.first, arrivals)
    return arrivals


def _fold(topic: str, envelopes: Envelopes, first: int, arrivals: Arrivals) -> None:
    """Fold them; those with which it fails are found by halving, and nothing else is lost with them."""
    try:
        progress, deltas, reports = fold_events(topic, envelopes, first)
    except BaseException as raised:
        error = fault(raised)  # a fold is code of a projection: whatever it raises is about these events
    else:
        arrivals.progress += progress
        arrivals.deltas += deltas
        arrivals.reports += reports
        return
    if len(envelopes) < 2:
        arrivals.failed.update(envelope.company_id for envelope in envelopes)
        logger.error("the live lane cannot fold an event of %s: %s", topic, error, exc_info=error)
        return
    middle = len(envelopes) // 2
    _fold(topic, envelopes[:middle], first, arrivals)
    _fold(topic, envelopes[middle:], first + middle, arrivals)


def good_messages(topic: str, messages: Sequence[bytes], now: int) -> GoodMessages:
    """Those that are good; it needs nothing but them, and may be done beside everything else."""
    rows: Sequence[int] = range(len(messages))
    suspects: Collection[int] = rows
    if sum(map(len, messages)) > FEW:
        try:
            decoded = decode(topic, Records.of([Chunk(0, rows, messages, len(messages), now, len(messages))]))
            suspects = {*decoded.undecodable, *decoded.suspects}
        except BaseException as error:
            logger.error("the live lane judges one by one what it cannot decode as columns: %s", fault(error))
    bad = {row for row in suspects if not _good(topic, messages[row], now)}
    envelopes = [AnalyticsProcessingEnvelope.FromString(messages[row]) for row in rows if row not in bad]
    return GoodMessages(envelopes, [_identity(topic, envelope) for envelope in envelopes])


def _good(topic: str, message: bytes, now: int) -> bool:
    try:
        return judge(message, topic, now) is None
    except Exception as error:  # whatever it is, it is about this message alone
        return fault(error) is None


def _identity(topic: str, envelope: AnalyticsProcessingEnvelope) -> int:
    """64 bits that stand for an event, in this process alone, by what the log knows it by: of a producer that stamps
    the place in its sequence, else its id; what has neither is like no other. What says otherwise under an id that was
    taken counts no more than a repeat.
    """
    if envelope.producer_id and envelope.producer_seq:
        return hash((topic, envelope.company_id, envelope.producer_id, envelope.producer_seq))
    if not envelope.event_id:
        return getrandbits(63)
    return hash((envelope.company_id, producer_of(envelope), envelope.event_id))
