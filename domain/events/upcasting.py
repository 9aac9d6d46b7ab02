"""Upcasting: facts of an older schema, read as facts of today's.

The log is never rewritten. When the meaning of a payload changes (a unit, a default, a field that takes another's
place), the catalogue's `schema_version` of the event type rises by one, and a pure function here turns a fact of the
version before into one of the next. New optional fields need neither. An event of a version that this code does not
know is parked in quarantine (`newer_schema`) until the code does.

@upcasts("trading_result", 1)
def fees_were_cents(fact):
    fact.fees /= 100
    return fact
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from typing import cast

from google.protobuf.message import Message

from domain.errors import Defect
from domain.events.catalogue import CATALOGUE, EventType

Upcast = Callable[[Message], Message]

STEPS: MutableMapping[tuple[str, int], Upcast] = {}  # by event type and the version that is read


def upcasts(name: str, version: int) -> Callable[[Upcast], Upcast]:
    """Declare the step from a version of an event type to the next one. Raises Defect where there is one already."""

    def register(step: Upcast) -> Upcast:
        if (name, version) in STEPS:
            raise Defect(f"{name} has two upcasts from schema version {version}")
        STEPS[name, version] = step
        return step

    return register


def upcast(kind: EventType, payload: Message, version: int) -> Message:
    """The payload (of one fact or a batch) as today's schema says it; 0 is the first version."""
    if version >= kind.schema_version:
        return payload
    if kind.batch is not None and isinstance(payload, kind.batch):
        items = list(payload.items)  # type: ignore[attr-defined]  # every batch message has this one field
        several = kind.batch()
        several.items.extend(_fact(kind, item, version) for item in items)  # type: ignore[attr-defined]  # as above
        return several
    return _fact(kind, payload, version)


def _fact(kind: EventType, fact: Message, version: int) -> Message:
    for step in range(max(version, 1), kind.schema_version):
        fact = STEPS[kind.name, step](fact)
    return fact


def check(catalogue: Iterable[EventType] = CATALOGUE) -> None:
    """Raise Defect where a chain has a gap, or a step leads to no version."""
    steps = {(kind.name, version) for kind in catalogue for version in range(1, kind.schema_version)}
    if missing := sorted(steps - STEPS.keys()):
        raise Defect(f"no upcast of {missing[0][0]} from schema version {missing[0][1]}")
    if stray := sorted(STEPS.keys() - steps):
        raise Defect(f"the upcast of {stray[0][0]} from schema version {stray[0][1]} leads nowhere")


def upcast_bytes(kind: EventType, payload: bytes, version: int, *, batch: bool) -> bytes:
    """The same for a serialised payload; bytes that are no payload stay as they are."""
    message = cast(type[Message], kind.batch if batch else kind.message)
    try:
        return upcast(kind, message.FromString(payload), version).SerializeToString()
    except ValueError:
        return payload
