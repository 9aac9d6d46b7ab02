"""Expressions that several folds need."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


def only(value: pl.Expr, condition: pl.Expr) -> pl.Expr:
    """The value where the condition holds, else null, which no extreme counts."""
    import polars as pl

    return pl.when(condition).then(value)


def own_or_place(identity: pl.Expr) -> pl.Expr:
    """What identifies a fact: its own identity, or else its place in the log, which no other fact has."""
    import polars as pl

    return pl.when(identity == "").then(pl.lit("\x1f") + pl.col("_seq").cast(pl.String)).otherwise(identity)
