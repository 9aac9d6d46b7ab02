"""What of a customer's MRR was scheduled at any time: committed MRR, as what was known then comes to, less MRR.

A fact is known from when it was recorded, and at the latest when it takes effect: what is recorded late restates MRR
itself, and so the committed MRR of the same day. Committed MRR after a day is that of the whole history which the facts
known by then tell, whenever they take effect; facts that came later tell nothing of it. A debt is nothing scheduled: it
takes from both on the day from which it counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter

from domain.billing.subscriptions import LOSSES, Cut, Ledger, Movement, SubscriptionFact, ledger
from domain.errors import LimitExceeded

MS_PER_DAY = 86_400_000
MOST_READING = 100_000  # facts and debts that are read for a customer, over all days: most of a second
Changes = Mapping[tuple[int, Cut], int]


def scheduled(
    history: Sequence[SubscriptionFact],
    read: Callable[[Sequence[SubscriptionFact], int | None], Ledger] = lambda facts, _: ledger(facts),
    moments: Iterable[int] = (),
) -> Changes:
    """By how much more committed MRR changed than MRR: by day (ms at its beginning) and cut, twelfths of a trillionth.

    The sum of all days before a moment of midnight is what was scheduled then. `history` in order; `read` tells it
    with the debts that count before a moment, None: with all. `moments`: those at which debts begin or end, in ms.
    Raises LimitExceeded where so much is ahead at so many days that nobody else's facts would be folded meanwhile.
    """
    if all(_recording_day(fact) == _day(fact.effective_at) for fact in history):
        return {}
    movements = sorted(read(history, None).movements, key=attrgetter("at"))
    changes: Counter[tuple[int, Cut]] = Counter()
    committed: Counter[Cut] = Counter()
    so_far: Counter[Cut] = Counter()
    moments = list(moments)
    begun, reading = 0, 0
    waiting = _days_of_waiting(history)
    for day in sorted({*map(_recording_day, history), *map(_day, moments)}):
        while begun < len(movements) and movements[begun].at < day + MS_PER_DAY:
            so_far[movements[begun].cut] += _signed(movements[begun])
            begun += 1
        if waiting(day):
            facts = [fact for fact in history if _recording_day(fact) <= day]
            reading += len(facts) + len(moments)
            if reading > MOST_READING:
                raise LimitExceeded(
                    f"{len(history):,} facts and {len(moments):,} debts of one customer, some of them ahead at so many"
                    " days, are more than committed MRR is computed from",
                    code="too_many_ahead",
                )
            after = _by_cut(read(facts, day + MS_PER_DAY).movements)
        else:  # all that is known has taken effect: committed MRR is MRR
            after = so_far.copy()
        for cut in {**committed, **after}:
            changes[day, cut] += after[cut] - committed[cut]
        committed = after
    for movement in movements:
        changes[_day(movement.at), movement.cut] -= _signed(movement)
    return {key: change for key, change in changes.items() if change}


def _days_of_waiting(history: Iterable[SubscriptionFact]) -> Callable[[int], bool]:
    """Whether after a day something that is known by then has still to take effect; asked of later and later days."""
    ahead = sorted((_recording_day(fact), _day(fact.effective_at)) for fact in history)
    until, place = 0, 0

    def waits(day: int) -> bool:
        nonlocal until, place
        while place < len(ahead) and ahead[place][0] <= day:
            until = max(until, ahead[place][1])
            place += 1
        return day < until

    return waits


def _recording_day(fact: SubscriptionFact) -> int:
    return _day(min(fact.recorded_at or fact.effective_at, fact.effective_at))


def _day(at: int) -> int:
    return at // MS_PER_DAY * MS_PER_DAY


def _signed(movement: Movement) -> int:
    return -movement.amount if movement.kind in LOSSES else movement.amount


def _by_cut(movements: Iterable[Movement]) -> Counter[Cut]:
    totals: Counter[Cut] = Counter()
    for movement in movements:
        totals[movement.cut] += _signed(movement)
    return totals
