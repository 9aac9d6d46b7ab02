"""How messages of the WebSocket are written and read: as JSON, or in protobuf (proto/services/live.proto), alike.

A frame has what concerns one subscription (its id, its token of resume) and what is the same for all who follow the
feed. The second part is encoded once, and both are put together for each follower.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

import msgspec
from google.protobuf.message import DecodeError
from services import live_pb2 as live

from domain.errors import Invalid
from read_api.live.documents import Delta, Item

SNAPSHOT, DELTA = "snapshot", "delta"
Head = Mapping[str, str]  # id, token, and why a snapshot comes where something was to be resumed


class Form(Protocol):
    """A subprotocol. `mode`: of the frames of the WebSocket."""

    name: str
    mode: Any

    def snapshot(self, item: Item) -> bytes:
        """A whole document, for everybody."""
        ...

    def delta(self, delta: Delta) -> bytes:
        """What has changed, for everybody."""
        ...

    def frame(self, kind: str, head: Head, shared: bytes) -> str | bytes:
        """The frame of one subscription: what it is, whose, and what is the same for everybody."""
        ...

    def message(self, message: Mapping[str, Any]) -> str | bytes:
        """A message that is of one connection alone: welcome, error, ended."""
        ...

    def read(self, data: Any) -> dict[str, Any]:
        """What a client says. Raises Invalid."""
        ...


class JsonForm:
    """Messages as JSON in frames of text."""

    name, mode = "analytics.v1.json", "text"

    def snapshot(self, item: Item) -> bytes:
        """The document."""
        return b'"answer":' + item.json()

    def delta(self, delta: Delta) -> bytes:
        """The delta."""
        return b'"delta":' + msgspec.json.encode(delta)

    def frame(self, kind: str, head: Head, shared: bytes) -> str:
        """One object."""
        begin = msgspec.json.encode({"type": kind, **head})
        return b"".join((begin[:-1], b",", shared, b"}")).decode()

    def message(self, message: Mapping[str, Any]) -> str:
        """One object."""
        return msgspec.json.encode(message).decode()

    def read(self, data: str) -> dict[str, Any]:
        """One object. Raises Invalid for anything else."""
        try:
            message = msgspec.json.decode(data)
        except msgspec.DecodeError as error:
            raise Invalid(f"the message is no JSON: {error}", code="bad_message") from None
        if not isinstance(message, dict):
            raise Invalid("a message is a JSON object", code="bad_message")
        return message


class ProtobufForm:
    """Messages in protobuf, in binary frames. Messages that are put one after the other are read as one."""

    name, mode = "analytics.v1.protobuf", "binary"

    def snapshot(self, item: Item) -> bytes:
        """The document."""
        return live.LiveFrame(snapshot=_object(item.document())).SerializeToString()

    def delta(self, delta: Delta) -> bytes:
        """The delta."""
        plain = msgspec.json.decode(msgspec.json.encode(delta))
        return live.LiveFrame(delta=_delta(plain)).SerializeToString()

    def frame(self, kind: str, head: Head, shared: bytes) -> bytes:
        """What is of one subscription, then what is of all."""
        own = live.LiveFrame(id=head["id"], token=head["token"], resume=head.get("resume", ""))
        return own.SerializeToString() + shared

    def message(self, message: Mapping[str, Any]) -> bytes:
        """Of the types that a connection sends beside snapshots and deltas."""
        plain = msgspec.to_builtins(message)
        match plain["type"]:
            case "welcome":
                rest = {name: value for name, value in plain.items() if name != "type"}
                frame = live.LiveFrame(welcome=live.LiveFrame.Welcome(**rest))
            case "ended":
                frame = live.LiveFrame(id=plain["id"], ended=_object(plain["problem"]))
            case _:
                frame = live.LiveFrame(id=plain["id"], error=_object(plain["problem"]))
        return frame.SerializeToString()

    def read(self, data: bytes) -> dict[str, Any]:
        """As the members of the same message in JSON. Raises Invalid for bytes that are none."""
        try:
            request = live.LiveRequest.FromString(data)
        except DecodeError:
            raise Invalid("the bytes are no LiveRequest", code="bad_message") from None
        kind = request.WhichOneof("message")
        if kind is None:
            raise Invalid("the LiveRequest says nothing", code="bad_message")
        inner = getattr(request, kind)
        members = {field.name: value for field, value in inner.ListFields() if field.name != "params"}
        if kind == "subscribe":
            members["params"] = dict(inner.params)
        return {**members, "type": kind}


JSON, PROTOBUF = JsonForm(), ProtobufForm()
FORMS: Mapping[str, Form] = MappingProxyType({form.name: form for form in (JSON, PROTOBUF)})


def _value(value: Any) -> live.LiveValue:
    match value:
        case None:
            return live.LiveValue()
        case bool():
            return live.LiveValue(flag=value)
        case int():
            return live.LiveValue(integer=value) if abs(value) < 1 << 63 else live.LiveValue(digits=str(value))
        case float():
            return live.LiveValue(number=value)
        case str():
            return live.LiveValue(text=value)
        case dict():
            return live.LiveValue(object=_object(value))
        case _:
            return live.LiveValue(list=_list(value))


def _object(members: Mapping[str, Any]) -> live.LiveObject:
    return live.LiveObject(members={name: _value(value) for name, value in members.items()})


def _list(values: Any) -> live.LiveList:
    return live.LiveList(values=[_value(value) for value in values])


def _delta(delta: Delta) -> live.LiveDelta:
    return live.LiveDelta(
        set=_object(delta["set"]) if "set" in delta else None,
        unset=delta.get("unset", ()),
        lists={name: _rows(rows) for name, rows in delta.get("lists", {}).items()},
    )


def _rows(rows: Mapping[str, Any]) -> live.LiveDelta.Rows:
    kinds = live.LiveDelta.Rows
    return kinds(
        key=rows["key"],
        removed=[_list(key) for key in rows.get("removed", ())],
        changed=[kinds.Changed(key=_list(key), delta=_delta(delta)) for key, delta in rows.get("changed", ())],
        added=[kinds.Added(place=place, row=_object(row)) for place, row in rows.get("added", ())],
    )
