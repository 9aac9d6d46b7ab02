"""Commands as forms: the fields that a command's struct has for people, and what a filled-in form says of them.

A field's name in the form is its path in the command's JSON: `trigger.condition.value`, `tiles.2.title`. A map has
`days.key.0` and `days.value.0`; of the choices of a set each has a name of its own, `days.monday`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import msgspec
from msgspec import inspect

from read_api.charts.columns import label

LONG = 500  # characters from which a text has several lines
MOST_PLACES = 1_000
_ABSENT: Any = object()


class Field(NamedTuple):
    """One field. `control`: text, prose, picture, number, check, choice, checks, list, map, items, variant or group.

    `value` is a text, for checks the chosen ones. `fields`: those of a group or variant, the members of a list, the
    items, or keys and values of a map in turn. `choices`: value and words.
    """

    name: str
    label: str
    control: str
    hint: str = ""
    value: Any = ""
    choices: Sequence[tuple[str, str]] = ()
    fields: Sequence[Field] = ()
    needed: bool = False


def fields_of(kind: type[msgspec.Struct], values: Mapping[str, Any]) -> Sequence[Field]:
    """The fields of a struct with these values (as its JSON has them); its defaults where there are none."""
    return _members(_info(kind), values, "")


def read_fields(kind: type[msgspec.Struct], form: Mapping[str, str]) -> dict[str, Any]:
    """What a form says of a struct, as its JSON; what is wrong with it is said by whoever decodes that."""
    found: dict[str, Any] = _read(_info(kind), form, "")
    return found


@cache
def _info(kind: type[msgspec.Struct]) -> inspect.StructType:
    found = inspect.type_info(kind)
    assert isinstance(found, inspect.StructType)
    return found


def _bare(kind: inspect.Type) -> tuple[inspect.Type, str, bool]:
    """A type without what is said about it and without null; what is said, and whether it may be null."""
    hint, nullable = "", False
    while True:
        if isinstance(kind, inspect.Metadata):
            hint = hint or (kind.extra_json_schema or {}).get("description", "")
            kind = kind.type
        elif isinstance(kind, inspect.UnionType) and kind.includes_none:
            nullable, (kind,) = True, [each for each in kind.types if not isinstance(each, inspect.NoneType)]
        else:
            return kind, hint, nullable


def _members(kind: inspect.StructType, values: Mapping[str, Any], path: str) -> tuple[Field, ...]:
    return tuple(
        _field(each.type, values.get(each.encode_name, _default(each)), _joined(path, each.encode_name), each.required)
        for each in kind.fields
    )


def _joined(path: str, name: str | int) -> str:
    return f"{path}.{name}" if path else str(name)


def _default(field: inspect.Field) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.to_builtins(field.default_factory())
    return None if field.default is msgspec.NODEFAULT else msgspec.to_builtins(field.default)


def _field(kind: inspect.Type, value: Any, path: str, needed: bool = False) -> Field:
    bare, hint, _ = _bare(kind)
    name = path.rpartition(".")[2]
    words = f"{int(name) + 1}" if name.isdecimal() else label(name)
    plain = Field(path, words, "group", hint, needed=needed)
    if isinstance(bare, inspect.StructType):
        return plain._replace(fields=_members(bare, value or {}, path))
    if isinstance(bare, inspect.UnionType):
        return _variant(bare, value or {}, plain)
    if isinstance(bare, inspect.VarTupleType):
        return _several(bare, value or [], plain)
    if isinstance(bare, inspect.DictType):
        return _map(value or {}, plain)
    return _scalar(bare, value, plain)


def _variant(kind: inspect.UnionType, value: Mapping[str, Any], plain: Field) -> Field:
    variants = _variants(kind)
    tag = next(iter(variants.values())).tag_field or ""
    chosen = str(value.get(tag))
    chosen = chosen if chosen in variants else next(iter(variants))
    choices = [(name, label(name)) for name in variants]
    fields = _members(variants[chosen], value, plain.name)
    return plain._replace(
        control="variant", value=chosen, choices=choices, fields=(_of_tag(plain.name, tag, chosen, choices), *fields)
    )


def _of_tag(path: str, tag: str, chosen: str, choices: Sequence[tuple[str, str]]) -> Field:
    return Field(_joined(path, tag), label(tag), "choice", "", chosen, choices, needed=True)


def _variants(kind: inspect.UnionType) -> Mapping[str, inspect.StructType]:
    structs = [bare for each in kind.types if isinstance(bare := _bare(each)[0], inspect.StructType)]
    return {str(each.tag): each for each in structs}


def _several(kind: inspect.VarTupleType, values: Sequence[Any], plain: Field) -> Field:
    item = _bare(kind.item_type)[0]
    if isinstance(item, inspect.LiteralType):
        choices = [(str(each), label(str(each))) for each in _ordered(item)]
        return plain._replace(control="checks", value=values, choices=choices)
    if isinstance(item, inspect.StrType):
        fields = [_field(kind.item_type, value, _joined(plain.name, n)) for n, value in enumerate([*values, ""])]
        return plain._replace(control="list", fields=fields)
    fields = [_field(kind.item_type, value, _joined(plain.name, n)) for n, value in enumerate(values)]
    return plain._replace(control="items", fields=fields)


def _ordered(kind: inspect.LiteralType) -> Sequence[Any]:
    """The values of a literal, days of the week as these follow one another."""
    order = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    return sorted(kind.values, key=lambda value: (order.index(value) if value in order else 0, str(value)))


def _map(value: Mapping[str, Any], plain: Field) -> Field:
    pairs = [*value.items(), ("", "")]
    fields = [
        Field(f"{plain.name}.{part}.{n}", words, "text", value=str(text))
        for n, pair in enumerate(pairs)
        for part, words, text in (("key", "Name", pair[0]), ("value", "Value", pair[1]))
    ]
    return plain._replace(control="map", fields=fields)


def _scalar(kind: inspect.Type, value: Any, plain: Field) -> Field:
    text = "" if value is None else str(value)
    if isinstance(kind, inspect.BoolType):
        return plain._replace(control="check", value=bool(value))
    if isinstance(kind, inspect.IntType):
        return plain._replace(control="number", value=text)
    if isinstance(kind, inspect.LiteralType | inspect.EnumType):
        values = _ordered(kind) if isinstance(kind, inspect.LiteralType) else [each.value for each in kind.cls]
        return plain._replace(control="choice", value=text, choices=[(str(each), label(str(each))) for each in values])
    assert isinstance(kind, inspect.StrType), kind
    longest = kind.max_length or 0
    control = "picture" if plain.name == "logo" else "prose" if LONG <= longest <= 4 * LONG else "text"
    return plain._replace(control=control, value=text)


def _read(kind: inspect.Type, form: Mapping[str, str], path: str) -> Any:
    bare, _, nullable = _bare(kind)
    if isinstance(bare, inspect.StructType):
        return _read_members(bare, form, path)
    if isinstance(bare, inspect.UnionType):
        variants = _variants(bare)
        tag = next(iter(variants.values())).tag_field or ""
        chosen = form.get(_joined(path, tag), "")
        chosen = chosen if chosen in variants else next(iter(variants))
        return {tag: chosen, **_read_members(variants[chosen], form, path)}
    if isinstance(bare, inspect.VarTupleType):
        return _read_several(bare, form, path)
    if isinstance(bare, inspect.DictType):
        keys = {n: form[f"{path}.key.{n}"].strip() for n in _places(form, f"{path}.key")}
        return {key: _read(bare.value_type, form, f"{path}.value.{n}") for n, key in keys.items() if key}
    return _read_scalar(bare, form, path, nullable)


def _read_members(kind: inspect.StructType, form: Mapping[str, str], path: str) -> dict[str, Any]:
    found = {each.encode_name: _read(each.type, form, _joined(path, each.encode_name)) for each in kind.fields}
    return {name: value for name, value in found.items() if value is not _ABSENT}


def _read_several(kind: inspect.VarTupleType, form: Mapping[str, str], path: str) -> list[Any]:
    item = _bare(kind.item_type)[0]
    if isinstance(item, inspect.LiteralType):
        return [value for value in _ordered(item) if f"{path}.{value}" in form]
    found = [_read(kind.item_type, form, _joined(path, n)) for n in _places(form, path)]
    return [value for value in found if value != ""]


def _places(form: Mapping[str, str], path: str) -> Sequence[int]:
    """The numbers that follow a path in the names of a form, ascending."""
    pattern = re.compile(re.escape(path) + r"\.(\d{1,3})(?:\.|$)")
    return sorted({int(found[1]) for name in form if (found := pattern.match(name))})[:MOST_PLACES]


def _read_scalar(kind: inspect.Type, form: Mapping[str, str], path: str, nullable: bool) -> Any:
    if isinstance(kind, inspect.BoolType):
        return path in form
    if path not in form:
        return _ABSENT
    text = form[path].replace("\r\n", "\n")
    if not text.strip() and (nullable or isinstance(kind, inspect.IntType)):
        return None if nullable else _ABSENT
    if isinstance(kind, inspect.IntType) and re.fullmatch(r"-?\d{1,18}", text.strip(), re.ASCII):
        return int(text)
    return text
