"""Repair: quarantined events made good and published again, in order; or dropped with a reason.

A repaired event keeps its event id and event time and goes in without its producer's sequence, which is behind by now:
it is known by its identity, so that repairing twice counts once. One whose id was taken needs another id. It says when
it was first taken: a report that waited here is no newer than those that came meanwhile. Order of work: append the
events → append the audit events → note the outcome. After a crash in between the same call does no harm.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from common.envelope_pb2 import AnalyticsProcessingEnvelope
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError

from domain.audit import SYSTEM, Actor, Door, Note
from domain.errors import Conflict, Invalid
from domain.events.catalogue import BATCHES, COMPANY_ID, event_type
from domain.events.problems import Code
from domain.events.validation import RESERVED_STREAMS, reserved
from domain.ports import Placed, Record
from domain.position import Position
from domain.request import correlation, tracing
from eventlog.intake.identified import contradicting
from eventlog.intake.json_mapping import from_json
from eventlog.intake.parsing import ParsedEvent, from_protobuf, refusal
from eventlog.intake.quarantine import Entry, Quarantine, Resolution
from eventlog.publish.audit_events import audit_record
from eventlog.publish.publisher import Publisher
from eventlog.publish.record import record_of

LOG = "log"  # door of what the projector set aside
AT_ONCE = 1_000  # entries that are repaired together


@dataclass(frozen=True, slots=True)
class Change:
    """How events are repaired: another event in its place (one line of JSON), or members set by their paths."""

    instead: bytes | None = None
    members: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one entry: where it lies now, or why it is still bad."""

    id: int
    replayed_to: str = ""
    problem: str = ""


@dataclass
class Repairs:
    """What somebody does with the quarantine, through which door. `publisher` must not stamp."""

    publisher: Publisher
    quarantine: Quarantine
    actor: Actor
    door: Door = Door.CLI

    async def replay(self, entries: Sequence[Entry], change: Change) -> list[Result]:
        """Publish these entries again, in the order given. What is still bad waits on, and says why.

        Raises Conflict for an entry that does not wait, Unavailable: repeat the call then.
        """
        for entry in entries:
            if entry.status != "waiting":
                raise Conflict(f"entry {entry.id} was {entry.status}", code="entry_settled")
            if entry.projection is not None:
                raise Conflict(
                    f"the event of entry {entry.id} is refused by {entry.projection} alone: published again, it would"
                    " be a repeat for all others",
                    code="refused_by_projection",
                    suggested_actions=("mend the projection under a new version, rebuild it, then drop the entry",),
                )
        results: list[Result] = []
        for start in range(0, len(entries), AT_ONCE):
            results += await self._replay(entries[start : start + AT_ONCE], change)
        return results

    async def _replay(self, entries: Sequence[Entry], change: Change) -> list[Result]:
        contents = await self.quarantine.contents([e.id for e in entries])
        problems: dict[int, str] = {}
        records: dict[int, Record] = {}
        for entry in entries:
            try:
                records[entry.id] = repaired(entry, contents[entry.id], change)
            except Invalid as still_bad:
                problems[entry.id] = f"{still_bad.code}: {still_bad}"
        written = await self.publisher.append(list(records.values())) if records else None
        placed = dict(zip(records, written.placed, strict=True)) if written is not None else {}
        good = [entry for entry in entries if entry.id in records]
        tokens = {entry_id: _token(place) for entry_id, place in placed.items()}
        await self._settle([Resolution(e.id, "replayed", self.actor.subject, "", tokens[e.id]) for e in good], good)
        return [Result(e.id, tokens.get(e.id, ""), problems.get(e.id, "")) for e in entries]

    async def drop(self, entries: Sequence[Entry], reason: str) -> None:
        """Let these entries wait no more; their bytes stay. Raises Invalid without a reason, Conflict, Unavailable."""
        if not reason.strip():
            raise Invalid("say why", code="missing_reason")
        for entry in entries:
            if entry.status != "waiting":
                raise Conflict(f"entry {entry.id} was {entry.status}", code="entry_settled")
        await self._settle([Resolution(e.id, "dropped", self.actor.subject, reason) for e in entries], entries)

    async def _settle(self, resolutions: Sequence[Resolution], entries: Sequence[Entry]) -> None:
        acted = [
            audit_record(
                Note(
                    self.actor,
                    f"quarantine_{s.status}",
                    f"quarantine {s.id}: {s.note or entry.code}",
                    self.door,
                    company=entry.company_id if _is_company(entry.company_id) else SYSTEM,
                    position=s.replayed_to,
                    correlation_id=correlation.current.get(),
                ),
                trace=tracing.current.get(),
                event_id=f"quarantine-{s.id}-{s.status}",
                causation_id=entry.event_id,
            )
            for s, entry in zip(resolutions, entries, strict=True)
        ]
        if acted:
            await self.publisher.append(acted)
            await self.quarantine.settle(resolutions)


def repaired(entry: Entry, content: bytes, change: Change) -> Record:
    """The record of an entry's event. Raises RefusedEvent where it is still bad, Invalid for a wrong path."""
    parsed = _parsed(entry, content, change)
    envelope = parsed.envelope
    # what the projector set aside lay in the log: no door lets in what only this service publishes
    if parsed.kind.stream in RESERVED_STREAMS and entry.door != LOG:
        raise refusal(envelope, reserved(parsed.kind))
    envelope.producer_seq = 0
    if entry.code == Code.CONFLICTING_DUPLICATE and envelope.event_id == entry.event_id:
        raise contradicting(envelope)
    envelope.ClearField("auth_token")  # it goes in on the word of whoever replays it
    envelope.causation_id = envelope.causation_id or f"quarantine-{entry.id}"
    envelope.first_taken_at = entry.taken_at
    return record_of(envelope, parsed.kind)


def _parsed(entry: Entry, content: bytes, change: Change) -> ParsedEvent:
    if change.instead is not None:
        if not _is_json(change.instead):
            raise Invalid("what is given instead is no JSON object", code="bad_json")
        return _read(entry, json.loads(change.instead))
    if not change.members:
        return _read(entry, json.loads(content)) if _is_json(content) else _unchanged(entry, content)
    document = json.loads(content) if _is_json(content) else document_of(content)
    for path, value in change.members.items():
        _set(document, path, value)
    return _read(entry, document)


def _unchanged(entry: Entry, content: bytes) -> ParsedEvent:
    """As it is, with an identity of its own where it has none: replayed twice it must count once."""
    envelope = AnalyticsProcessingEnvelope()
    try:
        envelope.ParseFromString(content)
    except DecodeError:
        return from_protobuf(content)  # which says what is wrong
    envelope.event_id = envelope.event_id or f"quarantine-{entry.id}"
    return from_protobuf(envelope.SerializeToString())


def _read(entry: Entry, document: dict[str, Any]) -> ParsedEvent:
    named = document.get("event_id") or document.get("eventId")
    identified = document if named else {**document, "event_id": entry.event_id or f"quarantine-{entry.id}"}
    return from_json(json.dumps(identified).encode())


def document_of(content: bytes) -> dict[str, Any]:
    """A serialised envelope as JSON members, its payload as an object. Raises Invalid for bytes that are none."""
    try:
        envelope = AnalyticsProcessingEnvelope.FromString(content)
        kind = event_type(envelope.message_type)
        message = kind and (kind.batch if envelope.message_type in BATCHES else kind.message)
        payload = message.FromString(envelope.payload) if message else None
    except DecodeError:
        payload = None
    if payload is None:
        raise Invalid("its bytes are no event whose members could be set: give another one", code="undecodable")
    document: dict[str, Any] = MessageToDict(envelope, preserving_proto_field_name=True)
    members = MessageToDict(payload, preserving_proto_field_name=True)
    return {**document, "payload": members | json.loads(document.pop("unknown_members", "{}"))}


def _set(document: dict[str, Any], path: str, value: Any) -> None:
    """Set the member at a dotted path (numbers count list items from 0); null takes it away."""
    *outer, last = path.split(".")
    place: Any = document
    try:
        for name in outer:
            place = place[int(name)] if isinstance(place, list) else place.setdefault(name, {})
        if isinstance(place, list):
            place[int(last)] = value
        elif value is None:
            place.pop(last, None)
        else:
            place[last] = value
    except (AttributeError, TypeError, ValueError, IndexError):
        raise Invalid(f"there is no {path} in this event", code="bad_path") from None


def _is_json(content: bytes) -> bool:
    try:
        return isinstance(json.loads(content), dict)
    except ValueError:
        return False


def _token(place: Placed) -> str:
    return str(Position({(place.topic, place.partition): place.offset + 1}))


def _is_company(name: str) -> bool:
    return re.fullmatch(COMPANY_ID, name) is not None
