"""A trading record of several currencies in one: amounts of a trade and flows at the rates of their day, account values
at those of each day on which any value is days, so that what rates move is part of what an account earned.

Whether a trade won was decided in its own currency. Each amount is rounded half even, once; what is no zero stays none.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from domain.metrics.value import Reason
from projections.engine.query.no_amount import NoAmount
from projections.engine.query.packed_columns import read_bigints, read_moments, read_wholes
from projections.engine.query.reporting import Converter
from projections.queries.trading.ledger import AMOUNTS, MONEY, trades_of

EPOCH = date(1970, 1, 1)
MS_PER_DAY = 86_400_000
Row = Mapping[str, Any]


def days_of(parts: Sequence[Row]) -> list[date]:
    """The first and the last day of whatever is in the parts; none where nothing is."""
    days = [day for part in parts for name in ("flow_days", "value_days", "moved_days") for day in part.get(name) or ()]
    for part in parts:
        closed = read_moments(part["closed_at"]).tolist() if part["trades"] else []
        days += [_day(at) for at in (*closed[:1], *closed[-1:])]
    return [min(days), max(days)] if days else []


def _day(ms: int) -> date:
    return EPOCH + timedelta(days=ms // MS_PER_DAY)


def converted(row: dict[str, Any], parts: Sequence[Row], start: date | None, converter: Converter) -> dict[str, Any]:
    """A row of the statement for records out of its parts by currency. `start`: of the period.

    Raises NoAmount where a rate is missing.
    """
    made: dict[str, Any] = {"made": _trades(parts, converter)}
    if "flows" not in row:
        return row | made
    before = None if start is None else start - timedelta(days=1)
    flows = defaultdict[date, Fraction](Fraction)
    earned = Fraction(0)
    for part in parts:
        earlier = Fraction(0)
        for day, amount in zip(part["flow_days"] or (), part["flows"] or (), strict=True):
            if before is not None and day <= before:
                earlier += int(amount)
            else:
                flows[day] += converter.exactly(part["currency"], day, int(amount))
        if before is not None:
            opening = int(earlier) + int(part["earned_before"] or 0)
            earned += converter.exactly(part["currency"], before, opening)
    made |= _columns("flow_days", "flows", flows) | {"earned_before": round(earned)}
    levels = _levels(parts, before, converter)
    made |= _columns("value_days", "changes", _changes(levels))
    first = min(levels, default=None)
    moved = defaultdict[date, Fraction](Fraction)
    for part in parts:
        for day, amount in zip(part["moved_days"] or (), part["moved"] or (), strict=True):
            if first is not None and day >= first:
                moved[day] += converter.exactly(part["currency"], day, int(amount))
    return row | made | _columns("moved_days", "moved", moved)


def _columns(days: str, amounts: str, of_days: Mapping[date, Any]) -> dict[str, Any]:
    listed = sorted(of_days)
    return {days: listed, amounts: [round(of_days[day]) for day in listed]}


def _levels(parts: Sequence[Row], before: date | None, converter: Converter) -> dict[date, Fraction]:
    """What the accounts were worth on each day on which any value is days, from the last one before the period on."""
    days = sorted({day for part in parts for day in part["value_days"] or ()})
    first = 0 if before is None else max(0, bisect_right(days, before) - 1)
    levels = dict.fromkeys(days[first:], Fraction(0))
    for part in parts:
        days, level, values = list(part["value_days"] or ()), 0, list[int]()
        for change in part["changes"] or ():
            values.append(level := level + int(change))
        for day in levels:
            place = bisect_right(days, day)
            levels[day] += converter.exactly(part["currency"], day, values[place - 1]) if place else 0
    return levels


def _changes(levels: Mapping[date, Fraction]) -> dict[date, int]:
    changes, before = dict[date, int](), 0
    for day, level in levels.items():
        changes[day], before = round(level) - before, round(level)
    return changes


def _trades(parts: Sequence[Row], converter: Converter) -> Any:
    """All trades in their order."""
    columns: dict[str, list[Any]] = {name: [] for name in (*AMOUNTS, "opened_at", "closed_at", "places")}
    for part in (part for part in parts if part["trades"]):
        closed = read_moments(part["closed_at"]).tolist()
        factors = _factors(part["currency"], closed, converter)
        columns["closed_at"] += closed
        columns["opened_at"] += read_moments(part["opened_at"]).tolist()
        columns["places"] += read_bigints(part["places"]).tolist()
        for name in AMOUNTS:
            values = read_wholes(part[name]).tolist()
            columns[name] += map(_scaled, values, factors) if name in MONEY else values
    order = sorted(range(len(columns["places"])), key=columns["places"].__getitem__)
    return trades_of({name: [values[place] for place in order] for name, values in columns.items()})


def _factors(currency: str, closed: Iterable[int], converter: Converter) -> list[Fraction]:
    of_days: dict[int, Fraction] = {}
    factors = []
    for at in closed:
        day = at // MS_PER_DAY
        if day not in of_days:
            factor = converter.factor(currency, _day(at))
            if factor is None:
                raise NoAmount(Reason.NO_RATE)
            of_days[day] = factor
        factors.append(of_days[day])
    return factors


def _scaled(amount: int | None, factor: Fraction) -> int | None:
    """An amount at a rate, to the nearest whole one, half even; at least one in its sense where it is not nothing."""
    if not amount:
        return amount
    whole, rest = divmod(amount * factor.numerator, factor.denominator)
    if 2 * rest > factor.denominator or (2 * rest == factor.denominator and whole % 2):
        whole += 1
    return whole or (1 if amount > 0 else -1)
