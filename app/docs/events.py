"""docs/reference/events.md, from the event catalogue and the closed set of problem codes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from google.protobuf.descriptor import FieldDescriptor

from app.docs.markdown import code, document, table
from domain.events import catalogue
from domain.events.bounds import extent, value_name
from domain.events.catalogue import CATALOGUE, STREAMS, EventType
from domain.events.problems import MEANINGS

INTRODUCTION = f"""# Events

Every event travels in a [`common.AnalyticsProcessingEnvelope`](protobuf.md). Its `message_type` names the type of its
payload; `…_batch` types carry many facts of one kind in one event. Streams are topics of the log
(Kafka: `analytics-<stream>`) and subjects of the bus (NATS: `analytics.<stream>.<company_id>`).

Rules that hold for every type:

- `company_id` is 1 to 64 of the characters `A-Z a-z 0-9 _ -`.
- A `double` is finite and at most 10^15. It says its 15 significant digits, and these are kept on a grid of 10^-12,
  rounded half to even once, when they are read; an amount that this changes by more than one part in a million is
  refused (`too_fine`). What follows from several, such as quantity × price, is computed from what is kept, exactly,
  rounded once, and at most 10^18.
- A time is in milliseconds UTC, after 1970-01-01T00:00:00Z and before 2100-01-01T00:00:00Z. 0 means absent.
- A text has at most {catalogue.MAX_TEXT:,} bytes, an id at most {catalogue.MAX_ID}, a text that holds a whole
  document at most {catalogue.MAX_DOCUMENT:,}, a serialised envelope at most {catalogue.MAX_EVENT:,}; a batch holds 1 to
  {catalogue.MAX_FACTS:,} facts.
- `event_id` is unique in its company and producer (`producer_id`, else `service_source`), whatever the stream and the
  user. An event with an id that was taken before is a repeat, counts once and is answered as a duplicate, if it says
  the same: type, user, payload, and the envelope's `timestamp` where the payload has no time of its own. If it says
  otherwise, it goes to quarantine (`conflicting_duplicate`); the first one counts. Ids are kept as long as the log's
  decisions. A producer that stamps its events (`producer_id`, `producer_seq`: the publisher library, a gRPC stream) is
  known by its rising sequence instead, within its company and partition.

Of types that name an identity the last report of a fact counts, and counts once, in every figure: the one with the
highest `revision` where reports give one, else the one that the log took last. What takes a fact back holds for all of
its reports up to that revision, also for those that come later; a higher one reports it anew.

An event that breaks a rule goes to quarantine with its bytes, its place and one of the codes at the end of this page.
How to send events: [publish events](../how-to/publish-events.md).
"""


def events_page() -> str:
    """The catalogue by stream, then the codes."""
    sections = [_stream(stream) for stream in STREAMS]
    codes = table(("code", "meaning"), ((f"`{c.value}`", meaning) for c, meaning in MEANINGS.items()))
    return document(INTRODUCTION, *sections, "## Codes of what can be wrong", codes)


def _stream(stream: str) -> str:
    types = [kind for kind in CATALOGUE if kind.stream == stream]
    return document(f"## {stream}", *(_type(kind) for kind in types))


def _type(kind: EventType) -> str:
    heading = f"### {kind.name}"
    batch = f"Many in one event: `{kind.batch_name}`, `{kind.batch.DESCRIPTOR.full_name}`." if kind.batch else ""
    user = " It happens to a user: the envelope's `user_id` is required." if kind.of_user else ""
    time = "the envelope's `timestamp`" if kind.event_time == "timestamp" else f"`{kind.event_time}`"
    text = f"Payload `{kind.message.DESCRIPTOR.full_name}`. Event time is {time}.{user}{_identity(kind)}\n{batch}"
    rows = [(f"`{f.name}`", _form(f), "; ".join(_rules(kind, f))) for f in _fields(kind)]
    return document(heading, text, table(("field", "form", "rules"), rows))


def _identity(kind: EventType) -> str:
    names = code(kind.identity)
    if kind.takes_back:
        return f" It takes back the `{kind.takes_back}` with this {names}, whichever of them comes first."
    return f" Reported again with the same {names}, it replaces what was reported." if kind.identity else ""


def _fields(kind: EventType) -> list[FieldDescriptor]:
    return cast(list[FieldDescriptor], list(kind.message.DESCRIPTOR.fields))  # typed as one of two equal classes


def _form(field: FieldDescriptor) -> str:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return "map of " + _plain(field.message_type.fields_by_name["value"])
    return ("list of " if field.is_repeated else "") + _plain(field)


def _plain(field: FieldDescriptor) -> str:
    if field.enum_type is not None:
        return "one of " + code(v.name.lower() for v in field.enum_type.values if v.number)
    if field.message_type is not None:
        return f"`{field.message_type.full_name}`"
    return _NAMES[field.type]


_NAMES = {
    number: name.removeprefix("TYPE_").lower()
    for name, number in vars(FieldDescriptor).items()
    if name.startswith("TYPE_") and isinstance(number, int)
}


def _rules(kind: EventType, field: FieldDescriptor) -> Iterator[str]:
    named = {
        "required": kind.required,
        "ms since 1970 UTC": kind.times,
        "above 0": kind.positive,
        "0 or above": kind.not_negative,
        "3 to 10 of `A-Z 0-9`": kind.currencies,
    }
    yield from (rule for rule, names in named.items() if field.name in names)
    if choices := dict(kind.choices).get(field.name):
        yield "one of " + code(choices)
    for scale in kind.scales:
        if scale.field == field.name:
            name = value_name(kind, scale)
            yield extent(scale) + (f" (`{name or scale.of}`)" if scale.of else "")
    for lower, upper in kind.rising:
        if lower == field.name:
            yield f"not {'after' if upper in kind.times else 'above'} `{upper}`"
