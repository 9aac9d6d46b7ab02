"""Request bodies as events: which content types are taken, and how each is cut into events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator

import msgspec

from domain.errors import Invalid
from domain.events.catalogue import MAX_EVENT
from domain.events.validation import too_large
from eventlog.intake.framing import Item, delimited, ndjson
from eventlog.intake.json_mapping import from_json
from eventlog.intake.parsing import Parse, from_protobuf

Chunks = AsyncIterator[bytes]
Cut = Callable[[Chunks], AsyncIterator[list[Item]]]
_array = msgspec.json.Decoder(list[msgspec.Raw])


def document(body: bytes) -> list[Item]:
    """A JSON document: one event, or an array of events (their places count from 0)."""
    body = body.strip()
    if not body.startswith(b"["):
        return [_item(0, body)]
    try:
        return [_item(place, bytes(raw)) for place, raw in enumerate(_array.decode(body))]
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return list(_one_by_one(body.decode(errors="surrogateescape")))


def _item(place: int, data: bytes) -> Item:
    if len(data) <= MAX_EVENT:
        return Item(place, data)
    return Item(place, data[:MAX_EVENT], too_large(len(data)))


def _one_by_one(text: str) -> Iterator[Item]:
    """Elements of an array that is broken somewhere: those before the fault, then the rest as one bad event."""
    scan, place, at = json.JSONDecoder().raw_decode, 0, _skip(text, 1)
    while at < len(text) and text[at] != "]":
        try:
            _, end = scan(text, at)
            after = _skip(text, end)
            broken = text[after : after + 1] not in (",", "]")
        except (ValueError, RecursionError):
            broken = True
        if broken:
            yield _item(place, text[at:].encode(errors="surrogateescape"))
            return
        yield _item(place, text[at:end].encode(errors="surrogateescape"))
        place, at = place + 1, _skip(text, after + 1) if text[after] == "," else after


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


FORMS: dict[str, tuple[Cut | None, Parse]] = {  # None: a document, which is cut when it is there as a whole
    "application/json": (None, from_json),
    "application/x-ndjson": (ndjson, from_json),
    "application/ndjson": (ndjson, from_json),
    "application/jsonl": (ndjson, from_json),
    "application/x-protobuf": (delimited, from_protobuf),
    "application/protobuf": (delimited, from_protobuf),
}


def form(content_type: str) -> tuple[Cut | None, Parse]:
    """How to cut and read a body of this content type, None where it is a `document`; raises Invalid for another."""
    name = content_type.partition(";")[0].strip().lower()
    if name not in FORMS:
        raise Invalid(
            f"content type {name or 'none'!r} is not taken here",
            code="unsupported_media_type",
            suggested_actions=(f"Send one of {', '.join(FORMS)}.",),
        )
    return FORMS[name]
