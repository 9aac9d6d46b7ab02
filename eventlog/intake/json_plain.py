"""The fast way from JSON to messages: events in the plain form that services send.

Plain is: snake_case names that are all known, numbers as numbers (also as text: 64-bit ones, as protobuf's own JSON has
them, and decimals that a double says), enums by name, no base64, no duplicate key. It costs a tenth of the general
mapping (`json_mapping.py`), which takes over for everything else, so this file never decides that an event is bad: it
gives the event or gives up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple, cast

import msgspec
from common.envelope_pb2 import AnalyticsProcessingEnvelope
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from domain.decimals import read_decimal, says_all
from domain.events.catalogue import BY_NAME, EventType

Members = dict[str, Any]
_decode = msgspec.json.Decoder(Members).decode


class NotPlainError(Exception):
    """The event is not in the plain form; it may be good all the same."""


class Draft(NamedTuple):
    """An event as read from JSON, before it is completed and checked."""

    envelope: AnalyticsProcessingEnvelope
    kind: EventType
    payload: Message


class Shape(NamedTuple):
    """What plain members of one message look like: accepted Python types, or a function that counts nested keys."""

    plain: Mapping[str, frozenset[type]]
    special: Mapping[str, Callable[[Members, str], int]]


def read_plain(data: bytes) -> Draft | None:
    """The event, if it is in the plain form and, as far as that form goes, without fault."""
    try:
        members = _decode(data)
        payload = members.pop("payload")
        kind = BY_NAME[members["message_type"]]
        keys = 1 + _count_keys(members, _envelope_shape())
        if type(payload) is dict:
            keys += _count_keys(payload, shape_of(kind.message.DESCRIPTOR))
            message = kind.message(**payload)
        else:
            more, message = _batch(kind, payload)
            keys += more
            members["message_type"] = kind.batch_name
        if data.count(b":") != keys:  # a colon more than there are keys: in a text, or of a key given twice
            json.loads(data, object_pairs_hook=_unique)
        return Draft(AnalyticsProcessingEnvelope(payload=message.SerializeToString(), **members), kind, message)
    except (NotPlainError, KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return None


def _batch(kind: EventType, items: list[Members]) -> tuple[int, Message]:
    if type(items) is not list or kind.batch is None:
        raise NotPlainError
    shape = shape_of(kind.message.DESCRIPTOR)
    keys = sum(_count_keys(_object(item), shape) for item in items)
    return keys, kind.batch(items=items)  # every batch message has this one field


def _count_keys(members: Members, shape: Shape) -> int:
    """Number of keys, nested ones included; enum names become numbers on the way."""
    keys = len(members)
    accepted, special = shape.plain, shape.special
    for name, value in members.items():
        if name in accepted:
            if type(value) not in accepted[name]:
                members[name] = _of_text(value, accepted[name])
        else:
            keys += special[name](members, name)
    return keys


def _of_text(value: object, accepted: frozenset[type]) -> float:
    """A number that came as text: a 64-bit one, as protobuf's own JSON has it, or a decimal that a double says."""
    if type(value) is str:
        if accepted is _WHOLE and _DIGITS(value):
            return int(value)
        if accepted is _DECIMAL and (exact := read_decimal(value)) is not None and says_all(float(exact), exact):
            return float(exact)
    raise NotPlainError


def _unique(pairs: list[tuple[str, Any]]) -> Members:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotPlainError
    return members


@cache
def _envelope_shape() -> Shape:
    return shape_of(AnalyticsProcessingEnvelope.DESCRIPTOR)


_WHOLE = frozenset({int})
_DECIMAL = frozenset({float, int})
_DIGITS = re.compile(r"-?(?:0|[1-9][0-9]{0,18})\Z", re.ASCII).match
_TYPES: Mapping[int, frozenset[type]] = {
    FieldDescriptor.TYPE_DOUBLE: _DECIMAL,
    FieldDescriptor.TYPE_STRING: frozenset({str}),
    FieldDescriptor.TYPE_INT64: _WHOLE,
    FieldDescriptor.TYPE_UINT64: _WHOLE,
    FieldDescriptor.TYPE_UINT32: _WHOLE,
    FieldDescriptor.TYPE_BOOL: frozenset({bool}),
}


@cache
def shape_of(descriptor: Descriptor) -> Shape:
    """The shape of a message; fields in no plain form (bytes) are left out, which sends them the general way."""
    plain: dict[str, frozenset[type]] = {}
    special: dict[str, Callable[[Members, str], int]] = {}
    for field in cast("list[FieldDescriptor]", list(descriptor.fields)):
        if field.is_repeated or field.type in (FieldDescriptor.TYPE_ENUM, FieldDescriptor.TYPE_MESSAGE):
            special[field.name] = _special(field)
        elif field.type in _TYPES:
            plain[field.name] = _TYPES[field.type]
    return Shape(plain, special)


def _special(field: FieldDescriptor) -> Callable[[Members, str], int]:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return _map_of_texts
    if field.is_repeated:
        return _list_of_texts if field.type == FieldDescriptor.TYPE_STRING else _never
    if field.message_type is not None:
        descriptor = field.message_type
        return lambda members, name: _count_keys(_object(members[name]), shape_of(descriptor))
    return _enum(field)


def _object(value: object) -> Members:
    if type(value) is not dict:
        raise NotPlainError
    return value


def _never(members: Members, name: str) -> int:
    raise NotPlainError


def _map_of_texts(members: Members, name: str) -> int:
    entries = _object(members[name])
    if not all(type(value) is str for value in entries.values()):
        raise NotPlainError
    return len(entries)


def _list_of_texts(members: Members, name: str) -> int:
    texts = members[name]
    if type(texts) is not list or not all(type(text) is str for text in texts):
        raise NotPlainError
    return 0


def _enum(field: FieldDescriptor) -> Callable[[Members, str], int]:
    assert field.enum_type is not None
    numbers = {v.name: v.number for v in field.enum_type.values}
    numbers |= {name.lower(): number for name, number in numbers.items()}

    def read(members: Members, name: str) -> int:
        members[name] = numbers[members[name]]
        return 0

    return read
