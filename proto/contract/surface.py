"""The surface of a contract: what callers rely on, as facts that can be compared, written down and read by people.

One line a fact, `subject | attribute=value …`, sorted, so that a diff of two releases reads like a list of changes:

    field trading.MarketBar 8 | name=volume label=singular type=double json=volume oneof=-
    rpc services.AnalyticsService.Publish | takes=stream:services.PublishRequest answers=services.PublishResponse
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)

Surface = Mapping[str, Mapping[str, str]]  # subject → attributes
ABSENT = "-"
LONGEST_RANGE = 1_000  # of reserved numbers: "to max" would otherwise be half a billion facts


class Fact(NamedTuple):
    """One thing that callers rely on."""

    subject: str
    attributes: dict[str, str]


def surface(files: FileDescriptorSet) -> Surface:
    """The facts of a descriptor set."""
    return {fact.subject: fact.attributes for file in files.file for fact in _of_file(file)}


def written(facts: Surface) -> str:
    """The facts as text."""
    lines = sorted(_line(subject, attributes) for subject, attributes in facts.items())
    return "".join(f"{line}\n" for line in lines)


def read(text: str) -> Surface:
    """The facts of a text that `written` made."""
    return dict(_parsed(line) for line in text.splitlines() if line)


def _line(subject: str, attributes: Mapping[str, str]) -> str:
    return f"{subject} | {' '.join(f'{k}={v}' for k, v in attributes.items())}".rstrip(" |")


def _parsed(line: str) -> tuple[str, dict[str, str]]:
    subject, _, attributes = line.partition(" | ")
    return subject, dict(pair.split("=", 1) for pair in attributes.split())


def _of_file(file: FileDescriptorProto) -> Iterator[Fact]:
    for message in file.message_type:
        yield from _of_message(message, file.package)
    for enum in file.enum_type:
        yield from _of_enum(enum, file.package)
    for service in file.service:
        yield from _of_service(service, file.package)


def _of_message(message: DescriptorProto, scope: str) -> Iterator[Fact]:
    name = f"{scope}.{message.name}"
    yield Fact(f"message {name}", {})
    for field in message.field:
        yield Fact(f"field {name} {field.number}", _field(field, message))
    for span in message.reserved_range:
        yield from _reserved(name, range(span.start, span.end))
    for reserved in message.reserved_name:
        yield Fact(f"reserved {name} {reserved}", {})
    for nested in message.nested_type:
        yield from _of_message(nested, name)
    for enum in message.enum_type:
        yield from _of_enum(enum, name)


def _of_enum(enum: EnumDescriptorProto, scope: str) -> Iterator[Fact]:
    name = f"{scope}.{enum.name}"
    yield Fact(f"enum {name}", {})
    for value in enum.value:
        yield Fact(f"value {name} {value.number}", {"name": value.name})
    for span in enum.reserved_range:
        yield from _reserved(name, range(span.start, span.end + 1))
    for reserved in enum.reserved_name:
        yield Fact(f"reserved {name} {reserved}", {})


def _of_service(service: ServiceDescriptorProto, scope: str) -> Iterator[Fact]:
    name = f"{scope}.{service.name}"
    yield Fact(f"service {name}", {})
    for method in service.method:
        takes = ("stream:" if method.client_streaming else "") + method.input_type.lstrip(".")
        answers = ("stream:" if method.server_streaming else "") + method.output_type.lstrip(".")
        yield Fact(f"rpc {name}.{method.name}", {"takes": takes, "answers": answers})


def _reserved(name: str, numbers: range) -> Iterator[Fact]:
    return (Fact(f"reserved {name} {number}", {}) for number in numbers[:LONGEST_RANGE])


def _field(field: FieldDescriptorProto, message: DescriptorProto) -> dict[str, str]:
    in_oneof = field.HasField("oneof_index") and not field.proto3_optional
    return {
        "name": field.name,
        "label": _label(field),
        "type": field.type_name.lstrip(".") or FieldDescriptorProto.Type.Name(field.type)[5:].lower(),
        "json": field.json_name,
        "oneof": message.oneof_decl[field.oneof_index].name if in_oneof else ABSENT,
    }


def _label(field: FieldDescriptorProto) -> str:
    if field.label == FieldDescriptorProto.LABEL_REPEATED:
        return "repeated"
    return "optional" if field.proto3_optional else "singular"
