"""Quantiles from counts in fixed log-spaced buckets: mergeable in any order, at most 1 % off.

A bucket holds the whole numbers (trillionths) of one range [edge, next edge). The edges are made by whole-number
arithmetic alone, each at most 2 % above the one before, so that they are the same on every machine: a logarithm is not,
at the edges. The middle of a bucket is then within 1 % of every value in it, and numbers below 100 have a bucket of
their own. Bucket 0 holds zero; a negative value lies in minus the bucket of its magnitude.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from domain.decimals import LARGEST
from projections.engine.declare.rows import Row, Table

if TYPE_CHECKING:
    import polars as pl

GROWTH = (102, 100)  # width of a bucket: 2 %, so that its middle is 1 % away from either end
QUANTILES = {"p50": 50, "p95": 95, "p99": 99}  # name → percent


@cache
def edges() -> tuple[int, ...]:
    """Lower edges of the buckets 1, 2, 3, …: 1 first, the last at most `LARGEST`. Of 3,020 each fits 16 bits."""
    bounds = [1]
    while (edge := max(bounds[-1] + 1, bounds[-1] * GROWTH[0] // GROWTH[1])) <= LARGEST:
        bounds.append(edge)
    return tuple(bounds)


@cache
def _edge_column() -> pl.Series:
    import polars as pl

    return pl.Series(edges(), dtype=pl.Int128)


def bucket_of(value: pl.Expr) -> pl.Expr:
    """The bucket of each value. Measured: 0.1 µs a value."""
    import polars as pl

    magnitude = pl.lit(_edge_column()).search_sorted(value.abs(), side="right")
    return magnitude.cast(pl.Int64) * value.sign()


def middle_of(bucket: int) -> int:
    """The value that stands for a bucket, in the units of what was counted."""
    if bucket == 0:
        return 0
    lower = edges()[abs(bucket) - 1]
    upper = edges()[abs(bucket)] - 1 if abs(bucket) < len(edges()) else LARGEST
    middle = (lower + upper) // 2
    return middle if bucket > 0 else -middle


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Where the buckets of a totals query lie: a table with its dimensions, `bucket` and `count`.

    `low` and `high` are the measures with the exact extremes, which no quantile leaves.
    """

    of: type[Row]
    low: str
    high: str

    @property
    def table(self) -> Table:
        """The table of buckets."""
        return self.of.table

    def value(self, bucket: int | None, low: int | None, high: int | None) -> int | None:
        """The quantile that lies in this bucket, in trillionths; null where there is no data."""
        if bucket is None or low is None or high is None:
            return None
        return min(max(middle_of(bucket), low), high)

    def sql(self, selected: Sequence[str], names: Sequence[str], where: str) -> str:
        """SELECT of the bucket of each quantile by nearest rank: the value whose rank is ceil(p·n), for each group.

        `selected` are the dimensions with their names, `names` the names alone, `where` the condition on the rows.
        """
        keys = [f'"{name}"' for name in names]
        counted = f"SELECT {', '.join([*selected, 'bucket', 'SUM(count) AS n'])} FROM {{{self.table.name}}}"
        group = f" WHERE {where} GROUP BY {', '.join(str(i + 1) for i in range(len(keys) + 1))}"
        within = f"PARTITION BY {', '.join(keys)}" if keys else ""
        ranked = (
            f"SELECT *, SUM(n) OVER ({within} ORDER BY bucket) AS upto, SUM(n) OVER ({within}) AS total"
            f" FROM ({counted}{group}) AS counted"
        )
        picks = [f'MIN(bucket) FILTER (WHERE upto * 100 >= total * {p}) AS "{name}"' for name, p in QUANTILES.items()]
        grouped = f" GROUP BY {', '.join(keys)}" if keys else ""
        return f"SELECT {', '.join([*keys, *picks])} FROM ({ranked}) AS ranked{grouped}"
