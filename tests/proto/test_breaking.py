"""The contract does not break those who were built against its last release."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from contract import __main__ as commands
from contract import stubs
from contract.breaking import breaking_changes
from contract.surface import read, surface, written
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet

OPTIONAL, REPEATED = FieldDescriptorProto.LABEL_OPTIONAL, FieldDescriptorProto.LABEL_REPEATED
STRING, DOUBLE = FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.TYPE_DOUBLE
Change = Callable[[FileDescriptorProto], None]


def small_contract() -> FileDescriptorProto:
    """One file with one of everything."""
    file = FileDescriptorProto(name="t.proto", package="t", syntax="proto3")
    message = file.message_type.add(name="M")
    message.field.add(name="name", number=1, type=STRING, label=OPTIONAL, json_name="name")
    message.field.add(name="size", number=2, type=DOUBLE, label=OPTIONAL, json_name="size")
    message.field.add(name="pick", number=3, type=STRING, label=OPTIONAL, json_name="pick", oneof_index=0)
    message.oneof_decl.add(name="choice")
    message.reserved_range.add(start=9, end=10)
    message.reserved_name.append("gone")
    enum = message.enum_type.add(name="E")
    enum.value.add(name="ZERO", number=0)
    enum.value.add(name="ONE", number=1)
    enum.reserved_range.add(start=7, end=7)
    file.message_type.add(name="N")
    service = file.service.add(name="S")
    service.method.add(name="Ask", input_type=".t.M", output_type=".t.N")
    return file


def breaks(change: Change) -> list[str]:
    """What a change of the small contract breaks."""
    file = small_contract()
    change(file)
    return breaking_changes(
        surface(FileDescriptorSet(file=[small_contract()])), surface(FileDescriptorSet(file=[file]))
    )


def remove_field_with_reservation(file: FileDescriptorProto) -> None:
    del file.message_type[0].field[1]
    file.message_type[0].reserved_range.add(start=2, end=3)
    file.message_type[0].reserved_name.append("size")


def remove_value_with_reservation(file: FileDescriptorProto) -> None:
    enum = file.message_type[0].enum_type[0]
    del enum.value[1]
    enum.reserved_range.add(start=1, end=1)
    enum.reserved_name.append("ONE")


def remove_field_reserving(number: bool, name: bool) -> Change:
    def change(file: FileDescriptorProto) -> None:
        del file.message_type[0].field[1]
        if number:
            file.message_type[0].reserved_range.add(start=2, end=3)
        if name:
            file.message_type[0].reserved_name.append("size")

    return change


def field(index: int, **now: object) -> Change:
    def change(file: FileDescriptorProto) -> None:
        for attribute, value in now.items():
            setattr(file.message_type[0].field[index], attribute, value)

    return change


def rpc(**now: object) -> Change:
    def change(file: FileDescriptorProto) -> None:
        for attribute, value in now.items():
            setattr(file.service[0].method[0], attribute, value)

    return change


def delete(where: Callable[[FileDescriptorProto], Any]) -> Change:
    """Remove the last element of a repeated field."""

    def change(file: FileDescriptorProto) -> None:
        del where(file)[-1]

    return change


BREAKING: dict[str, tuple[Change, str]] = {
    "a field is removed": (
        remove_field_reserving(number=False, name=False),
        "field t.M 2: 'size' was removed; reserve its number and its name",
    ),
    "a field is removed, its number reserved, its name not": (
        remove_field_reserving(number=True, name=False),
        "field t.M 2: 'size' was removed; reserve its number and its name",
    ),
    "a field is removed, its name reserved, its number not": (
        remove_field_reserving(number=False, name=True),
        "field t.M 2: 'size' was removed; reserve its number and its name",
    ),
    "a field is renamed": (field(1, name="length"), "field t.M 2: 'size' name was size, is length"),
    "a field is retyped": (field(1, type=STRING), "field t.M 2: 'size' type was double, is string"),
    "a field is renumbered": (
        field(1, number=5),
        "field t.M 2: 'size' was removed; reserve its number and its name",
    ),
    "a field becomes repeated": (field(1, label=REPEATED), "field t.M 2: 'size' label was singular, is repeated"),
    "a JSON name changes": (field(1, json_name="Size"), "field t.M 2: 'size' json was size, is Size"),
    "a field moves into a oneof": (field(1, oneof_index=0), "field t.M 2: 'size' oneof was -, is choice"),
    "a reservation is lifted": (
        delete(lambda file: file.message_type[0].reserved_range),
        "reserved t.M 9: was removed",
    ),
    "a reserved name is lifted": (
        delete(lambda file: file.message_type[0].reserved_name),
        "reserved t.M gone: was removed",
    ),
    "a message is removed": (delete(lambda file: file.message_type), "message t.N: was removed"),
    "an enum is removed": (delete(lambda file: file.message_type[0].enum_type), "enum t.M.E: was removed"),
    "an enum value is removed": (
        delete(lambda file: file.message_type[0].enum_type[0].value),
        "value t.M.E 1: 'ONE' was removed; reserve its number and its name",
    ),
    "an enum value is renamed": (
        lambda file: setattr(file.message_type[0].enum_type[0].value[1], "name", "UNO"),
        "value t.M.E 1: 'ONE' name was ONE, is UNO",
    ),
    "an enum's reservation is lifted": (
        delete(lambda file: file.message_type[0].enum_type[0].reserved_range),
        "reserved t.M.E 7: was removed",
    ),
    "a service is removed": (delete(lambda file: file.service), "service t.S: was removed"),
    "an RPC is removed": (delete(lambda file: file.service[0].method), "rpc t.S.Ask: was removed"),
    "an RPC takes another message": (rpc(input_type=".t.N"), "rpc t.S.Ask: takes was t.M, is t.N"),
    "an RPC answers another message": (rpc(output_type=".t.M"), "rpc t.S.Ask: answers was t.N, is t.M"),
    "the caller of an RPC streams": (rpc(client_streaming=True), "rpc t.S.Ask: takes was t.M, is stream:t.M"),
    "the server of an RPC streams": (rpc(server_streaming=True), "rpc t.S.Ask: answers was t.N, is stream:t.N"),
}

HARMLESS: dict[str, Change] = {
    "nothing changes": lambda file: None,
    "a field is added": lambda file: file.message_type[0].field.add(name="more", number=4, type=STRING) and None,
    "a field gets presence": field(1, proto3_optional=True),
    "a message is added": lambda file: file.message_type.add(name="O") and None,
    "an RPC is added": lambda file: file.service[0].method.add(name="Tell") and None,
    "a field is removed, number and name reserved": remove_field_with_reservation,
    "an enum value is removed, number and name reserved": remove_value_with_reservation,
}


@pytest.mark.parametrize("rule", BREAKING)
def test_breaking_changes_are_named(rule: str) -> None:
    """Each rule finds its own kind of change, and that one only."""
    change, sentence = BREAKING[rule]
    assert breaks(change) == [sentence]


@pytest.mark.parametrize("change", HARMLESS)
def test_harmless_changes_pass(change: str) -> None:
    """Additions, and removals with reservation, break nobody."""
    assert breaks(HARMLESS[change]) == []


def test_the_written_form_loses_nothing() -> None:
    """What was written is read back as it was."""
    facts = surface(stubs.describe())
    assert read(written(facts)) == facts


def test_the_contract_serves_callers_of_the_released_one() -> None:
    """The gate: proto/ against proto/released.txt."""
    released = read(commands.RELEASED.read_text(encoding="utf-8"))
    assert "message common.AnalyticsProcessingEnvelope" in released
    assert breaking_changes(released, surface(stubs.describe())) == []


def test_a_breaking_release_is_refused_until_it_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`release` writes nothing over a break, says what breaks, and gives way to --breaking."""
    released = tmp_path / "released.txt"
    promised = written(surface(stubs.describe())) + "message common.Promised\n"
    released.write_text(promised, encoding="utf-8")
    monkeypatch.setattr(commands, "RELEASED", released)
    assert commands.main(["check"]) == 1
    assert commands.main(["release"]) == 1
    assert released.read_text(encoding="utf-8") == promised
    assert commands.main(["release", "--breaking"]) == 0
    assert commands.main(["check"]) == 0
