"""What of a customer's MRR was scheduled at any time: committed MRR, as what was known then comes to, less MRR.

A fact is known from when it was recorded, and at the latest when it takes effect: what is recorded late restates MRR
itself, and so the committed MRR of the same time. Committed MRR after a quarter of an hour is that of the whole history
which the facts known by then tell, whenever they take effect; facts that came later tell nothing of it. A debt is
nothing scheduled: it takes from both when it begins to count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter

from domain.billing.subscriptions import LOSSES, Cut, Ledger, Movement, SubscriptionFact, ledger
from domain.errors import LimitExceeded

MS_PER_QUARTER = 900_000  # of an hour: days of any time zone are made of these
MOST_READING = 100_000  # facts and debts that are read for a customer under a policy, over all quarters: about a second
Changes = Mapping[tuple[int, Cut], int]


def scheduled(
    history: Sequence[SubscriptionFact],
    read: Callable[[Sequence[SubscriptionFact], int | None], Ledger] = lambda facts, _: ledger(facts),
    moments: Iterable[int] = (),
) -> Changes:
    """By how much more committed MRR changed than MRR, twelfths of a trillionth: by quarter of an hour (ms at its
    beginning) and cut.

    The sum of all before a moment at which one begins is what was scheduled then. `history` in order; `read` tells it
    with the debts that count before a moment, None: with all. `moments`: those at which debts begin or end, in ms.
    Raises LimitExceeded where so much is ahead at so many times that nobody else's facts would be folded meanwhile.
    """
    if all(_recording_quarter(fact) == _quarter(fact.effective_at) for fact in history):
        return {}
    movements = sorted(read(history, None).movements, key=attrgetter("at"))
    changes: Counter[tuple[int, Cut]] = Counter()
    committed: Counter[Cut] = Counter()
    debts, reading = list(moments), 0
    waiting, mrr = _quarters_of_waiting(history), _mrr_after(movements)
    for quarter in sorted({*map(_recording_quarter, history), *map(_quarter, debts)}):
        if waiting(quarter):
            facts = [fact for fact in history if _recording_quarter(fact) <= quarter]
            reading += len(facts) + len(debts)
            if reading > MOST_READING:
                raise _too_much(history, debts)
            after = _by_cut(read(facts, quarter + MS_PER_QUARTER).movements)
        else:  # all that is known has taken effect: committed MRR is MRR
            after = mrr(quarter)
        for cut in {**committed, **after}:
            changes[quarter, cut] += after[cut] - committed[cut]
        committed = after
    for movement in movements:
        changes[_quarter(movement.at), movement.cut] -= _signed(movement)
    return {key: change for key, change in changes.items() if change}


def _too_much(history: Sequence[SubscriptionFact], debts: Sequence[int]) -> LimitExceeded:
    return LimitExceeded(
        f"{len(history):,} facts and {len(debts):,} debts of one customer, some of them ahead at so many times, are"
        " more than committed MRR is computed from",
        code="too_many_ahead",
    )


def _mrr_after(movements: Sequence[Movement]) -> Callable[[int], Counter[Cut]]:
    """MRR by cut after a quarter of an hour, out of movements in their order; asked of later and later ones."""
    total: Counter[Cut] = Counter()
    place = 0

    def mrr(quarter: int) -> Counter[Cut]:
        nonlocal place
        while place < len(movements) and movements[place].at < quarter + MS_PER_QUARTER:
            total[movements[place].cut] += _signed(movements[place])
            place += 1
        return total.copy()

    return mrr


def _quarters_of_waiting(history: Iterable[SubscriptionFact]) -> Callable[[int], bool]:
    """Whether after one something that is known by then has still to take effect; asked of later and later ones."""
    ahead = sorted((_recording_quarter(fact), _quarter(fact.effective_at)) for fact in history)
    until, place = 0, 0

    def waits(quarter: int) -> bool:
        nonlocal until, place
        while place < len(ahead) and ahead[place][0] <= quarter:
            until = max(until, ahead[place][1])
            place += 1
        return quarter < until

    return waits


def _recording_quarter(fact: SubscriptionFact) -> int:
    return _quarter(min(fact.recorded_at or fact.effective_at, fact.effective_at))


def _quarter(at: int) -> int:
    return at // MS_PER_QUARTER * MS_PER_QUARTER


def _signed(movement: Movement) -> int:
    return -movement.amount if movement.kind in LOSSES else movement.amount


def _by_cut(movements: Iterable[Movement]) -> Counter[Cut]:
    totals: Counter[Cut] = Counter()
    for movement in movements:
        totals[movement.cut] += _signed(movement)
    return totals
