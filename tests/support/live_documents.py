"""What a client of the WebSocket makes of its frames: in JSON and in protobuf the same objects."""

from __future__ import annotations

from collections.abc import Mapping
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
