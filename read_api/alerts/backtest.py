"""A rule tried on the past: by the same code as alerters, so that it changes state where it would have, or did."""

from __future__ import annotations

from domain.alerting.evaluation import Book, Transition, evaluated
from domain.alerting.watch import Rule, watch_of
from domain.errors import Invalid, LimitExceeded
from read_api.alerts.values import Reader

MOST_PERIODS = 50_000


async def backtest(reader: Reader, company: str, rule: Rule, begin: int, end: int) -> list[Transition]:
    """The changes of state of a rule in the periods that lie in a span of time (ms), beginning with normal.

    Raises Invalid for a span that is turned round, LimitExceeded for too many periods, and what asking raises.
    """
    watch = watch_of(company, rule.rule.trigger)
    if begin >= end:
        raise Invalid("the span ends before it begins", code="bad_parameter")
    if (end - begin) // watch.period > MOST_PERIODS:
        raise LimitExceeded(
            f"that is more than {MOST_PERIODS} periods of {watch.every} s", suggested_actions=("Try a shorter span.",)
        )
    book, changes = Book(-(-begin // watch.period) * watch.period), list[Transition]()
    while book.until + watch.period <= end:
        figures = await reader.figures(watch, [rule], book.until + watch.period)
        changes += evaluated(watch, book, [rule], figures)
    return changes
