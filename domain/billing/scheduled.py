"""What of a customer's MRR was scheduled at any time: committed MRR, as what was known then comes to, less MRR.

A fact is known from when it was recorded, and at the latest when it takes effect: what is recorded late restates MRR
itself, and so the committed MRR of the same day. Committed MRR after a day is that of the whole history which the facts
known by then tell, whenever they take effect; facts that came later tell nothing of it. A debt is nothing scheduled: it
takes from both on the day from which it counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from domain.billing.subscriptions import LOSSES, Cut, Ledger, Movement, SubscriptionFact, ledger

MS_PER_DAY = 86_400_000
Changes = Mapping[tuple[int, Cut], int]


def scheduled(
    history: Sequence[SubscriptionFact],
    read: Callable[[Sequence[SubscriptionFact], int | None], Ledger] = lambda facts, _: ledger(facts),
    moments: Iterable[int] = (),
) -> Changes:
    """By how much more committed MRR changed than MRR: by day (ms at its beginning) and cut, twelfths of a trillionth.

    The sum of all days before a moment of midnight is what was scheduled then. `history` in order; `read` tells it
    with the debts that count before a moment, None: with all. `moments`: those at which debts begin or end, in ms.
    """
    if all(_recording_day(fact) == _day(fact.effective_at) for fact in history):
        return {}
    changes: Counter[tuple[int, Cut]] = Counter()
    committed: Counter[Cut] = Counter()
    for day in sorted({*map(_recording_day, history), *map(_day, moments)}):
        movements = read([fact for fact in history if _recording_day(fact) <= day], day + MS_PER_DAY).movements
        after = _by_cut(movements)
        for cut in {**committed, **after}:
            changes[day, cut] += after[cut] - committed[cut]
        committed = after
    for movement in read(history, None).movements:
        changes[_day(movement.at), movement.cut] -= _signed(movement)
    return {key: change for key, change in changes.items() if change}


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
