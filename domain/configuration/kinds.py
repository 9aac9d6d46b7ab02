"""What commands, events and aggregates are; what all of them do alike is in `lifecycle`.

What events hold is read back for ever: a field added later needs a default, and the form of a field is never made
narrower (narrow it where commands are checked). A field or choice that this code does not know makes it refuse the
event, because it was written by a newer release.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar

import msgspec

from domain.access.rights import Feature
from domain.errors import Invalid

SHOWN = 5  # problems told at once


class Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a state, a command or an event: equal where its fields are."""


class Event(Value, frozen=True):
    """Something that was decided. `topic` is stable: it is what the store and the log keep."""

    topic: ClassVar[str]


class Command(Value, frozen=True):
    """Something that somebody wants. Its docstring is its documentation.

    `feature`: what the tier must open. `of_platform`: it is for administrators of all companies alone.
    """

    verb: ClassVar[str]
    feature: ClassVar[Feature | None] = None
    of_platform: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Issued:
    """Who gave a command, as what, when (ms since 1970 UTC), and what ties it to its cause."""

    company_id: str
    actor: str
    role: str
    at: int
    command_id: str
    correlation_id: str = ""
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One kind of aggregate. Where `one_a_company`, its id follows from the company, and it needs no creation."""

    name: str
    summary: str
    commands: tuple[type[Command], ...]
    events: tuple[type[Event], ...]
    decide: Callable[[Any, Any, Issued], Sequence[Event]]
    evolve: Callable[[Any, Any], Any]
    one_a_company: bool = False


def refuse(problems: Iterable[str]) -> None:
    """Raise Invalid with the first problems, each `field: reason`; do nothing where there are none."""
    if reasons := list(islice(problems, SHOWN)):
        raise Invalid("; ".join(reasons), code="invalid_field", suggested_actions=("Correct the fields named.",))
