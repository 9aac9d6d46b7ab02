"""What a good value of each field is, of payloads and of the envelope, as data.

The checks of one event (`domain.events.validation`) and of columns (`projections.engine.fold.decode`) follow from it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import cast

from google.protobuf.descriptor import FieldDescriptor

from domain.events.catalogue import BY_NAME, MAX_ID, MAX_TEXT, EventType, longest_text

SUFFIX = "_text"


class Form(Enum):
    """What is checked of a field: FREE ones are not, MEMBERS are the texts of a list or a map.

    DECIMAL is a text that says the double beside it with more digits. COMPANY, the id of one, and SEQUENCE, a number of
    63 bits, are of the envelope alone.
    """

    TEXT, DOUBLE, DECIMAL, ENUM, TIME, MEMBERS, FREE, COMPANY, SEQUENCE = range(9)


@dataclass(frozen=True, slots=True)
class FieldRule:
    """The rule of one field. `longest`: bytes of a text; `choices`: texts that it may be, empty for any.

    `numbers`: those of an enum; `positive`, `not_negative`: bounds of a double that is there; `measured`: whether it is
    rounded to the grid however fine it is.
    """

    name: str
    form: Form
    required: bool = False
    longest: int = MAX_TEXT
    choices: Collection[str] = ()
    numbers: frozenset[int] = frozenset()
    positive: bool = False
    not_negative: bool = False
    measured: bool = False
    is_map: bool = False


ENVELOPE = (
    FieldRule("company_id", Form.COMPANY, required=True),
    FieldRule("timestamp", Form.TIME, required=True),
    FieldRule("producer_seq", Form.SEQUENCE),
    *(FieldRule(name, Form.TEXT, longest=MAX_ID) for name in ("user_id", "event_id", "producer_id")),
)
"""The rules of every envelope; what its type asks besides (`of_user`, `schema_version`) is in the catalogue."""
AT_DOORS = tuple(
    FieldRule(name, Form.TEXT, longest=MAX_ID) for name in ("service_source", "correlation_id", "causation_id")
)
"""Those of envelopes that come in at a door, besides."""


@cache
def field_rules(name: str) -> tuple[FieldRule, ...]:
    """The rules of an event type, in the order of its field numbers. Raises KeyError for a type that there is not."""
    kind = BY_NAME[name]
    return tuple(_rule(kind, field) for field in cast("list[FieldDescriptor]", kind.message.DESCRIPTOR.fields))


def text_of_double(name: str) -> str:
    """The name of the field that says a double with all of its digits."""
    return f"{name}{SUFFIX}"


def double_of(name: str) -> str:
    """The name of the double that such a field is beside; empty for other names."""
    return name.removesuffix(SUFFIX) if name.endswith(SUFFIX) else ""


def _rule(kind: EventType, field: FieldDescriptor) -> FieldRule:
    name, enum = field.name, field.enum_type
    return FieldRule(
        name=name,
        form=_form(kind, field),
        required=name in kind.required,
        longest=MAX_TEXT if field.is_repeated else longest_text(kind, name),
        choices=dict(kind.choices).get(name, ()),
        numbers=frozenset() if enum is None else frozenset(enum.values_by_number),
        positive=name in kind.positive,
        not_negative=name in kind.not_negative,
        measured=name in kind.measured,
        is_map=field.message_type is not None and bool(field.message_type.GetOptions().map_entry),
    )


def _form(kind: EventType, field: FieldDescriptor) -> Form:
    if field.is_repeated:
        return Form.MEMBERS
    if double_of(field.name) in kind.message.DESCRIPTOR.fields_by_name:
        return Form.DECIMAL
    of_types = {
        FieldDescriptor.TYPE_STRING: Form.TEXT,
        FieldDescriptor.TYPE_DOUBLE: Form.DOUBLE,
        FieldDescriptor.TYPE_ENUM: Form.ENUM,
    }
    return of_types.get(field.type, Form.TIME if field.name in kind.times else Form.FREE)
