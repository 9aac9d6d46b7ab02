"""Conversion: what amounts of several currencies come to in one, by rates of exchange.

A rate holds for its UTC day and, where no later one is known, for the `MOST_DAYS` after it. A tenant's own rates come
before those for every tenant. Of a source a pair may be told the other way round, or by two rates of one base; rates of
two sources are never mixed. Everything is a fraction: what is rounded is the sum, once, half even.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from operator import attrgetter
from typing import NamedTuple

MOST_DAYS = 7  # that a rate still holds after its own


class Rate(NamedTuple):
    """What one unit of `base` was worth in `quote` on a day; `own`: said by the tenant itself."""

    base: str
    quote: str
    source: str
    day: date
    rate: Fraction
    own: bool = False


@dataclass(frozen=True, slots=True)
class Factor:
    """What an amount is multiplied by, and the rates that this is made of: none for the currency itself."""

    factor: Fraction
    rates: tuple[Rate, ...] = ()

    @property
    def day(self) -> date:
        """The day of its oldest rate."""
        return min(rate.day for rate in self.rates)


SAME = Factor(Fraction(1))


class Rates:
    """Rates of exchange, and what follows from them."""

    def __init__(self, rates: Iterable[Rate]) -> None:
        self._sources: dict[tuple[bool, str], dict[tuple[str, str], list[Rate]]] = defaultdict(dict)
        for rate in sorted(rates, key=attrgetter("day")):
            self._sources[not rate.own, rate.source].setdefault((rate.base, rate.quote), []).append(rate)
        self._factors: dict[tuple[str, str, date], Factor | None] = {}

    def factor(self, currency: str, target: str, day: date) -> Factor | None:
        """What turns amounts of a day into another currency; None where no rate says it.

        The newest of the tenant's own rates, else of those for all; of two of one day the one with the fewest steps,
        then the first source by name.
        """
        if currency == target:
            return SAME
        pair = currency, target, day
        if pair not in self._factors:
            self._factors[pair] = next(filter(None, (self._newest(pair, others) for others in (False, True))), None)
        return self._factors[pair]

    def _newest(self, pair: tuple[str, str, date], others: bool) -> Factor | None:
        named = sorted(name for of_others, name in self._sources if of_others is others)
        ways = [way for name in named for way in self._ways(self._sources[others, name], *pair)]
        return max(ways, key=lambda way: (way.day, -len(way.rates)), default=None)

    def _ways(
        self, pairs: dict[tuple[str, str], list[Rate]], currency: str, target: str, day: date
    ) -> Iterator[Factor]:
        """As told, the other way round, and by each base of both."""
        if (direct := _last(pairs.get((currency, target)), day)) is not None:
            yield Factor(direct.rate, (direct,))
        if (inverse := _last(pairs.get((target, currency)), day)) is not None:
            yield Factor(1 / inverse.rate, (inverse,))
        for base in sorted({base for base, quote in pairs if quote == currency}):
            begin, end = _last(pairs[base, currency], day), _last(pairs.get((base, target)), day)
            if begin is not None and end is not None:
                yield Factor(end.rate / begin.rate, (begin, end))


def _last(rates: list[Rate] | None, day: date) -> Rate | None:
    """The last of these rates, in order of days, that still holds on a day."""
    number = bisect_right(rates or (), day, key=attrgetter("day"))
    last = rates[number - 1] if rates and number else None
    return last if last is not None and day - last.day <= timedelta(MOST_DAYS) else None
