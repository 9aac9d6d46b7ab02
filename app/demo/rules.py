"""Trading rules on daily prices: which positions they hold, and the round trips that follow.

A rule decides at a day's close; its order is filled on the next day, so that no rule knows a price before it was there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import accumulate
from types import MappingProxyType
from typing import NamedTuple

from app.demo.companies import HOUR, MINUTE
from app.demo.market import Bar, daily_bars

Rule = Callable[[Sequence[Bar]], list[int]]  # the position wanted after each day: 1 long, -1 short, 0 none


class RoundTrip(NamedTuple):
    """A position from entry to exit: times in ms, 1 for long or -1 for short, and the extremes of the price between."""

    opened_at: int
    closed_at: int
    side: int
    entry_price: float
    exit_price: float
    highest: float
    lowest: float


def crossover(bars: Sequence[Bar], *, fast: int, slow: int) -> list[int]:
    """Long while the fast moving average of closes is above the slow one, short while it is below."""
    sums = [0.0, *accumulate(bar.close for bar in bars)]
    wanted = [0] * min(slow - 1, len(bars))
    for end in range(slow, len(bars) + 1):
        difference = (sums[end] - sums[end - fast]) / fast - (sums[end] - sums[end - slow]) / slow
        wanted.append((difference > 0) - (difference < 0))
    return wanted


def breakout(bars: Sequence[Bar], *, entry: int, leave: int) -> list[int]:
    """Donchian: follow a close beyond the extremes of `entry` days, until one beyond the opposite ones of `leave`."""
    highs, lows = [bar.high for bar in bars], [bar.low for bar in bars]
    wanted = [0] * min(entry, len(bars))
    held = 0
    for day in range(entry, len(bars)):
        close, recent = bars[day].close, slice(day - leave, day)
        if (held == 1 and close < min(lows[recent])) or (held == -1 and close > max(highs[recent])):
            held = 0
        if held == 0:
            before = slice(day - entry, day)
            held = (close > max(highs[before])) - (close < min(lows[before]))
        wanted.append(held)
    return wanted


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "crossover_15_40": partial(crossover, fast=15, slow=40),
        "crossover_5_20": partial(crossover, fast=5, slow=20),
        "donchian_20_10": partial(breakout, entry=20, leave=10),
        "donchian_55_20": partial(breakout, entry=55, leave=20),
    }
)


AT_OPEN, AT_CLOSE = 14 * HOUR + 30 * MINUTE, 21 * HOUR  # of New York's session, UTC in winter


@cache
def round_trips(symbol: str, rule: str) -> tuple[RoundTrip, ...]:
    """What the rule did on all prices of the symbol. What is still open at the end is left out.

    Crossovers are filled at the open, breakouts at the close.
    """
    bars = daily_bars(symbol)
    return tuple(_trips(bars, RULES[rule](bars), at_open=rule.startswith("crossover")))


def _trips(bars: Sequence[Bar], wanted: Sequence[int], *, at_open: bool) -> Iterator[RoundTrip]:
    held = since = 0
    for day, position in enumerate([0, *wanted[:-1]]):  # filled on the day after it was wanted
        if position == held:
            continue
        if held:
            yield _trip(bars[since : day + 1], held, at_open=at_open)
        held, since = position, day


def _trip(days: Sequence[Bar], side: int, *, at_open: bool) -> RoundTrip:
    """The round trip from the first to the last of these days, in which whole days lie between the fills."""
    first, last = days[0], days[-1]
    within = days[:-1] if at_open else days[1:]
    entry, exit_ = (first.open, last.open) if at_open else (first.close, last.close)
    fill = AT_OPEN if at_open else AT_CLOSE
    prices = [entry, exit_, *(bar.high for bar in within), *(bar.low for bar in within)]
    return RoundTrip(first.start + fill, last.start + fill, side, entry, exit_, max(prices), min(prices))
