"""Validation: whether one event is good, and the first thing that is wrong with it.

How the rules of `domain/events/catalogue.py` are read, here and in the projection engine's columns alike:

Envelope: message_type is in the catalogue (single or batch form); company_id matches `COMPANY_ID`; user_id, event_id
and producer_id are at most `MAX_ID` bytes without U+0000; user_id is not empty where the type is `of_user`;
producer_seq is below 2^63; schema_version is one that is known; timestamp lies in [`EARLIEST`, `LATEST`) (the doors
fill an absent one from the payload's event time before they check); the payload decodes as the type's message. event_id
may be empty.

Payload, each fact of it in the order of its field numbers: text is at most `MAX_TEXT` bytes, a document at most
`MAX_DOCUMENT`, and without U+0000 (also keys, values and members of maps and lists); a required text is not empty;
`choices` bind every text that is not empty.
A double x is finite, within the largest decimal and not too fine (`domain/decimals.py`; a `measured` one may be), and
so are products; a required one is present (0 is a value); `positive` means x > 0, `not_negative` x ≥ 0, both of the
double as it came. An enum number is one of its enum's; a
required one is not 0. Times lie in [`EARLIEST`, `LATEST`); one that is not required may be 0. Other fields are free.
Then, of fields that are good by themselves, the type's `scales` and `rising` pairs (`domain/events/bounds.py`).
A batch event holds 1 to `MAX_FACTS` facts.

Rules of the doors, beyond those of the log: the other texts of the envelope are at most `MAX_ID` bytes without
U+0000, the serialised envelope is at most `MAX_EVENT` bytes, and types that only this service publishes are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import accumulate
from operator import attrgetter, itemgetter
from typing import Any, cast

from common.envelope_pb2 import AnalyticsProcessingEnvelope
from google.protobuf.message import DecodeError, Message

from domain.decimals import FINEST, MOST
from domain.events.bounds import Check, bound_checks
from domain.events.catalogue import (
    BATCHES,
    BY_NAME,
    COMPANY_ID,
    MAX_EVENT,
    MAX_FACTS,
    MAX_TEXT,
    MOST_AHEAD,
    SECONDS,
    EventType,
    event_type,
    is_time,
)
from domain.events.decimal_checks import check_decimal, check_double
from domain.events.field_rules import AT_DOORS, ENVELOPE, FieldRule, Form, field_rules
from domain.events.problems import Code, Problem, shown
from domain.events.upcasting import upcast

RESERVED_STREAMS = frozenset({"config-events", "audit-events", "insight-events", "quarantine"})

SEQUENCES = 2**63  # the first number that does not fit
_company_matches = re.compile(COMPANY_ID.replace("$", r"\Z")).match


def judge(value: bytes, stream: str | None = None, taken_at: int | None = None) -> Problem | None:
    """The first rule of the log that a serialised envelope breaks, None for a good one.

    `stream`: the topic that it lies in; an event of another stream is a problem too. `taken_at`: when the log took it
    (ms), None where that is not known.
    """
    try:
        envelope = AnalyticsProcessingEnvelope.FromString(value)
    except DecodeError:
        return Problem(Code.UNDECODABLE, "the bytes are no envelope")
    kind = event_type(envelope.message_type)
    problem = check_envelope(envelope, kind)
    if problem is not None or kind is None:
        return problem
    if stream is not None and kind.stream != stream:
        return Problem(Code.WRONG_STREAM, f"{envelope.message_type} belongs to {kind.stream}, not to {stream}")
    payload = decode_payload(envelope)
    if isinstance(payload, Problem):
        return payload
    problem = check_payload(kind, payload)
    return problem if problem is not None or taken_at is None else _check_ahead(envelope, kind, payload, taken_at)


def _check_ahead(
    envelope: AnalyticsProcessingEnvelope, kind: EventType, payload: Message, taken_at: int
) -> Problem | None:
    """The first time that lies too far beyond the one at which the log took the event."""
    names = [name for name in kind.times if name not in kind.ahead]
    facts: Iterable[tuple[int | None, Message]] = [(None, payload)]
    if not isinstance(payload, kind.message):
        facts = enumerate(cast(Any, payload).items)
    times: list[tuple[str, int, int | None]] = [("timestamp", envelope.timestamp, None)]
    times += [(name, getattr(fact, name), item) for item, fact in facts for name in names]
    for name, value, item in times:
        if value > taken_at + MOST_AHEAD:
            place = name if item is None else f"items[{item}].{name}"
            reason = f"{place} {value} is more than 24 hours after {taken_at}, when the log took the event"
            return Problem(Code.IN_THE_FUTURE, reason, item)
    return None


def decode_payload(envelope: AnalyticsProcessingEnvelope) -> Message | Problem:
    """The payload as the message of the envelope's type, which must be in the catalogue, in its newest schema."""
    name = envelope.message_type
    kind = event_type(name)
    assert kind is not None, "check_envelope comes first"
    message = kind.batch if name in BATCHES else kind.message
    assert message is not None
    try:
        return upcast(kind, message.FromString(envelope.payload), envelope.schema_version)
    except DecodeError:
        return Problem(
            Code.UNDECODABLE, f"payload is no {message.DESCRIPTOR.full_name} ({len(envelope.payload)} bytes)"
        )


def check_envelope(envelope: AnalyticsProcessingEnvelope, kind: EventType | None) -> Problem | None:
    """The first rule of the log that the envelope itself breaks."""
    if kind is None:
        return _unknown_type(envelope.message_type)
    if _envelope_looks_good(envelope, kind):
        return None
    for rule in ENVELOPE:
        if problem := _check(rule)(envelope):
            return problem
    if kind.of_user and not envelope.user_id:
        return Problem(Code.MISSING_FIELD, f"user_id is required for {envelope.message_type}")
    return _newer(envelope, kind) if envelope.schema_version > kind.schema_version else None


def reserved(kind: EventType) -> Problem:
    """The problem of a type in `RESERVED_STREAMS` that somebody else publishes."""
    return Problem(Code.RESERVED_TYPE, f"{kind.name} is published by this service alone")


def too_large(size: int) -> Problem:
    """The problem of an event of so many bytes."""
    return Problem(Code.TOO_LARGE, f"the event has {size} bytes, at most {MAX_EVENT} are taken")


def _newer(envelope: AnalyticsProcessingEnvelope, kind: EventType) -> Problem:
    newest, version = kind.schema_version, envelope.schema_version
    return Problem(
        Code.NEWER_SCHEMA, f"{envelope.message_type} has schema version {version}, and {newest} is the newest known"
    )


def _unknown_type(name: str) -> Problem:
    if not name:
        return Problem(Code.MISSING_FIELD, "message_type is required")
    return Problem(Code.UNKNOWN_TYPE, f"message_type {shown(name)} is not in the event catalogue")


def _bad_time(name: str, value: int) -> Problem:
    if value == 0:
        return Problem(Code.MISSING_FIELD, f"{name} is required")
    if SECONDS[0] <= value < SECONDS[1]:
        return Problem(Code.BAD_TIME, f"{name} {value} is in seconds: times are milliseconds, {1_000 * value} here")
    return Problem(Code.BAD_TIME, f"{name} {value} is not within 1970 and 2100 (milliseconds UTC)")


def _text_problem(name: str, text: str, limit: int) -> Problem | None:
    if "\0" in text:
        return Problem(Code.BAD_TEXT, f"{name} {shown(text)} holds U+0000")
    if len(text) * 4 > limit and (size := len(text.encode())) > limit:
        return Problem(Code.BAD_TEXT, f"{name} has {size} bytes, at most {limit} are taken")
    return None


def check_payload(kind: EventType, payload: Message) -> Problem | None:
    """The first rule that a decoded payload breaks, in its single or batch form."""
    single = isinstance(payload, kind.message)
    facts = (payload,) if single else payload.items  # type: ignore[attr-defined]  # every batch has this one field
    if not 1 <= len(facts) <= MAX_FACTS:
        few = Problem(Code.EMPTY_BATCH, "items is empty")
        return (
            Problem(Code.TOO_LARGE, f"items holds {len(facts)} facts, at most {MAX_FACTS} are taken") if facts else few
        )
    looks_good = _looks_good(kind.name)
    for index, fact in enumerate(facts):
        if not looks_good(fact) and (problem := next(filter(None, (c(fact) for c in _checks(kind.name))), None)):
            return problem if single else problem._replace(reason=f"items[{index}].{problem.reason}", item=index)
    return None


@cache
def _looks_good(name: str) -> Callable[[Message], bool]:
    """A test that is several times faster than the checks one by one; what it lets through breaks no rule."""
    rules = field_rules(name)
    of_form = {form: [rule.name for rule in rules if rule.form is form] for form in Form}
    texts, doubles, times = of_form[Form.TEXT], of_form[Form.DOUBLE], of_form[Form.TIME]
    names = [*texts, *doubles, *times, *of_form[Form.DECIMAL], *of_form[Form.ENUM]]
    values_of = attrgetter(*names)  # one call: fetching a field is the dear part
    ends = [*accumulate(map(len, (texts, doubles, times, of_form[Form.DECIMAL])))]
    required = _picker(
        names, [rule.name for rule in rules if rule.required]
    )  # 0 may be absence: it goes to the checks, which ask for presence
    bounded = _picker(names, [rule.name for rule in rules if rule.positive or rule.not_negative])
    lists = of_form[Form.MEMBERS]
    others = [_check(rule) for rule in rules if rule.form is Form.ENUM or rule.choices]
    others += bound_checks(BY_NAME[name])

    def looks_good(fact: Message) -> bool:
        values = values_of(fact)
        text = "".join(values[: ends[0]])
        if len(text) * 4 > MAX_TEXT or "\0" in text or not all(required(values)) or min(bounded(values), default=0) < 0:
            return False
        for number in values[ends[0] : ends[1]]:
            if number and not FINEST <= abs(number) <= MOST:
                return False
        for time in values[ends[1] : ends[2]]:
            if time and not is_time(time):
                return False
        if any(values[ends[2] : ends[3]]):  # decimal texts are rare, and go to the checks
            return False
        if any([check(fact) for check in others]):
            return False
        return not any([getattr(fact, name) for name in lists])

    return looks_good


def _picker(names: list[str], picked: Iterable[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Picks the values of some names out of the values of all of them."""
    places = [names.index(name) for name in picked]
    if len(places) > 1:
        return itemgetter(*places)
    return (lambda values: (values[places[0]],)) if places else (lambda values: ())


@cache
def _checks(name: str) -> tuple[Check, ...]:
    return (*(_check(rule) for rule in field_rules(name)), *bound_checks(BY_NAME[name]))


def _looks_good_of_envelopes() -> Callable[[AnalyticsProcessingEnvelope, EventType], bool]:
    """As of payloads: what it lets through breaks no rule, and all fields are fetched by one call."""
    of_form = {form: [rule.name for rule in ENVELOPE if rule.form is form] for form in Form}
    (company,), (time,), (sequence,) = of_form[Form.COMPANY], of_form[Form.TIME], of_form[Form.SEQUENCE]
    names = of_form[Form.TEXT]
    values_of, user = attrgetter(company, time, sequence, "schema_version", *names), names.index("user_id")
    shortest = min(rule.longest for rule in ENVELOPE if rule.form is Form.TEXT)

    def looks_good(envelope: AnalyticsProcessingEnvelope, kind: EventType) -> bool:
        company_id, at, number, version, *texts = values_of(envelope)
        joined = "".join(texts)
        if len(joined) * 4 > shortest or "\0" in joined or not _company_matches(company_id) or not is_time(at):
            return False
        return number < SEQUENCES and version <= kind.schema_version and (bool(texts[user]) or not kind.of_user)

    return looks_good


_envelope_looks_good = _looks_good_of_envelopes()


def _check(rule: FieldRule) -> Check:
    """The exact check of one field."""
    checks: dict[Form, Callable[[FieldRule], Check]] = {
        Form.TEXT: _check_text,
        Form.DOUBLE: check_double,
        Form.DECIMAL: check_decimal,
        Form.ENUM: _check_enum,
        Form.TIME: _check_time,
        Form.MEMBERS: _check_members,
        Form.COMPANY: _check_company,
        Form.SEQUENCE: _check_sequence,
    }
    return checks[rule.form](rule) if rule.form in checks else lambda fact: None


def _check_text(rule: FieldRule) -> Check:
    name, required, longest, choices = rule.name, rule.required, rule.longest, rule.choices

    def check(fact: Message) -> Problem | None:
        text = getattr(fact, name)
        if not text:
            return Problem(Code.MISSING_FIELD, f"{name} is required") if required else None
        if choices and text not in choices:
            return Problem(Code.BAD_CHOICE, f"{name} {shown(text)} is not one of {', '.join(choices)}")
        return _text_problem(name, text, longest)

    return check


def _check_texts(rules: Sequence[FieldRule]) -> Check:
    """The check of several texts: looked at together first, which is as dear as one of them."""
    texts_of, shortest = attrgetter(*(rule.name for rule in rules)), min(rule.longest for rule in rules)
    checks = tuple(map(_check_text, rules))

    def check(message: Message) -> Problem | None:
        joined = "".join(texts_of(message))
        if len(joined) * 4 <= shortest and "\0" not in joined:
            return None
        return next(filter(None, (each(message) for each in checks)), None)

    return check


check_at_door = _check_texts(AT_DOORS)
"""The first rule of form that only doors have; the size is checked where the envelope is serialised."""


def _check_members(rule: FieldRule) -> Check:
    name, is_map, longest = rule.name, rule.is_map, rule.longest

    def check(fact: Message) -> Problem | None:
        members = getattr(fact, name)
        if not members:
            return None
        for text in (*members.keys(), *members.values()) if is_map else members:
            if problem := _text_problem(f"a member of {name}", text, longest):
                return problem
        return None

    return check


def _check_enum(rule: FieldRule) -> Check:
    name, required, numbers = rule.name, rule.required, rule.numbers

    def check(fact: Message) -> Problem | None:
        number = getattr(fact, name)
        if number not in numbers:
            return Problem(Code.BAD_CHOICE, f"{name} {number} is no value of {_enum_of(fact, name)}")
        return Problem(Code.MISSING_FIELD, f"{name} is required") if required and number == 0 else None

    return check


def _enum_of(fact: Message, name: str) -> str:
    enum = fact.DESCRIPTOR.fields_by_name[name].enum_type
    return "" if enum is None else enum.full_name


def _check_time(rule: FieldRule) -> Check:
    name, required = rule.name, rule.required

    def check(fact: Message) -> Problem | None:
        value = getattr(fact, name)
        return None if is_time(value) or (value == 0 and not required) else _bad_time(name, value)

    return check


def _check_company(rule: FieldRule) -> Check:
    name = rule.name

    def check(envelope: AnalyticsProcessingEnvelope) -> Problem | None:
        text = getattr(envelope, name)
        if _company_matches(text):
            return None
        if not text:
            return Problem(Code.MISSING_FIELD, f"{name} is required")
        return Problem(Code.BAD_COMPANY, f"{name} {shown(text)} is not 1 to 64 of A-Z a-z 0-9 _ -")

    return check


def _check_sequence(rule: FieldRule) -> Check:
    name = rule.name

    def check(envelope: AnalyticsProcessingEnvelope) -> Problem | None:
        number = getattr(envelope, name)
        return Problem(Code.OUT_OF_RANGE, f"{name} {number} does not fit into 63 bits") if number >= SEQUENCES else None

    return check
