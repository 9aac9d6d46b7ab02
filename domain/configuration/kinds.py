"""What commands, events and aggregates are, and what every aggregate does alike.

Most commands say what a part of the state shall be, and most events say what it has become: a *setting* is a command
or an event whose fields are fields of the state. So `decide` makes the wanted state, checks it once, and tells the
difference as events; a command that changes nothing yields none.

What events hold is read back for ever: a field added later needs a default, and the form of a field is never made
narrower (narrow it where commands are checked). A field or choice that this code does not know makes it refuse the
event, because it was written by a newer release.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

import msgspec

from domain.access.rights import Feature
from domain.errors import Conflict, Invalid, NotFound

S = TypeVar("S", bound=msgspec.Struct)
E = TypeVar("E", bound="Event")
SHOWN = 5  # problems told at once
# Verb → the field of the state that it sets, to what, and the word of its event.
SWITCHES: Mapping[str, tuple[str, bool, str]] = MappingProxyType(
    {
        "enable": ("enabled", True, "enabled"),
        "disable": ("enabled", False, "disabled"),
        "archive": ("archived", True, "archived"),
        "restore": ("archived", False, "restored"),
    }
)


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


def with_settings(state: S, setting: msgspec.Struct) -> S:
    """The state with every field that the setting has."""
    return msgspec.structs.replace(state, **{name: getattr(setting, name) for name in setting.__struct_fields__})


def settings_changed(before: S, after: S, events: Iterable[type[E]]) -> Iterator[E]:
    """An event of each of these types whose fields differ between the states."""
    for kind in events:
        fields = kind.__struct_fields__
        if any(getattr(before, name) != getattr(after, name) for name in fields):
            yield kind(**{name: getattr(after, name) for name in fields})


def unborn(state: object | None, what: str) -> None:
    """Raise Conflict where there is one already."""
    if state is not None:
        raise Conflict(f"this {what} exists already", code="exists", suggested_actions=("Change it instead.",))


def born(state: S | None, what: str) -> S:
    """The state; raises NotFound where nothing was created yet."""
    if state is None:
        raise NotFound(f"there is no such {what}", code=f"no_{what.replace(' ', '_')}")
    return state


def in_use(state: S | None, what: str) -> S:
    """The state; raises NotFound where nothing was created yet, Conflict where it is archived."""
    found = born(state, what)
    if getattr(found, "archived", False):
        raise Conflict(f"this {what} is archived", code="archived", suggested_actions=("Restore it first.",))
    return found


def switched(state: S | None, command: Command, what: str, events: Iterable[type[E]]) -> tuple[E, ...]:
    """The event of a command that enables, disables, archives or restores; none where it is so already."""
    field, value, past = SWITCHES[command.verb]
    found = born(state, what) if field == "archived" else in_use(state, what)
    kind = next(kind for kind in events if kind.topic.endswith(f".{past}"))
    return () if getattr(found, field) == value else (kind(),)


def after_switch(state: S, event: Event) -> S:
    """The state after an event that says that it was enabled, disabled, archived or restored."""
    past = event.topic.rpartition(".")[2]
    return msgspec.structs.replace(state, **{field: value for field, value, word in SWITCHES.values() if word == past})


def refuse(problems: Iterable[str]) -> None:
    """Raise Invalid with the first problems, each `field: reason`; do nothing where there are none."""
    if found := list(islice(problems, SHOWN)):
        raise Invalid("; ".join(found), code="invalid_field", suggested_actions=("Correct the fields named.",))
