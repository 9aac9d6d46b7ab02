"""Typed builders: one function for every event of the catalogue, and one for its batch form.

They are made from the catalogue; `builders.pyi` (written by `python -m eventlog.publish.signatures`) gives them their
signatures for type checkers and editors. Fields are keyword arguments under their proto names, enums may be given by
name; whatever is left out is absent. A builder raises `domain.events.problems.RefusedEvent` (an Invalid) for an event
that breaks a rule, so that the fault is found where the event is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from google.protobuf.message import Message

from domain.events.catalogue import CATALOGUE, EventType
from eventlog.publish.event import Event, Origin, batch, single

Builder = Callable[..., Event]


def _single(kind: EventType) -> Builder:
    beside = Origin.__annotations__.keys()

    def build(*, company_id: str, user_id: str = "", **fields: Any) -> Event:
        origin = Origin(**{name: fields.pop(name) for name in beside & fields.keys()})  # type: ignore[typeddict-item]  # by name
        return single(kind, company_id, user_id, fields, origin)

    build.__name__ = build.__qualname__ = kind.name
    return build


def _batch(kind: EventType) -> Builder:
    def build(*, company_id: str, items: Iterable[Message], user_id: str = "", **origin: Any) -> Event:
        return batch(kind, company_id, user_id, items, Origin(**origin))  # type: ignore[typeddict-item]  # by name

    build.__name__ = build.__qualname__ = kind.batch_name
    return build


BUILDERS: dict[str, Builder] = {kind.name: _single(kind) for kind in CATALOGUE}
BUILDERS |= {kind.batch_name: _batch(kind) for kind in CATALOGUE if kind.batch is not None}
globals().update(BUILDERS)
