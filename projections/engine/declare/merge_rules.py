"""Kinds of value that a row can hold, and the rules by which two values of a column merge.

A column is declared as `name: Rule[Kind]`, for example `pnl: Sum[Money]`. Every rule is associative, and every kind
whose rule adds is a whole number, so that any split into batches gives the same rows.
"""

from __future__ import annotations

from typing import Generic, TypeVar

MS_PER_MINUTE = 60_000
MS_PER_QUARTER = 900_000  # of an hour: the difference of any zone's clock from UTC is a multiple of it
MS_PER_HOUR = 3_600_000
MS_PER_DAY = 86_400_000


class Kind:
    """Base of all kinds: `sql` is the column type, `truncate_ms` the width of a time bucket (0: none)."""

    sql: str
    truncate_ms: int = 0
    is_time: bool = False


class Text(Kind):
    """Text, compared byte by byte; never null, absent is ''."""

    sql = 'text COLLATE "C"'


class Json(Text):
    """A JSON document as text, members in order; answered as what it says."""


class Labels(Text):
    """Texts in the order given, each after U+001F; answered as a list. U+001E and U+001F in one of them are written as
    U+001E and 0 or 1, so that any text can be one.
    """


class Small(Kind):
    """A small whole number."""

    sql = "smallint"


class Bucket(Small):
    """A bucket of values on the grid (`query/quantiles.py`): on another grid it is another one."""


class Count(Kind):
    """A whole number of things."""

    sql = "bigint"


class Flag(Kind):
    """True or false."""

    sql = "boolean"


class Money(Kind):
    """Money in whole trillionths of the currency. numeric, because it has up to 128 bits."""

    sql = "numeric"


class Number(Kind):
    """A measured value in whole trillionths of its unit; answered as a JSON number."""

    sql = "numeric"


class Twelfths(Kind):
    """Money in twelfths of a trillionth, in which the month's share of every billing interval is exact."""

    sql = "numeric"


DECIMALS = (Money, Number, Twelfths)  # kinds of values on the grid


class Moment(Kind):
    """A time, exact to the millisecond, UTC."""

    sql = "timestamptz"
    truncate_ms = 1
    is_time = True


class Minute(Moment):
    """A time cut to its minute, UTC."""

    truncate_ms = MS_PER_MINUTE


class Quarter(Moment):
    """A time cut to its quarter of an hour, UTC: days, hours and months of any zone are made of these."""

    truncate_ms = MS_PER_QUARTER


class Hour(Moment):
    """A time cut to its hour, UTC."""

    truncate_ms = MS_PER_HOUR


class Day(Kind):
    """The UTC day of a time."""

    sql = "date"
    truncate_ms = MS_PER_DAY
    is_time = True


OF_WHAT_COUNTS = "c AS (SELECT * FROM ({within}) AS w WHERE _counts)"
KindT = TypeVar("KindT", bound=Kind)


class Rule(Generic[KindT]):
    """Base of the merge rules. A rule is said here for everybody who merges: a new one is one more class.

    `merge`: SQL of a stored value {t} and an arriving one {e}. `total`: SQL aggregate of {c} over rows. `aggregate`:
    the Polars aggregate over the values of one key, in their order where the rule has one. `order`: hidden columns that
    say where in that order the event lies that decided; `order_of_facts`: what of a fact they are.
    `comes`: SQL, whether the arriving one decides.
    `deciding`: SQL of those entries of an explanation out of {within} that decide it, of rows with {keys}.
    `of_totals`: whether rows merge into those of a coarser key. `blank`: the value where nothing was merged.
    """

    merge: str = ""
    total: str = ""
    aggregate: str = ""
    order: tuple[str, ...] = ()
    order_of_facts: tuple[str, ...] = ()
    comes: str = ""
    deciding: str = ""
    of_totals: bool = False
    blank: int | None = None


class Key(Rule[KindT]):
    """Part of what identifies the row; the tenant's company_id is always the first."""


class Sum(Rule[KindT]):
    """Added up."""

    merge, total, aggregate = "{t} + {e}", "SUM({c})", "sum"
    deciding = "SELECT * FROM ({within}) AS w WHERE share <> 0"
    of_totals, blank = True, 0


class Min(Rule[KindT]):
    """The least; nulls do not count."""

    merge, total, aggregate = "LEAST({t}, {e})", "MIN({c})", "min"
    deciding = f"WITH {OF_WHAT_COUNTS} SELECT * FROM c WHERE share = (SELECT MIN(share) FROM c)"
    of_totals = True


class Max(Rule[KindT]):
    """The greatest; nulls do not count."""

    merge, total, aggregate = "GREATEST({t}, {e})", "MAX({c})", "max"
    deciding = f"WITH {OF_WHAT_COUNTS} SELECT * FROM c WHERE share = (SELECT MAX(share) FROM c)"
    of_totals = True


class First(Rule[KindT]):
    """The value of the earliest event of the row, by (event timestamp, log position)."""

    order, order_of_facts = ("_first_at", "_first_seq"), ("_at", "_seq")
    comes = "(excluded._first_at, excluded._first_seq) < (t._first_at, t._first_seq)"
    merge = f"CASE WHEN {comes} THEN {{e}} ELSE {{t}} END"
    total, aggregate = "(array_agg({c} ORDER BY _first_at, _first_seq))[1]", "first"
    deciding = 'SELECT DISTINCT ON ({keys}) * FROM ({within}) AS w ORDER BY {keys}, "_at", "_seq"'


class Last(Rule[KindT]):
    """The value of the latest event of the row, by (event timestamp, log position)."""

    order, order_of_facts = ("_last_at", "_last_seq"), ("_at", "_seq")
    comes = "(excluded._last_at, excluded._last_seq) >= (t._last_at, t._last_seq)"
    merge = f"CASE WHEN {comes} THEN {{e}} ELSE {{t}} END"
    total, aggregate = "(array_agg({c} ORDER BY _last_at DESC, _last_seq DESC))[1]", "last"
    deciding = 'SELECT DISTINCT ON ({keys}) * FROM ({within}) AS w ORDER BY {keys}, "_at" DESC, "_seq" DESC'


class Newest(Rule[KindT]):
    """The value of the last report: by (rank, when the log took it, log position).

    The rank is what the fold gives as `_rank`; else twice the report's revision, one more where it takes it back: so a
    report that comes after that counts only with a higher revision, and what comes first does not matter.
    """

    order, order_of_facts = ("_last_rank", "_last_at", "_last_seq"), ("_rank", "_appended", "_seq")
    comes = "(excluded._last_rank, excluded._last_at, excluded._last_seq) > (t._last_rank, t._last_at, t._last_seq)"
    merge = f"CASE WHEN {comes} THEN {{e}} ELSE {{t}} END"
    total, aggregate = "(array_agg({c} ORDER BY _last_rank DESC, _last_at DESC, _last_seq DESC))[1]", "last"
    deciding = "SELECT * FROM ({within}) AS w"  # of all reports the last one counts


class Own(Rule[KindT]):
    """Set by an ordered fold for the key that owns the row; the newest state replaces it."""

    merge = "{e}"
    deciding = 'SELECT DISTINCT ON ({keys}) * FROM ({within}) AS w ORDER BY {keys}, "_seq" DESC'
