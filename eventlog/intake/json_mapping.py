"""JSON to events: the protobuf JSON mapping, with the freedoms that `contracts` grants.

Names in snake_case or camelCase; enums by name (lower case too) or number; 64-bit integers as numbers or texts;
the payload under `payload` or under the event type's own name (which then may stand for message_type as well),
as an object, as a list of objects (the batch form) or as base64 of the serialised message. `null` is an absent field.
A missing event_id is made; a missing timestamp is the payload's event time. Members that no field is known for are
kept in the envelope's `unknown_members`: those of the payload under their own names, those of facts in a batch under
`items`, those of the envelope under `$envelope`.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode
from collections.abc import Mapping
from math import isfinite
from typing import Any, NoReturn, cast

from common.envelope_pb2 import AnalyticsProcessingEnvelope
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from domain.decimals import read_decimal, says_all
from domain.events.catalogue import BATCHES, BY_NAME, MAX_EVENT, EventType, event_type
from domain.events.field_rules import text_of_double
from domain.events.problems import Code, Problem, RefusedEvent, shown
from domain.events.validation import too_large
from eventlog.intake.json_plain import Draft, read_plain
from eventlog.intake.parsing import ParsedEvent, complete, from_envelope

MAX_DEPTH = 32
Members = dict[str, Any]


def from_json(data: bytes) -> ParsedEvent:
    """Read one event from a JSON object; raises RefusedEvent, with what could be read, where it is not a good one."""
    if len(data) > MAX_EVENT:
        raise RefusedEvent(too_large(len(data)))
    draft = read_plain(data)
    if draft is not None:
        return complete(draft.envelope, draft.kind, draft.payload)
    return read_general(data)


def read_general(data: bytes) -> ParsedEvent:
    """Read one event by the whole mapping; what `read_plain` can read, this reads alike, only slower.

    Raises RefusedEvent, with what could be read, where it is not a good event.
    """
    members: Members = {}
    twice: list[str] = []
    try:
        members = _parse(data, twice)
        _check_structure(members, twice)
        return _general(members)
    except RefusedEvent as refused:
        raise _naming(members, refused.problem) from None
    except RecursionError:
        raise _naming(members, Problem(Code.TOO_DEEP, f"JSON is nested more than {MAX_DEPTH} levels deep")) from None
    except UnicodeError:  # a lone surrogate, which JSON can write and UTF-8 cannot
        raise _naming(members, Problem(Code.BAD_TEXT, "a text of the envelope is not UTF-8")) from None


def _naming(members: Members, problem: Problem) -> RefusedEvent:
    def text(snake: str, camel: str) -> str:
        value = members.get(snake, members.get(camel))
        return value if isinstance(value, str) else ""

    return RefusedEvent(
        problem,
        company_id=text("company_id", "companyId"),
        event_id=text("event_id", "eventId"),
        message_type=text("message_type", "messageType"),
    )


def _refuse(code: Code, reason: str) -> NoReturn:
    raise RefusedEvent(Problem(code, reason))


def _parse(data: bytes, twice: list[str]) -> Members:
    """The JSON object; names that an object gives twice are added to `twice`."""

    def unique(pairs: list[tuple[str, Any]]) -> Members:
        members = dict(pairs)
        if len(members) != len(pairs):
            names = [name for name, _ in pairs]
            twice.extend(name for name in members if names.count(name) > 1)
        return members

    try:
        value = json.loads(data.decode("utf-8-sig"), object_pairs_hook=unique)
    except UnicodeDecodeError as error:
        _refuse(Code.BAD_TEXT, f"byte {error.start} is not UTF-8")
    except json.JSONDecodeError as error:
        _refuse(Code.BAD_JSON, f"not JSON: {error.msg} at character {error.pos}")
    except ValueError:  # Python refuses whole numbers of more than 4,300 digits
        _refuse(Code.OUT_OF_RANGE, "a whole number has too many digits")
    if not isinstance(value, dict):
        _refuse(Code.WRONG_TYPE, f"an event is a JSON object, not {shown(value)}")
    return value


def _check_structure(members: Members, twice: list[str]) -> None:
    if _depth(members) > MAX_DEPTH:
        _refuse(Code.TOO_DEEP, f"JSON is nested more than {MAX_DEPTH} levels deep")
    if twice:
        _refuse(Code.DUPLICATE_KEY, f"{shown(twice[0])} is given twice in one object")


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


def _general(members: Members) -> ParsedEvent:
    outer = dict(members)
    name, payload = _take_payload(outer)
    own, unknown = _canonical(outer, cast("Descriptor", AnalyticsProcessingEnvelope.DESCRIPTOR), "")
    envelope = AnalyticsProcessingEnvelope()
    _fill(envelope, own, "")
    envelope.message_type = name
    kind = event_type(name)
    if kind is None:
        return complete(envelope, None, None)
    if isinstance(payload, str):
        envelope.payload = _base64(payload)
        return from_envelope(_keeping(envelope, {}, unknown))
    draft = _payload(envelope, kind, payload, unknown)
    return complete(draft.envelope, draft.kind, draft.payload)


def _take_payload(outer: Members) -> tuple[str, Any]:
    """Remove the payload from the members; the event type's name and the payload as it came."""
    name = outer.pop("message_type", None)
    name = outer.pop("messageType", None) if name is None else name
    if name is not None and not isinstance(name, str):
        _refuse(Code.WRONG_TYPE, f"message_type {shown(name)} is no text")
    owners = {own: key for own in _own_names(name) for key in (own, _camel(own)) if outer.get(key) is not None}
    payloads = [*owners.values(), *(["payload"] if outer.get("payload") is not None else [])]
    if not name and not owners:
        _refuse(Code.MISSING_FIELD, "message_type is required")
    if not payloads:
        if event_type(name or "") is None:
            return name or "", None
        _refuse(Code.MISSING_FIELD, "payload is required")
    if len(payloads) > 1:
        _refuse(Code.DUPLICATE_KEY, f"the payload is given twice, as {payloads[0]} and as {payloads[1]}")
    return name or next(iter(owners)), outer.pop(payloads[0])


def _own_names(name: str | None) -> tuple[str, ...]:
    kind = event_type(name or "")
    if kind is not None:
        return (kind.name, kind.batch_name)
    return () if name else (*BY_NAME, *BATCHES)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _base64(text: str) -> bytes:
    try:
        return b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        _refuse(Code.WRONG_TYPE, f"payload {shown(text)} is neither an object nor base64")


def _payload(envelope: AnalyticsProcessingEnvelope, kind: EventType, payload: object, unknown: Members) -> Draft:
    if isinstance(payload, list) and kind.batch is not None:
        payload = {"items": payload}
        envelope.message_type = kind.batch_name
    if not isinstance(payload, dict):
        _refuse(Code.WRONG_TYPE, f"payload {shown(payload)} is no object")
    message = (kind.batch or kind.message) if envelope.message_type in BATCHES else kind.message
    members, strange = _canonical(payload, cast("Descriptor", message.DESCRIPTOR), "payload.")
    content = message()
    _fill(content, members, "payload.")
    envelope.payload = content.SerializeToString()
    return Draft(_keeping(envelope, strange, unknown), kind, content)


def _keeping(envelope: AnalyticsProcessingEnvelope, payload: Members, outer: Members) -> AnalyticsProcessingEnvelope:
    whole = payload | ({"$envelope": outer} if outer else {})
    if whole:
        try:
            envelope.unknown_members = json.dumps(whole, separators=(",", ":"), allow_nan=False)
        except ValueError:
            _refuse(Code.NOT_FINITE, "a member that no field is known for holds NaN or an infinite number")
    return envelope


def _canonical(members: Members, descriptor: Descriptor, place: str) -> tuple[Members, Members]:
    """Split an object into members for `json_format`, under proto names, and those that no field is known for."""
    fields = _fields_by_any_name(descriptor)
    canonical: Members = {}
    unknown: Members = {}
    for name, value in members.items():
        field = fields.get(name)
        if field is None:
            unknown[name] = value
        elif field.name in canonical:
            _refuse(Code.DUPLICATE_KEY, f"{place}{field.name} is given twice, in both spellings")
        elif value is not None:
            canonical[field.name] = _value(field, value, place, unknown)
            if isinstance(value, str) and field.type == FieldDescriptor.TYPE_DOUBLE:
                _keep_digits(canonical, fields, field.name, value)
    return canonical, unknown


def _keep_digits(canonical: Members, fields: Mapping[str, FieldDescriptor], name: str, text: str) -> None:
    """A decimal text says the double of the field, and all of its digits where a double has too few."""
    exact, beside = read_decimal(text), text_of_double(name)
    if exact is not None and beside in fields and not says_all(float(exact), exact):
        canonical.setdefault(beside, text)


def _fields_by_any_name(descriptor: Descriptor) -> Mapping[str, FieldDescriptor]:
    fields = cast("list[FieldDescriptor]", list(descriptor.fields))
    return {name: field for field in fields for name in (field.json_name, field.name)}


def _value(field: FieldDescriptor, value: Any, place: str, unknown: Members) -> Any:
    """The value for `json_format`; unknown members of nested objects are collected under the field's name."""
    if field.type == FieldDescriptor.TYPE_ENUM:
        return _enum_value(field, value, place)
    nested = field.message_type
    if nested is None or nested.GetOptions().map_entry:
        return _scalar(field, value, place)
    descriptor = nested
    many = isinstance(value, list) and field.is_repeated
    read: list[Members] = []
    for index, item in enumerate(value if many else [value]):
        here = f"{place}{field.name}[{index}]." if many else f"{place}{field.name}."
        if not isinstance(item, dict):
            _refuse(Code.WRONG_TYPE, f"{here[:-1]} {shown(item)} is no object")
        members, strange = _canonical(item, descriptor, here)
        read.append(members)
        if strange:
            unknown.setdefault(field.name, {}).update({str(index): strange} if many else strange)
    return read if many else read[0]


def _enum_value(field: FieldDescriptor, value: Any, place: str) -> Any:
    assert field.enum_type is not None
    if isinstance(value, str):
        names = field.enum_type.values_by_name
        if value in names or value.upper() in names:
            return value if value in names else value.upper()
        _refuse(Code.BAD_CHOICE, f"{place}{field.name} {shown(value)} is no value of {field.enum_type.full_name}")
    return _scalar(field, value, place)


def _scalar(field: FieldDescriptor, value: Any, place: str) -> Any:
    numeric = field.type not in (FieldDescriptor.TYPE_BOOL, FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES)
    if numeric and isinstance(value, bool):
        _refuse(Code.WRONG_TYPE, f"{place}{field.name} {shown(value)} is no number")
    return value


def _fill(message: Message, members: Members, place: str) -> None:
    """Let `json_format` read the members; where it will not, find the field to blame."""
    try:
        json_format.ParseDict(members, message)
    except (json_format.ParseError, ValueError, TypeError, OverflowError):
        for name, value in members.items():
            _blame(type(message)(), name, value, place)
        raise


def _blame(empty: Message, name: str, value: Any, place: str) -> None:
    try:
        json_format.ParseDict({name: value}, empty)
    except (json_format.ParseError, ValueError, TypeError, OverflowError) as error:
        detail = str(error)
        if isinstance(value, float) and not isfinite(value):
            _refuse(Code.NOT_FINITE, f"{place}{name} {value} is not finite")
        if isinstance(error, OverflowError) or "out of range" in detail or "too large" in detail:
            _refuse(Code.OUT_OF_RANGE, f"{place}{name} {shown(value)} does not fit into its field")
        if isinstance(error, UnicodeError) or "surrogate" in detail:
            _refuse(Code.BAD_TEXT, f"{place}{name} {shown(value)} is not UTF-8")
        _refuse(Code.WRONG_TYPE, f"{place}{name} {shown(value)} is not of the field's type")
