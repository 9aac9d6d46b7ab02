"""Generated files are those that the proto files give."""

from __future__ import annotations

from pathlib import Path

from contract import __main__ as commands
from contract import stubs
from contract.comments import declarations
from contract.reference import page
from services import analytics_service_pb2


def test_committed_stubs_are_what_the_sources_give(tmp_path: Path) -> None:
    """`make proto` would change nothing."""
    stubs.compile_into(tmp_path)
    made, committed = stubs.stubs_in(tmp_path), stubs.stubs_in(stubs.SOURCES)
    assert sorted(made) == sorted(committed)
    assert [name for name in made if made[name] != committed[name]] == []


def test_the_reference_page_is_what_the_sources_give() -> None:
    """docs/reference/protobuf.md says what the proto files say."""
    assert commands.REFERENCE.read_text(encoding="utf-8") == page(stubs.describe(source_info=True))


def test_the_reference_page_names_everything_that_is_declared() -> None:
    """No message, field, enum value or RPC is missing on the page."""
    text = commands.REFERENCE.read_text(encoding="utf-8")
    names = {item.name.rpartition(".")[2] for item in declarations(stubs.describe(source_info=True)) if item.comment}
    assert [name for name in sorted(names - {"proto"}) if name not in text] == []


def test_every_rpc_has_its_own_request_and_answer() -> None:
    """Messages named after the RPC, used by no other one: each can grow by itself."""
    service = analytics_service_pb2.DESCRIPTOR.services_by_name["AnalyticsService"]
    odd = [
        rpc.name
        for rpc in service.methods
        if (rpc.input_type.name, rpc.output_type.name) != (f"{rpc.name}Request", f"{rpc.name}Response")
    ]
    assert odd == []


def test_every_answer_can_be_traced() -> None:
    """Each answer carries a provenance, itself or in what it wraps, or else a correlation id of its own."""
    service = analytics_service_pb2.DESCRIPTOR.services_by_name["AnalyticsService"]
    untraced = []
    for rpc in service.methods:
        names = {field.name for field in rpc.output_type.fields}
        wrapped = {f.name for field in rpc.output_type.fields if field.message_type for f in field.message_type.fields}
        deeper = {
            f.name
            for field in rpc.output_type.fields
            if field.message_type
            for inner in field.message_type.fields
            if inner.message_type
            for f in inner.message_type.fields
        }
        if not {"provenance", "correlation_id"} & names and "provenance" not in wrapped | deeper:
            untraced.append(rpc.name)
    assert untraced == []
