"""Decode: serialised events to columns, a whole batch at a time (protobuf → Arrow in Rust, then Polars).

Doubles become whole trillionths here, once (`domain/decimals.py`). A value that cannot (NaN, infinity, too large)
becomes null and its event a suspect; suspects are judged one by one with the rules of `domain.events.validation`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cache
from typing import cast

import numpy as np
import polars as pl
import pyarrow as pa
from google.protobuf.descriptor import FieldDescriptor

from domain.currencies import CODE
from domain.decimals import BOUNDS, FINEST, LARGEST_PRODUCT, ONE
from domain.events.catalogue import (
    COMPANY_ID,
    EARLIEST,
    LATEST,
    MAX_FACTS,
    MOST_AHEAD,
    SECONDS,
    EventType,
)
from domain.events.field_rules import ENVELOPE, FieldRule, Form, double_of, field_rules, text_of_double
from domain.events.products import Product
from eventlog.columns import decode_messages, descriptor_of, slim_message
from projections.engine.fold.decimal_columns import on_grid
from projections.engine.fold.log_order import ITEM_BITS, OFFSET_BITS

ALMOST = 0.9e-6  # a little less than the one part in a million by which rounding may change a value


def suspect_envelopes(known_types: Sequence[str], user_types: Sequence[str], newest: pl.Expr) -> pl.Expr:
    """True for envelopes that may break a rule of `domain.events.validation`; what is False here is certainly good."""
    suspect = (
        ~pl.col("message_type").is_in(list(known_types))
        | (pl.col("schema_version") > newest)
        | (pl.col("message_type").is_in(list(user_types)) & (pl.col("user_id") == ""))
    )
    for rule in ENVELOPE:
        for check in _checks(rule):
            suspect = suspect | check
    return suspect


def _is_time(column: pl.Expr) -> pl.Expr:
    return column.is_between(EARLIEST, LATEST, closed="left") & ~column.is_between(*SECONDS, closed="left")


@dataclass(frozen=True, slots=True)
class DecodedFacts:
    """Facts of payloads of one type. `facts` has the payload's columns, `_row` (index of the payload) and `_item`
    (index in a batch event); `bad` are payloads that cannot be decoded, `suspects` those that may break a rule.
    """

    facts: pl.DataFrame
    bad: list[int]
    suspects: list[int]


def decode_facts(event: EventType, *, batch: bool, payloads: pl.Series, fields: Set[str] | None = None) -> DecodedFacts:
    """Decode payloads of one type, in their single or batch form.

    `fields`: only these, of payloads that were judged before, and without looking for suspects again.
    """
    selected = None if fields is None else _decoded_fields(event, frozenset(fields))
    frame, bad, odd = _read(event, selected, batch=batch, payloads=payloads)
    facts = on_grid(event, frame).select(_columns(event, selected))
    if fields is not None:
        return DecodedFacts(facts, bad, odd)
    suspect = frame.select(_suspicion(event)).to_series()
    suspects = frame.get_column("_row").filter(suspect).unique().to_list() if suspect.any() else []
    return DecodedFacts(facts, bad, [*odd, *suspects])


def read_facts(
    event: EventType, *, batch: bool, payloads: pl.Series, fields: Set[str]
) -> tuple[pl.DataFrame, Sequence[pl.Expr]]:
    """Of payloads of one type that were judged before these fields as they are read, and what makes facts of them.

    Apart, so that it can be part of a plan: times and texts are as they are in facts already.
    """
    selected = _decoded_fields(event, frozenset(fields))
    frame, _, _ = _read(event, selected, batch=batch, payloads=payloads)
    return on_grid(event, frame), _columns(event, selected)


def _read(
    event: EventType, selected: frozenset[str] | None, *, batch: bool, payloads: pl.Series
) -> tuple[pl.DataFrame, list[int], list[int]]:
    """A row a fact, which payloads cannot be decoded, and which batches hold too few or too many facts."""
    binary = payloads.to_arrow().cast(pa.binary())
    form = event.batch if batch else event.message
    assert form is not None
    slim = (
        None
        if selected is None
        else slim_message(descriptor_of(event.message), selected, descriptor_of(form) if batch else None)
    )
    frame, bad = decode_messages(form, binary, slim)
    if not batch:
        return frame.hstack([pl.Series("_item", np.zeros(frame.height, np.int64))]), bad, []
    sizes = pl.col("items").list.len().fill_null(0)
    frame = frame.with_columns(_item=pl.int_ranges(0, sizes), _fits=sizes.is_between(1, MAX_FACTS))
    odd = frame.filter(~pl.col("_fits")).get_column("_row").to_list()
    return frame.filter("_fits").explode("items", "_item").unnest("items"), bad, odd


@cache
def _decoded_fields(event: EventType, fields: frozenset[str]) -> frozenset[str] | None:
    """Which fields of the payload to decode, never none at all; None, which is all, where messages are among them."""
    own = cast(Sequence[FieldDescriptor], event.message.DESCRIPTOR.fields)
    fields = fields.union(*(product.fields for product in event.products if product.name in fields))
    fields = fields.union(map(text_of_double, fields))
    selected = [f for f in own if f.name in fields] or [f for f in own if f.message_type is None][:1]
    return None if any(f.message_type is not None for f in selected) else frozenset(f.name for f in selected)


@cache
def _columns(event: EventType, selected: frozenset[str] | None = None) -> list[pl.Expr]:
    """The columns of a type's facts; made once, since on a few facts making them costs more than reading them."""
    fields = cast(Sequence[FieldDescriptor], event.message.DESCRIPTOR.fields)
    names = {f.name for f in fields} if selected is None else selected
    products = [pl.col(product.name) for product in event.products if names.issuperset(product.fields)]
    own = [_value(f) for f in fields if f.name in names and double_of(f.name) not in names]
    return [*own, *products, pl.col("_row"), pl.col("_item")]


@cache
def _suspicion(event: EventType) -> pl.Expr:
    """Whether a fact may break a rule of its type; made once, as the columns are."""
    suspect = pl.lit(False)
    for rule in field_rules(event.name):
        for check in _checks(rule):
            suspect = suspect | check
    for check in _bound_checks(event):
        suspect = suspect | check.fill_null(False)  # what is not there breaks no bound
    return suspect.fill_null(True).alias("_suspect")


def _bound_checks(event: EventType) -> Iterator[pl.Expr]:
    """As `domain.events.bounds`, but 0 of a field whose presence cannot be told counts as there."""
    for scale in event.scales:
        number = pl.col(scale.field)
        beyond = ~number.is_between(scale.low, scale.high)
        if scale.whole:
            beyond = beyond | (number != number.cast(pl.Float64).round())
        yield beyond & (pl.col(scale.of) == scale.value) if scale.of else beyond
    for lower, upper in event.rising:
        yield (pl.col(lower) > pl.col(upper)) & ((pl.col(upper) != 0) | (upper not in event.times))
    for product in event.products:
        yield _large(product)
    for name in event.currencies:
        yield ~pl.col(name).str.contains(CODE)


def _value(field: FieldDescriptor) -> pl.Expr:
    column = pl.col(field.name)
    if field.type == FieldDescriptor.TYPE_ENUM:
        return column.replace_strict(enum_names(field), default="", return_dtype=pl.String).alias(field.name)
    return column


def enum_names(field: FieldDescriptor) -> dict[int, str]:
    """Numbers and lower-case names of an enum's values; UNSPECIFIED is the empty name."""
    assert field.enum_type is not None
    return {v.number: v.name.lower() if v.number else "" for v in field.enum_type.values}


def _checks(rule: FieldRule) -> list[pl.Expr]:
    """Expressions that are true, or null, where the field may break its rule."""
    column = pl.col(rule.name)
    match rule.form:
        case Form.DOUBLE:
            return _double_checks(column, rule)
        case Form.DECIMAL:
            return [column != ""]
        case Form.ENUM:
            return [~column.is_in(sorted(n for n in rule.numbers if n or not rule.required))]
        case Form.MEMBERS:
            return [_bad_members(column, rule)]
        case Form.TEXT:
            return _text_checks(column, rule)
        case Form.TIME:
            return [~(_is_time(column) if rule.required else _is_time(column) | (column == 0))]
        case Form.COMPANY:
            return [~column.str.contains(COMPANY_ID)]
        case Form.SEQUENCE:
            return [column >= 2**63]
    return []


def _double_checks(column: pl.Expr, rule: FieldRule) -> list[pl.Expr]:
    checks = [~(column.abs() <= BOUNDS[-1])]
    if not rule.measured:
        scaled = column * ONE
        checks.append((column.abs() < FINEST) & ((scaled - scaled.round(0)).abs() > scaled.abs() * ALMOST))
    if rule.positive:
        checks.append(column <= 0)
    if rule.not_negative:
        checks.append(column < 0)
    return [check.fill_null(rule.required) for check in checks]


def _large(product: Product) -> pl.Expr:
    """True where the product may be beyond its bound."""
    size = pl.sum_horizontal(pl.col(name).abs() for name in product.amounts)
    for name in product.factors:
        size = size * pl.col(name).abs().fill_null(1)
    return size > LARGEST_PRODUCT / ONE / 2


def _text_checks(column: pl.Expr, rule: FieldRule) -> list[pl.Expr]:
    checks = [(column.str.len_bytes() > rule.longest) | column.str.contains("\0", literal=True)]
    if rule.required:
        checks.append(column == "")
    if rule.choices:
        checks.append(~column.is_in([*rule.choices, ""]))
    return checks


def _bad_members(column: pl.Expr, rule: FieldRule) -> pl.Expr:
    """True where a member of a list, or a key or value of a map, is too long or holds U+0000."""
    members = (column.map.keys(), column.map.values()) if rule.is_map else (column,)
    text = pl.element().str
    bad = (text.len_bytes() > rule.longest) | text.contains("\0", literal=True)
    return pl.any_horizontal(*(m.list.eval(bad.any()).list.first().fill_null(False) for m in members))


def order_column(partitions: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Log position as one number that sorts like (partition, offset); the item is added to its free low bits."""
    return (partitions.astype(np.int64) << (OFFSET_BITS + ITEM_BITS)) | (offsets.astype(np.int64) << ITEM_BITS)


def ahead(frame: pl.DataFrame, times: Sequence[str], taken_at: np.ndarray) -> set[int]:
    """Records with a time that lies too far beyond the one at which the log took them."""
    far = set[int]()
    for name in times if frame.height else ():
        column = frame.get_column(name)
        if cast(int, column.max()) > taken_at.min() + MOST_AHEAD:  # else it is none, which is nearly always so
            rows = frame.get_column("_row").to_numpy()
            far.update(rows[column.to_numpy() > taken_at[rows] + MOST_AHEAD].tolist())
    return far
