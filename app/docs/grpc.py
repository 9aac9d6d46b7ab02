"""docs/reference/grpc.md: every RPC with what it is for, where HTTP says the same, and an example for the client."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from app.docs.grpc_examples import EXAMPLES, TWINS
from app.docs.markdown import document
from app.serving.grpc_server import SERVICE
from read_api.grpc import RPCS

PROTO = Path(__file__).parents[2] / "proto" / "services" / "analytics_service.proto"
INTRODUCTION = """# gRPC

The service `services.AnalyticsService` of [proto/services](../../proto/services), each message in
[protobuf.md](protobuf.md). A call brings `authorization: Bearer <token>` in its metadata, and may bring
`x-correlation-id`, `x-min-position` (a position token that the answer must have reached), `traceparent`, and for RPCs
that ask registered queries `x-max-staleness` (seconds that a kept answer may be old) and `x-force-refresh` (`true`: it
is computed now, whatever is kept). A dashboard and what is followed are answered anew when something has moved. The
trailing metadata say `x-correlation-id`, `x-position`, `x-lag-ms` and `x-definition-version`.

**Errors** have a gRPC code, and in their details (`google.rpc.Status`) an `ErrorInfo` with the stable code and the
correlation id, `Help` with suggested actions, `RetryInfo` where trying again may help.

**Streams** that can go on after a break have a `resume_token` (StreamEvents a position, DownloadReport an offset) in
each message; with the last one a new call goes on behind it, or says that it begins anew. Reading sets the pace: who
reads slowly gets the newest state, and no queue.

**The client** is the distribution `trading-analytics-client` in [client](../../client): every RPC as it is, with the
token, deadlines and attempts, and helpers that resume by themselves (`rows`, `export`, `report`, `chart`, `events`,
`publish`). The examples below are run by a test, inside this:

```python-frame
from analytics_client import AnalyticsClient

async with AnalyticsClient(address, token, company="acme") as analytics:
    ...
```
"""


def grpc_page() -> str:
    """The page."""
    return document(INTRODUCTION, *(_section(rpc) for rpc in SERVICE.methods))


def _section(rpc: MethodDescriptor) -> str:
    about = _comments()[rpc.name]
    twins = "; ".join(f"`{twin}`" for twin in twins_of(rpc.name))
    same = f"\n\nHTTP: {twins}." if twins else ""
    return f"## {rpc.name}\n\n{about}{same}\n\n```python\n{code_of(rpc)}\n```"


@cache
def _comments() -> dict[str, str]:
    """What stands above each RPC in the contract."""
    found = re.findall(r"((?:  // .*\n)+)  rpc (\w+)\(", PROTO.read_text(encoding="utf-8"))
    return {name: " ".join(line.strip(" /") for line in text.splitlines()) for text, name in found}


def request_of(rpc: MethodDescriptor) -> Message:
    """The request of the example."""
    return json_format.ParseDict(dict(EXAMPLES[rpc.name]), GetMessageClass(rpc.input_type)())


def twins_of(name: str) -> list[str]:
    """Where HTTP answers the same: the questions that the example puts, or what is said to be its twin."""
    if name in TWINS:
        return [TWINS[name]]
    declared = {rpc.name: rpc for rpc in RPCS}
    if name not in declared:
        return []
    asked = declared[name].asks(request_of(SERVICE.methods_by_name[name]))
    return list(dict.fromkeys(f"GET /api/v1/query/{each.query}" for each in asked.values()))


def code_of(rpc: MethodDescriptor) -> str:
    """The example, as the client sends it."""
    request = request_of(rpc)
    imports = sorted({f"from {_module(kind)} import {kind.name}" for kind in _kinds(request)})
    text = python(request)
    if rpc.client_streaming:
        call = f"analytics.rpc.{rpc.name}(iter([request]))"
    else:
        call = f"analytics.rpc.{rpc.name}(request)"
    use = (
        f"async for message in {call}:\n    print(message)\n    break"
        if rpc.server_streaming
        else f"print(await {call})"
    )
    return "\n".join((*imports, "", f"request = {text}", use))


def python(message: Message, indent: str = "") -> str:
    """A message as the Python that makes it."""
    inner = f"{indent}    "
    members = [f"{name}={_value(value, field, inner)}" for field, name, value in _members(message)]
    short = f"{_name(message)}({', '.join(members)})"
    if len(indent) + len(short) <= 100 and "\n" not in short:
        return short
    return f"{_name(message)}(\n" + "".join(f"{inner}{member},\n" for member in members) + f"{indent})"


def _members(message: Message) -> Iterator[tuple[FieldDescriptor, str, Any]]:
    return ((field, field.name, value) for field, value in message.ListFields())


def _value(value: Any, field: FieldDescriptor, indent: str) -> str:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return "{" + ", ".join(f'"{key}": {_plain(each)}' for key, each in sorted(value.items())) + "}"
    if not field.is_repeated:
        return _one(value, field, indent)
    short = "[" + ", ".join(_one(each, field, indent) for each in value) + "]"
    if "\n" not in short:
        return short
    inner = f"{indent}    "
    return "[\n" + ",\n".join(inner + _one(each, field, inner) for each in value) + f"\n{indent}]"


def _one(value: Any, field: FieldDescriptor, indent: str) -> str:
    if isinstance(value, Message):
        return python(value, indent)
    if field.enum_type is not None:
        return f'"{field.enum_type.values_by_number[value].name}"'
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return f'b"{repr(value)[2:-1]}"'
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _kinds(message: Message) -> Iterator[Any]:
    """The message's class and those inside it that are not declared within another."""
    if message.DESCRIPTOR.containing_type is None:
        yield message.DESCRIPTOR
    for field, value in message.ListFields():
        for each in value if field.is_repeated else [value]:
            if isinstance(each, Message):
                yield from _kinds(each)


def _name(message: Message) -> str:
    """The class, within the one that it is declared in."""
    kind = message.DESCRIPTOR
    return kind.full_name.removeprefix(f"{kind.file.package}.")


def _module(kind: Any) -> str:
    return str(kind.file.name).removesuffix(".proto").replace("/", ".") + "_pb2"
