"""What aggregates have alike: a name and a description, settings, and being enabled, disabled, archived, restored.

Most commands say what a part of the state shall be, and most events say what it has become: a *setting* is a command
or an event whose fields are fields of the state. So `decide` makes the wanted state, checks it once, and tells the
difference as events; a command that changes nothing yields none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeVar

import msgspec

from domain.configuration import forms
from domain.configuration.kinds import Command, Event
from domain.errors import Conflict, NotFound

S = TypeVar("S", bound=msgspec.Struct)
E = TypeVar("E", bound=Event)
# Verb → the field of the state that it sets, to what, and the word of its event.
SWITCHES: Mapping[str, tuple[str, bool, str]] = MappingProxyType(
    {
        "enable": ("enabled", True, "enabled"),
        "disable": ("enabled", False, "disabled"),
        "archive": ("archived", True, "archived"),
        "restore": ("archived", False, "restored"),
    }
)


class Rename(Command, frozen=True):
    """Give it another name."""

    verb = "rename"
    name: forms.Name


class Describe(Command, frozen=True):
    """Describe it in words."""

    verb = "describe"
    description: forms.Prose


class Enable(Command, frozen=True):
    """Let it work again."""

    verb = "enable"


class Disable(Command, frozen=True):
    """Let it rest until it is enabled."""

    verb = "disable"


class Archive(Command, frozen=True):
    """Put it away; its history stays."""

    verb = "archive"


class Restore(Command, frozen=True):
    """Take it back into use, as it was."""

    verb = "restore"


class Renamed(Event, frozen=True):
    """It has another name."""

    name: forms.Name


class Described(Event, frozen=True):
    """It has another description."""

    description: forms.Prose


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
    existing = born(state, what)
    if getattr(existing, "archived", False):
        raise Conflict(f"this {what} is archived", code="archived", suggested_actions=("Restore it first.",))
    return existing


def switched(state: S | None, command: Command, what: str, events: Iterable[type[E]]) -> tuple[E, ...]:
    """The event of a command that enables, disables, archives or restores; none where it is so already."""
    field, value, past = SWITCHES[command.verb]
    existing = born(state, what) if field == "archived" else in_use(state, what)
    kind = next(kind for kind in events if kind.topic.endswith(f".{past}"))
    return () if getattr(existing, field) == value else (kind(),)


def after_switch(state: S, event: Event) -> S:
    """The state after an event that says that it was enabled, disabled, archived or restored."""
    past = event.topic.rpartition(".")[2]
    return msgspec.structs.replace(state, **{field: value for field, value, word in SWITCHES.values() if word == past})
