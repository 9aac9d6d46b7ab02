"""Everything that the contract declares says what it is."""

from __future__ import annotations

from contract import stubs
from contract.comments import declarations
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet


def test_everything_declared_has_a_comment() -> None:
    """File, message, field, oneof, enum, value, service and RPC, nested ones too."""
    declared = declarations(stubs.describe(source_info=True))
    assert {item.kind for item in declared} == {
        "file",
        "message",
        "field",
        "oneof",
        "enum",
        "value",
        "service",
        "rpc",
    }
    assert [f"{item.kind} {item.name}" for item in declared if not item.comment] == []


def test_a_missing_comment_is_found_wherever_it_is_missing() -> None:
    """Without source information nothing has a comment, so everything is found."""
    with_comments = declarations(stubs.describe(source_info=True))
    without = declarations(stubs.describe())
    assert [item[:2] for item in without] == [item[:2] for item in with_comments]
    assert not any(item.comment for item in without)


def test_the_comment_of_one_thing_is_not_taken_for_another() -> None:
    """A nested enum value has the comment at its own place."""
    file = FileDescriptorProto(name="t.proto", package="t")
    enum = file.message_type.add(name="M").enum_type.add(name="E")
    enum.value.add(name="ZERO", number=0)
    enum.value.add(name="ONE", number=1)
    file.source_code_info.location.add(path=[4, 0, 4, 0, 2, 1], leading_comments=" One. \n")
    found = {item.name: item.comment for item in declarations(FileDescriptorSet(file=[file]))}
    assert found == {"t.proto": "", "t.M": "", "t.M.E": "", "t.M.E.ZERO": "", "t.M.E.ONE": "One."}
