"""What a client of the WebSocket makes of its frames: in JSON and in protobuf the same objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from services import live_pb2 as live


def object_of(data: str | bytes) -> dict[str, Any]:
    """A frame as the object that it is in JSON."""
    if isinstance(data, str):
        found: dict[str, Any] = msgspec.json.decode(data)
        return found
    frame = live.LiveFrame.FromString(data)
    kind = frame.WhichOneof("content")
    head = {name: getattr(frame, name) for name in ("id", "token", "resume") if getattr(frame, name)}
    match kind:
        case "snapshot":
            return {"type": kind, **head, "answer": _members(frame.snapshot)}
        case "delta":
            return {"type": kind, **head, "delta": _delta(frame.delta)}
        case "welcome":
            welcome = {field.name: value for field, value in frame.welcome.ListFields()}
            return {"type": kind, **{k: list(v) if k in ("companies", "roles") else v for k, v in welcome.items()}}
        case "error" | "ended":
            return {"type": kind, "id": frame.id, "problem": _members(getattr(frame, kind))}
        case _:
            raise AssertionError("a frame that says nothing")


def _members(found: live.LiveObject) -> dict[str, Any]:
    return {name: _value(value) for name, value in found.members.items()}


def _value(value: live.LiveValue) -> Any:
    kind = value.WhichOneof("kind")
    match kind:
        case None:
            return None
        case "object":
            return _members(value.object)
        case "list":
            return [_value(each) for each in value.list.values]
        case "digits":
            return int(value.digits)
        case _:
            return getattr(value, kind)


def _delta(delta: live.LiveDelta) -> dict[str, Any]:
    lists = {name: _rows(rows) for name, rows in delta.lists.items()}
    found: Mapping[str, Any] = {"set": _members(delta.set), "unset": list(delta.unset), "lists": lists}
    return {name: part for name, part in found.items() if part}


def _rows(rows: live.LiveDelta.Rows) -> dict[str, Any]:
    found: Mapping[str, Any] = {
        "removed": [[_value(each) for each in key.values] for key in rows.removed],
        "changed": [[[_value(each) for each in row.key.values], _delta(row.delta)] for row in rows.changed],
        "added": [[row.place, _members(row.row)] for row in rows.added],
    }
    return {"key": list(rows.key), **{name: part for name, part in found.items() if part}}


def apply_delta(document: Mapping[str, Any], delta: Mapping[str, Any]) -> dict[str, Any]:
    """The document that a delta, as decoded JSON, makes of one: what every client does."""
    gone = delta.get("unset", ())
    result: dict[str, Any] = {name: value for name, value in document.items() if name not in gone} | delta.get(
        "set", {}
    )
    for name, changes in delta.get("lists", {}).items():
        result[name] = _apply_rows(result[name], changes)
    return result


def _apply_rows(rows: Sequence[Mapping[str, Any]], changes: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    def key_of(row: Mapping[str, Any]) -> bytes:
        return msgspec.json.encode([row[name] for name in changes["key"]])

    removed = {msgspec.json.encode(key) for key in changes.get("removed", ())}
    changed = {msgspec.json.encode(key): delta for key, delta in changes.get("changed", ())}
    found = [row for row in rows if key_of(row) not in removed]
    found = [apply_delta(row, changed[key]) if (key := key_of(row)) in changed else row for row in found]
    for place, row in changes.get("added", ()):
        found.insert(place, row)
    return found


def canonical(document: Mapping[str, Any]) -> bytes:
    """The one form in which equal documents have equal bytes: JSON, members sorted, nothing between them."""
    return msgspec.json.encode(document, order="sorted")
