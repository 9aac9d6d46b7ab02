"""Writes `builders.pyi`: the signatures of the typed builders, from the event catalogue and the message descriptors.

Run `python -m eventlog.publish.signatures` after a change of either; a test fails while the file is stale.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

from google.protobuf.descriptor import FieldDescriptor

from domain.events.catalogue import CATALOGUE, EventType

FILE = Path(__file__).with_name("builders.pyi")
HEAD = '''"""Signatures of the typed builders; written by `python -m eventlog.publish.signatures`, not by hand."""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal, Unpack

from analytics import business_events_pb2, performance_data_pb2, user_analytics_pb2
from trading import trading_signals_pb2

from eventlog.publish.event import Event, Origin

BUILDERS: dict[str, Callable[..., Event]]

'''
TYPES = {
    FieldDescriptor.TYPE_DOUBLE: "float",
    FieldDescriptor.TYPE_STRING: "str",
    FieldDescriptor.TYPE_INT64: "int",
    FieldDescriptor.TYPE_UINT32: "int",
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_BYTES: "bytes",
}


def signatures() -> str:
    """The text of the file."""
    parts = [HEAD]
    for kind in CATALOGUE:
        parts.append(_single(kind))
        if kind.batch is not None:
            parts.append(_batch(kind))
    return "".join(parts)


def _single(kind: EventType) -> str:
    fields = cast("list[FieldDescriptor]", list(kind.message.DESCRIPTOR.fields))
    required = [f"{f.name}: {_type(f)}" for f in fields if f.name in kind.required]
    optional = [f"{f.name}: {_type(f)} | None = ..." for f in fields if f.name not in kind.required]
    return _function(kind.name, [*_whose(kind), *required, *optional])


def _batch(kind: EventType) -> str:
    module = kind.message.__module__.rpartition(".")[2]
    return _function(kind.batch_name, [*_whose(kind), f"items: Iterable[{module}.{kind.message.__name__}]"])


def _whose(kind: EventType) -> list[str]:
    return ["company_id: str", "user_id: str" if kind.of_user else "user_id: str = ..."]


def _function(name: str, parameters: list[str]) -> str:
    lines = "".join(f"    {parameter},\n" for parameter in ["*", *parameters, "**about: Unpack[Origin]"])
    return f"def {name}(\n{lines}) -> Event: ...\n"


def _type(field: FieldDescriptor) -> str:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return "Mapping[str, str]"
    if field.enum_type is not None:
        names = [f'"{value.name.lower()}"' for value in field.enum_type.values if value.number]
        short = f"Literal[{', '.join(names)}] | int"
        if len(field.name) + len(short) < 100:
            return short
        lines = "".join(f"        {name},\n" for name in names)
        return f"Literal[\n{lines}    ]\n    | int"
    return f"Iterable[{TYPES[field.type]}]" if field.is_repeated else TYPES[field.type]


if __name__ == "__main__":
    FILE.write_text(signatures(), encoding="utf-8")
