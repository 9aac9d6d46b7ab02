"""What an answer says, value by value, whether it came as a message or as JSON: so that both can be compared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from google.protobuf.message import Message

TIME = re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]+Z)?")
STANDS_FOR = ("provenance", "correlation_id", "resume_token", "next_cursor")

Said = dict[str, list[Any]]  # by name, in the order of the answer


def plain(value: Any) -> Any:
    """A value as both doors have it: times in ms since 1970, numbers exact, everything else as text."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and TIME.fullmatch(value):
        moment = datetime.fromisoformat(value)
        return Decimal(round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000))
    try:
        return Decimal(repr(value) if isinstance(value, float) else str(value)).normalize()
    except InvalidOperation:
        return str(value)


def said_in_json(rows: Any) -> Said:
    """All that rows say; null, an empty text and false say nothing."""
    said: Said = {}
    for name, value in _json(rows, ""):
        if value != "" and value is not False:
            said.setdefault(name, []).append(plain(value))
    return said


def _json(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for inner, each in value.items():
            yield from _json(each, f"reasons.{inner}" if name == "reasons" else inner)
    elif isinstance(value, list):
        for each in value:
            yield from _json(each, name)
    elif value is not None:
        yield name, value


def said_in_message(message: Message) -> Said:
    """All that a message says; a field that is left out, an empty text and false say nothing."""
    said: Said = {}
    for name, value in _message(message):
        if value != "" and value is not False:
            said.setdefault(name, []).append(plain(value))
    return said


def _message(message: Message) -> Iterator[tuple[str, Any]]:
    for field in message.DESCRIPTOR.fields:
        if field.name not in STANDS_FOR:
            yield from _field(field, message)


def _field(field: Any, message: Message) -> Iterator[tuple[str, Any]]:
    inner, value = field.message_type, getattr(message, field.name)
    if inner is not None and inner.GetOptions().map_entry:
        for key in sorted(value):
            each = value[key]
            name = f"reasons.{key}" if field.name == "reasons" else key
            yield from _one(inner.fields_by_name["value"], name, each)
    elif field.is_repeated:
        for each in value:
            yield from _one(field, field.name, each)
    elif not field.has_presence or message.HasField(field.name):
        yield from _one(field, field.name, value)


def _one(field: Any, name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if field.enum_type is not None:
        yield name, field.enum_type.values_by_number[value].name.lower()
    elif field.message_type is None:
        yield name, value
    elif field.message_type.full_name == "analytics.Value":
        kind = value.WhichOneof("kind")
        yield (name, getattr(value, kind)) if kind else (f"reason of {name}", value.reason)
    else:
        yield from _message(value)
