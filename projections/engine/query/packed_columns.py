"""Packed columns: many rows of a statement as one row of byte strings, each the column of a numpy array.

A statistic of thousands of trades or events reads whole columns; a dict a row would cost more than its arithmetic. The
database sends whole numbers and times in their binary form, one after the other in the order of the subquery; where
another column of the same SELECT has an order or is DISTINCT, PostgreSQL may sort them all for that one, and the order
that matters must be given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from domain.errors import LimitExceeded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Column = NDArray[np.int64]

WIDE = 2**62  # beyond, sums of two would not fit into 64 bits
NULL, ELSEWHERE = -(2**63) + 1, -(2**63) + 2  # in place of a number
MS_2000, DAYS_2000 = 946_684_800_000, 10_957  # the database counts times and dates from 1 January 2000


def bigints(expression: str, order: str = "") -> str:
    """SQL of a column of whole numbers of 64 bits, never null; `order` is an ORDER BY of its own."""
    return f"string_agg(int8send({expression}), ''::bytea{order})"


def wholes(expression: str, order: str = "") -> str:
    """SQL of a column of whole numbers of any size, null where there is none; `order` as above.

    Numbers that leave `WIDE` are sent as text, one after the other, and marked where they belong.
    """
    fits = f"{expression} BETWEEN -{WIDE} AND {WIDE}"
    number = f"CASE WHEN {fits} THEN {expression}::bigint WHEN {expression} IS NULL THEN {NULL} ELSE {ELSEWHERE} END"
    text = f"string_agg({expression}::text, ','{order}) FILTER (WHERE NOT {fits})"
    return f"ARRAY[{bigints(number, order)}, convert_to({text}, 'UTF8')]"


def integers(expression: str, order: str = "") -> str:
    """SQL of a column of whole numbers of 32 bits, never null; `order` as above."""
    return f"string_agg(int4send({expression}), ''::bytea{order})"


def moments(expression: str, order: str = "") -> str:
    """SQL of a column of times, never null; `order` as above."""
    return f"string_agg(timestamptz_send({expression}), ''::bytea{order})"


def days(expression: str) -> str:
    """SQL of a column of dates, never null."""
    return f"string_agg(date_send({expression}), ''::bytea)"


def read_bigints(packed: bytes | None) -> Column:
    """The numbers of `bigints`."""
    import numpy as np

    return np.frombuffer(packed or b"", dtype=">i8").astype(np.int64)


def read_wholes(packed: Sequence[bytes | None] | None) -> NDArray[Any]:
    """The numbers of `wholes`: of 64 bits where all are within `WIDE` and none is null, else integers and None."""
    import numpy as np

    numbers, text = packed or (None, None)
    column = read_bigints(numbers)
    null, elsewhere = column == NULL, column == ELSEWHERE
    if not null.any() and not elsewhere.any():
        return column
    wide = column.astype(object)
    wide[null] = None
    wide[elsewhere] = [int(number) for number in (text or b"").decode().split(",") if number]
    return np.asarray(wide)


def read_integers(packed: bytes | None) -> Column:
    """The numbers of `integers`."""
    import numpy as np

    return np.frombuffer(packed or b"", dtype=">i4").astype(np.int64)


def read_moments(packed: bytes | None) -> Column:
    """The times of `moments`, in ms since 1970 UTC."""
    return read_bigints(packed) // 1000 + MS_2000


def read_days(packed: bytes | None) -> Column:
    """The dates of `days`, in days since 1970."""
    return read_integers(packed) + DAYS_2000


def bounded(count: Any, most: int, what: str) -> None:
    """Raise LimitExceeded where more rows were found than an answer may be computed from."""
    if count > most:
        raise LimitExceeded(
            f"the answer would be computed from more than {most:,} {what}",
            suggested_actions=("Ask for a shorter period, or for one user.",),
        )
