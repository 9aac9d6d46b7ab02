"""The reference page of the contract, made from the proto files and their comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from contract.comments import Declared, declarations
from contract.surface import ABSENT, Surface, surface

INTRODUCTION = """# Protobuf and gRPC

Made from `proto/` by `make proto`; edit the comments there. Stubs import as `analytics.…_pb2`, `common.…_pb2`,
`trading.…_pb2` and `services.analytics_service_pb2_grpc`.

Conventions:

- Times are milliseconds since 1970 UTC. 0 means absent where a time is optional.
- Published events carry money, prices and quantities as `double`; answers carry them as decimal numbers in text.
- What is undefined in an answer is missing, and `reason` or `reasons` says why. It is never 0 in its place.
- Every answer carries a `common.Provenance` or, where no read model is involved, a correlation id.
- Calls need `authorization: Bearer <token>` in the metadata. `x-correlation-id` is taken from the caller or made, and
  answered in the trailing metadata together with `x-error-code` and `x-suggested-actions` of a refused call.
- A message is at most 4 MB. An RPC without an implementation answers `UNIMPLEMENTED` and names itself.
- The contract changes by additions. `proto/released.txt` holds the last release; a test compares with it, and
  `python -m contract release` accepts the present contract as the next one.
"""


def page(files: FileDescriptorSet) -> str:
    """The page, from a descriptor set with source information."""
    facts = surface(files)
    declared = declarations(files)
    comments = {(item.kind, item.name): " ".join(item.comment.split()) for item in declared}
    lines = [INTRODUCTION, *_rpcs(declared, facts, comments), *_types(declared, facts, comments)]
    return "\n".join(lines).rstrip() + "\n"


def _rpcs(declared: list[Declared], facts: Surface, comments: Mapping[tuple[str, str], str]) -> Iterator[str]:
    for service in (item.name for item in declared if item.kind == "service"):
        yield f"## {service}\n\n{comments['service', service]}\n"
        yield "| RPC | takes | answers | what it does |\n|---|---|---|---|"
        for item in declared:
            if item.kind == "rpc" and item.name.startswith(f"{service}."):
                shape = facts[f"rpc {item.name}"]
                takes, answers = (_shape(shape[side]) for side in ("takes", "answers"))
                yield f"| {item.name.rpartition('.')[2]} | {takes} | {answers} | {comments['rpc', item.name]} |"
        yield ""


def _shape(text: str) -> str:
    stream, _, name = text.rpartition(":")
    return f"{'stream of ' if stream else ''}`{name}`"


def _types(declared: list[Declared], facts: Surface, comments: Mapping[tuple[str, str], str]) -> Iterator[str]:
    for item in declared:
        if item.kind == "file":
            yield f"## {item.name}\n\n{comments['file', item.name]}\n"
        elif item.kind == "message":
            yield f"### {item.name}\n\n{comments['message', item.name]}\n"
            yield from _table(
                _fields(item.name, facts, comments), "| no. | field | type | meaning |\n|---|---|---|---|"
            )
        elif item.kind == "enum":
            yield f"### {item.name}\n\n{comments['enum', item.name]}\n"
            yield from _table(_values(item.name, facts, comments), "| no. | value | meaning |\n|---|---|---|")


def _table(rows: list[str], header: str) -> Iterator[str]:
    if rows:
        yield "\n".join((header, *rows)) + "\n"


def _fields(message: str, facts: Surface, comments: Mapping[tuple[str, str], str]) -> list[str]:
    rows = []
    for number, of in _numbered(f"field {message} ", facts):
        label = "" if of["label"] == "singular" else f"{of['label']} "
        oneof = "" if of["oneof"] == ABSENT else f" (one of `{of['oneof']}`)"
        meaning = comments["field", f"{message}.{of['name']}"]
        rows.append(f"| {number} | `{of['name']}` | {label}{_type(of['type'], facts)} | {meaning}{oneof} |")
    return rows


def _type(name: str, facts: Surface) -> str:
    """Name of a type; a map instead of the entry message that the compiler makes for it."""
    if name.endswith("Entry") and (value := facts.get(f"field {name} 2")):
        return f"map to `{value['type']}`"
    return f"`{name}`"


def _values(enum: str, facts: Surface, comments: Mapping[tuple[str, str], str]) -> list[str]:
    found = _numbered(f"value {enum} ", facts)
    return [f"| {n} | `{of['name']}` | {comments['value', '.'.join((enum, of['name']))]} |" for n, of in found]


def _numbered(prefix: str, facts: Surface) -> list[tuple[int, Mapping[str, str]]]:
    return sorted(
        ((int(subject.removeprefix(prefix)), of) for subject, of in facts.items() if subject.startswith(prefix)),
        key=lambda pair: pair[0],
    )
