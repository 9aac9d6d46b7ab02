"""Decimals: what is kept of doubles and of products, against Python's `decimal` over the whole range."""

from __future__ import annotations

import math
from decimal import Context, Decimal
from fractions import Fraction
from typing import cast

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from domain.decimals import LARGEST, LARGEST_PRODUCT, ONE, is_too_fine, of_decimal, of_double, text_of
from domain.events.catalogue import BY_NAME
from domain.events.products import Product
from projections.engine.fold.decimal_columns import on_grid, product_column

WIDE = Context(prec=80)
MOST = 1e15
HUMAN = st.decimals(-(10**15), 10**15, places=8).map(float) | st.decimals(-1, 1, places=12).map(float)
TIES = st.integers(-(10**12), 10**12).map(lambda n: (2 * n + 1) / 2e12)  # halves of a trillionth
COMPUTED = st.tuples(HUMAN, HUMAN, st.sampled_from([0.1, 3.0, 7.0])).map(lambda t: (t[0] + t[1]) / t[2])
EDGES = [0.0, -0.0, 5e-324, 2.2e-308, 0.1 + 0.2, MOST, -MOST, math.nextafter(MOST, 0), math.nextafter(MOST, 2e15)]
EDGES += [1e15 + 4, 1e15 + 5, 1e15 + 6, 1e300, math.nan, math.inf, -math.inf]
EDGES += [math.nextafter(10.0**n, way) for n in range(-13, 16) for way in (0, 1e16)]
DOUBLES = (
    st.floats() | st.floats(-MOST, MOST) | st.floats(-1e-3, 1e-3) | HUMAN | TIES | COMPUTED | st.sampled_from(EDGES)
)


def kept(double: float) -> int | None:
    """By the rule: 15 significant digits, then half even to 10^-12; None beyond 10^15."""
    if not math.isfinite(double):
        return None
    said = Decimal(f"{double:.15g}")
    return int((said * ONE).to_integral_value(context=WIDE)) if abs(said) <= 10**15 else None


def column(doubles: list[float | None]) -> list[int | None]:
    """The same as a column of facts."""
    return cast(list[int | None], on_grid(BY_NAME["payment"], pl.DataFrame({"amount": doubles}))["amount"].to_list())


@given(st.lists(DOUBLES | st.none(), min_size=1, max_size=30))
@example([math.nan, None])
def test_what_is_kept_of_a_double_is_what_it_says(doubles: list[float | None]) -> None:
    """One by one and as a column, to the last digit: human amounts, computed ones, ties, subnormals, edges."""
    expected = [None if double is None else kept(double) for double in doubles]
    assert column(doubles) == expected
    assert [None if double is None else of_double(double) for double in doubles] == expected


@given(st.integers(-(10**15) + 1, 10**15 - 1), st.integers(0, 12))
def test_any_15_digits_come_back_as_they_were_written(digits: int, places: int) -> None:
    """An amount of 15 digits on the grid, by a double, is the text that it was, in its shortest form."""
    written = Decimal(digits).scaleb(-places)
    back = of_double(float(written))
    assert back is not None
    assert Decimal(text_of(back)) == written
    assert text_of(back) == (f"{written.normalize():f}" if digits else "0")


@given(st.decimals(-(10**15), 10**15, places=30) | st.decimals(-1, 1, places=14))
def test_a_decimal_is_rounded_half_even_once(number: Decimal) -> None:
    """As exact fractions round; what loses more than one part in a million of itself is too fine."""
    exact = Fraction(number) * ONE
    assert of_decimal(number) == round(exact)
    assert is_too_fine(number, round(exact)) == (abs(round(exact) - exact) * 10**6 > abs(exact))


UNITS = st.integers(-LARGEST, LARGEST) | st.integers(-(10**9), 10**9) | st.integers(-300 * ONE, 300 * ONE)
FACTORS = st.none() | st.integers(1, 10**24) | st.sampled_from([ONE, 50 * ONE, ONE // 100, 1])
SIZES = st.integers(1, LARGEST) | st.integers(1, 10**9) | st.sampled_from([1, ONE // 2, ONE, 3 * ONE // 2])


@given(st.lists(st.tuples(UNITS, UNITS, SIZES, FACTORS), min_size=1, max_size=20), st.booleans())
@example([(LARGEST, -LARGEST, 1000 * ONE, None), (0, LARGEST, 1000 * ONE, None)], True)
@example([(0, 10**21, ONE // 2 + 1, 1), (0, 3 * 10**11, 10**11, 5 * 10**13)], False)
def test_products_are_exact_and_cannot_wrap(rows: list[tuple[int, int, int, int | None]], total: bool) -> None:
    """Prices × quantity × multiplier over the whole range, rounded half even once; nothing beyond the bound."""
    product = Product("p", ("entry_price", "exit_price"), ("quantity", "multiplier"), total)
    amounts = [(abs(a) + abs(b) if total else b - a) * q for a, b, q, _ in rows]
    exact = [round(Fraction(of * (m or ONE), ONE**2)) for of, (*_, m) in zip(amounts, rows, strict=True)]
    expected = [value if abs(value) <= LARGEST_PRODUCT else None for value in exact]
    assert [product.value(row) for row in rows] == expected
    frame = pl.DataFrame(rows, schema=dict.fromkeys(product.fields, pl.Int128), orient="row")
    assert product_column(frame, product).to_list() == expected
    small = [row for row, value in zip(rows, expected, strict=True) if value is not None]
    frame = pl.DataFrame(small, schema=dict.fromkeys(product.fields, pl.Int128), orient="row")
    assert product_column(frame, product).to_list() == [value for value in expected if value is not None]


def test_a_hundred_million_of_the_largest_fit_into_a_folded_sum() -> None:
    """Columns are summed in 128 bits."""
    assert 10**8 * LARGEST_PRODUCT < 2**127
