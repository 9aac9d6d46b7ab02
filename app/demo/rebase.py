"""The sample moved in time, so that it ends when it is first loaded. Event ids stay: they follow from what happened.

Days of the week and times of day stay too: lives, visits and prices move by whole weeks, measurements by whole days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache

from google.protobuf.descriptor import Descriptor

from app.demo.companies import DAY, UNTIL
from app.demo.market import daily_bars
from domain.events.catalogue import event_type
from eventlog.publish.event import Event
from eventlog.publish.record import record_of

WEEK = 7 * DAY
TIMES = frozenset({"at", "closed_at", "effective_at", "opened_at", "recorded_at", "start"})  # fields of payloads, in ms

Move = Callable[[int], int]  # from a time of the sample (ms) by how much it moves


def prices(symbol: str, until: int) -> Move:
    """The last real day is moved into the last full week: nothing is left out, so that no total depends on the day."""
    end = daily_bars(symbol)[-1].start + DAY
    by = (until // DAY * DAY - end) // WEEK * WEEK
    return lambda _at: by


def lives(until: int) -> Move:
    """The sample ends within the week after: what would happen then is left out (`before`)."""
    by = -((UNTIL - until) // WEEK) * WEEK
    return lambda _at: by


def last_day(until: int) -> Move:
    """Each time of day becomes the last one before the end."""

    def by(at: int) -> int:
        today = until // DAY * DAY + at % DAY
        return (today if today < until else today - DAY) - at

    return by


def rebase(events: Iterable[Event], move: Move) -> Iterator[Event]:
    """The same events at other times."""
    for event in events:
        by = move(event.record.timestamp)
        yield _moved(event, by) if by else event


def before(events: Iterable[Event], until: int) -> Iterator[Event]:
    """Those that have happened by then."""
    return (event for event in events if event.record.timestamp < until)


def _moved(event: Event, by: int) -> Event:
    envelope = event.envelope
    kind = event_type(envelope.message_type)
    assert kind is not None
    message = kind.message if kind.name == envelope.message_type else kind.batch
    assert message is not None
    if times := _times(kind.message.DESCRIPTOR):
        payload = message.FromString(envelope.payload)
        for fact in getattr(payload, "items", (payload,)):
            for name in times:
                if value := getattr(fact, name):
                    setattr(fact, name, value + by)
        envelope.payload = payload.SerializeToString()
    envelope.timestamp += by
    return Event.of(envelope, record_of(envelope, kind))


@cache
def _times(message: Descriptor) -> tuple[str, ...]:
    return tuple(sorted(TIMES & {field.name for field in message.fields}))
