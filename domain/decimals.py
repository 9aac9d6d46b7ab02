"""Decimals: the one grid on which amounts, prices, quantities and measured values are kept, and how they come onto it.

A value is kept in whole trillionths (10^-12), at most `LARGEST` in magnitude; a product of values at most
`LARGEST_PRODUCT`, so that 10^8 of the largest stay within the 128 bits of a folded column (10^38 < 1.7 × 10^38).

A double says its 15 significant digits, as many as every decimal text keeps when it becomes a double and a text again;
what it has beyond them is how it was computed. A text says all of its digits. Either is rounded half even, once.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

PLACES = 12
ONE: int = 10**PLACES
LARGEST: int = 10**15 * ONE
LARGEST_PRODUCT: int = 10**18 * ONE
FINEST = 5e-7  # from here on rounding to the grid changes a value by one part in a million at most
DIGITS = 15  # that a double says

BOUNDS = tuple(10.0**digits for digits in range(DIGITS - PLACES, DIGITS + 1))
"""From each of them on a double says one decimal place less than `PLACES`."""
MOST = BOUNDS[-1]  # as a double, the largest that is kept
SCALES = tuple(10.0 ** max(0, PLACES - place) for place in range(len(BOUNDS) + 1))
"""What a double below the bound of its place is multiplied by, so that all that it says is a whole number."""
FACTORS = tuple(ONE // int(scale) for scale in SCALES)
"""What this number is multiplied by to be trillionths."""
UNDECIDED = 0.37  # so far from a whole number, a double's own error and its 16th digit may decide which one is nearest

PRECISION = 1_000_000  # one part in so many is the most by which the grid may change an amount
_WIDE = Context(prec=400)
_is_decimal = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII).fullmatch


def of_double(number: float) -> int | None:
    """What is kept of a double, in trillionths; None for one that is not finite or too large."""
    size = abs(number)
    if size <= MOST:
        place = bisect_right(BOUNDS, size)
        scaled = number * SCALES[place]
        nearest = round(scaled)
        if abs(scaled - nearest) < UNDECIDED:
            return nearest * FACTORS[place]
    return of_decimal(decimal_of(number))


def decimal_of(number: float) -> Decimal:
    """What a double says."""
    return Decimal(format(number, f".{DIGITS}g"))


def of_decimal(number: Decimal) -> int | None:
    """What is kept of a decimal of at most 300 digits, in trillionths; None for one that is no number or too large."""
    if not number.is_finite() or (number and number.adjusted() > DIGITS):
        return None
    if number.adjusted() < -2 * DIGITS:
        return 0
    units = int(number.scaleb(PLACES, _WIDE).to_integral_value(ROUND_HALF_EVEN, _WIDE))
    return units if -LARGEST <= units <= LARGEST else None


def read_decimal(text: str) -> Decimal | None:
    """The number that a decimal text says, as 0.00000843 and 8.43e-6 do; None for any other text."""
    return Decimal(text) if _is_decimal(text) else None


def of_text(text: str) -> int | None:
    """What is kept of a decimal text, in trillionths; None for any other text, and for one that is too large."""
    number = read_decimal(text)
    return None if number is None else of_decimal(number)


def says_all(number: float, exact: Decimal) -> bool:
    """Whether as much is kept of a double as of the decimal that it is nearest to."""
    return of_double(number) == of_decimal(exact)


def is_too_fine(number: Decimal, units: int) -> bool:
    """Whether a value is changed by more than one part in a million when these trillionths are kept of it."""
    exact = Fraction(number) * ONE
    return abs(units - exact) > abs(exact) / PRECISION


def half_even(numerator: int, denominator: int) -> int:
    """The quotient of whole numbers, rounded to the nearest whole number, ties to the even one."""
    quotient, rest = divmod(numerator, denominator)
    return quotient + (2 * rest > denominator or (2 * rest == denominator and quotient % 2))


def text_of(units: int) -> str:
    """Trillionths as the shortest decimal text: -88652440000000 is "-88.65244"."""
    whole, rest = divmod(abs(units), ONE)
    text = f"{whole}.{rest:0{PLACES}d}".rstrip("0") if rest else str(whole)
    return f"-{text}" if units < 0 else text
