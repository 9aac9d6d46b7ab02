"""Columns of decimals: doubles onto the grid of `domain.decimals`, and products of them, a whole batch at a time."""

from __future__ import annotations

import numpy as np
import polars as pl
from google.protobuf.descriptor import FieldDescriptor

from domain.decimals import BOUNDS, FACTORS, LARGEST_PRODUCT, ONE, SCALES, UNDECIDED, of_double, of_text
from domain.events.catalogue import EventType
from domain.events.field_rules import text_of_double
from domain.events.products import Product
from eventlog.columns import descriptor_of

DECIMAL = pl.Int128
_BOUNDS, _SCALES, _FACTORS = np.array(BOUNDS), np.array(SCALES), np.array(FACTORS, np.int64)
_WITHIN = LARGEST_PRODUCT / ONE * (1 - 1e-9)  # of products as floats: what is smaller is certainly within the bound


def is_decimal(field: FieldDescriptor) -> bool:
    """Whether a field of a payload is kept as a decimal."""
    return field.type == FieldDescriptor.TYPE_DOUBLE and not field.is_repeated


def on_grid(event: EventType, frame: pl.DataFrame) -> pl.DataFrame:
    """Payload columns with their doubles as whole trillionths, and with the products of what is there.

    A double that cannot become one (NaN, infinite, too large) is null, and so is a product beyond its bound.
    """
    names = [f.name for f in descriptor_of(event.message).fields if is_decimal(f) and f.name in frame.columns]
    if names:
        frame = frame.with_columns([_with_texts(frame, _trillionths(frame.get_column(name))) for name in names])
    return with_products(event, frame)


def with_products(event: EventType, frame: pl.DataFrame) -> pl.DataFrame:
    """Columns of decimals with the products of those that are there."""
    products = [p for p in event.products if set(p.fields) <= set(frame.columns)]
    return frame.with_columns([product_column(frame, product) for product in products]) if products else frame


def _trillionths(doubles: pl.Series) -> pl.Series:
    """As `of_double` of each; that is asked only where a double's own error may decide."""
    numbers = doubles.to_numpy()
    sizes = np.abs(numbers)
    places = np.searchsorted(_BOUNDS, sizes, side="right")
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = numbers * _SCALES[places]
        nearest = np.rint(scaled)
        certain = (np.abs(scaled - nearest) < UNDECIDED) & (sizes <= BOUNDS[-1])
    wide: pl.Series = pl.Series(doubles.name, np.where(certain, nearest, 0.0).astype(np.int64)).cast(DECIMAL)
    if places.any():
        wide = pl.select(wide * pl.Series(_FACTORS[places])).to_series()
    if certain.all():
        return wide
    others = np.flatnonzero(~certain)
    values = [None if number is None else of_double(number) for number in doubles.gather(others).to_list()]
    mended: pl.Series = wide.scatter(others, pl.Series(values, dtype=DECIMAL))
    return mended


def _with_texts(frame: pl.DataFrame, decimals: pl.Series) -> pl.Series:
    """The decimals, as the text beside them says them where there is one."""
    texts = frame.get_column(text_of_double(decimals.name), default=None)
    if texts is None or not (said := texts != "").any():
        return decimals
    places = said.arg_true()
    exact = [of_text(text) for text in texts.gather(places).to_list()]
    mended: pl.Series = decimals.scatter(places, pl.Series(exact, dtype=DECIMAL))
    return mended


def product_column(frame: pl.DataFrame, product: Product) -> pl.Series:
    """As `Product.value` of each row, of two factors at most, in 128 bits, which hold every step within the bounds."""
    first, second, *factors = (frame.get_column(name) for name in product.fields)
    amount = first.abs() + second.abs() if product.total else second - first
    factors = [factor.fill_null(ONE) for factor in factors if factor.null_count() < len(factor)]
    sizes = [amount.cast(pl.Float64).abs() / ONE]
    for factor in factors:
        sizes.append(sizes[-1] * factor.cast(pl.Float64) / ONE)
    if not all((size < _WITHIN).all() for size in sizes):
        rows = zip(*(frame.get_column(name).to_list() for name in product.fields), strict=True)
        return pl.Series(product.name, [product.value(row) for row in rows], dtype=DECIMAL)
    steps = pl.DataFrame({"floor": amount}).with_columns(rest=_NOTHING, more=pl.lit(value=False))
    for factor in factors:
        steps = _times(steps.with_columns(factor=factor))
    floor, twice = pl.col("floor"), pl.col("rest") * 2
    up = (twice > ONE) | ((twice == ONE) & (pl.col("more") | (floor % 2 == 1)))  # half even
    return steps.select((floor + up.cast(DECIMAL)).alias(product.name)).to_series()


_NOTHING = pl.lit(0, dtype=DECIMAL)


def _times(steps: pl.DataFrame) -> pl.DataFrame:
    """What is floor + rest / ONE (and `more`: a little beyond it) times the factor / ONE, in the same form.

    Factors are split into whole numbers and rests of less than ONE, so that no product of two parts has over 128 bits.
    """
    floor, rest, factor = pl.col("floor"), pl.col("rest"), pl.col("factor")
    steps = steps.with_columns(whole=floor // ONE, upper=factor // ONE, carried=rest * factor)
    steps = steps.with_columns(left=floor - pl.col("whole") * ONE, lower=factor - pl.col("upper") * ONE)
    steps = steps.with_columns(low=pl.col("left") * pl.col("lower") + pl.col("carried") // ONE)
    return steps.select(
        floor=floor * pl.col("upper") + pl.col("whole") * pl.col("lower") + pl.col("low") // ONE,
        rest=pl.col("low") % ONE,
        more=pl.col("more") | (pl.col("carried") % ONE != 0),
    )
