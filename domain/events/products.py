"""Products: what follows from several decimals of one fact, such as price × quantity, exact and rounded once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.decimals import LARGEST_PRODUCT, ONE, half_even


@dataclass(frozen=True, slots=True)
class Product:
    """The second of two amounts less the first, or with `total` the sum of their magnitudes, times one or two factors.

    Rounded half even to trillionths once; `LARGEST_PRODUCT` at most. It is a column of the type's facts, under `name`.
    """

    name: str
    amounts: tuple[str, str]
    factors: tuple[str, ...]
    total: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """What it is made of, the amounts first."""
        return *self.amounts, *self.factors

    def value(self, parts: Sequence[int | None]) -> int | None:
        """The product of trillionths, in the order of `fields`, in trillionths; None beyond the bound and of nothing.

        A factor that is None is 1.
        """
        first, second, *factors = parts
        if first is None or second is None:
            return None
        numerator, denominator = abs(first) + abs(second) if self.total else second - first, 1
        for factor in factors:
            if factor is not None:
                numerator, denominator = numerator * factor, denominator * ONE
        product = half_even(numerator, denominator)
        return product if abs(product) <= LARGEST_PRODUCT else None
