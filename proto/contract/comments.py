"""Comments of the contract: each declared thing with the text that stands above it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)

Path = tuple[int, ...]


class Declared(NamedTuple):
    """Something that the contract declares, with its comment; empty where it has none."""

    kind: str
    name: str
    comment: str


def declarations(files: FileDescriptorSet) -> list[Declared]:
    """Everything that a set with source information declares, in file order."""
    return [Declared(kind, name, comment) for file in files.file for kind, name, comment in _of_file(file)]


def _of_file(file: FileDescriptorProto) -> Iterator[Declared]:
    comments = {
        tuple(place.path): (place.leading_comments or place.trailing_comments).strip()
        for place in file.source_code_info.location
    }
    for kind, name, path in _paths(file):
        yield Declared(kind, name, comments.get(path, ""))


def _paths(file: FileDescriptorProto) -> Iterator[tuple[str, str, Path]]:
    number = FileDescriptorProto.DESCRIPTOR.fields_by_name
    yield "file", file.name, (number["package"].number,)
    for i, message in enumerate(file.message_type):
        yield from _of_message(message, file.package, (number["message_type"].number, i))
    for i, enum in enumerate(file.enum_type):
        yield from _of_enum(enum, file.package, (number["enum_type"].number, i))
    for i, service in enumerate(file.service):
        yield from _of_service(service, file.package, (number["service"].number, i))


def _of_message(message: DescriptorProto, scope: str, path: Path) -> Iterator[tuple[str, str, Path]]:
    if message.options.map_entry:
        return  # made by the compiler for a map field, which has its own comment
    number = DescriptorProto.DESCRIPTOR.fields_by_name
    name = f"{scope}.{message.name}"
    yield "message", name, path
    for i, field in enumerate(message.field):
        yield "field", f"{name}.{field.name}", (*path, number["field"].number, i)
    for i, oneof in enumerate(message.oneof_decl):
        if not any(field.proto3_optional and field.oneof_index == i for field in message.field):
            yield "oneof", f"{name}.{oneof.name}", (*path, number["oneof_decl"].number, i)
    for i, nested in enumerate(message.nested_type):
        yield from _of_message(nested, name, (*path, number["nested_type"].number, i))
    for i, enum in enumerate(message.enum_type):
        yield from _of_enum(enum, name, (*path, number["enum_type"].number, i))


def _of_enum(enum: EnumDescriptorProto, scope: str, path: Path) -> Iterator[tuple[str, str, Path]]:
    name = f"{scope}.{enum.name}"
    yield "enum", name, path
    values = EnumDescriptorProto.DESCRIPTOR.fields_by_name["value"].number
    for i, value in enumerate(enum.value):
        yield "value", f"{name}.{value.name}", (*path, values, i)


def _of_service(service: ServiceDescriptorProto, scope: str, path: Path) -> Iterator[tuple[str, str, Path]]:
    name = f"{scope}.{service.name}"
    yield "service", name, path
    methods = ServiceDescriptorProto.DESCRIPTOR.fields_by_name["method"].number
    for i, method in enumerate(service.method):
        yield "rpc", f"{name}.{method.name}", (*path, methods, i)
