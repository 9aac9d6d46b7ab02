"""What of a customer's facts is in force: what was still ahead when another fact was recorded can be replaced by it.

Of one subscription, and of facts that were recorded earlier and take effect at the same moment or later:

- an end (`canceled`, `cancel_scheduled`) replaces all of them: what has ended resumes and changes no more;
- a start of what pays already (`reactivated`, `resumed`, `started`) can only mean that it goes on: it takes back the
  ends and pauses that were scheduled;
- a change that states a price replaces changes of terms that were scheduled before it was recorded.

An end that was scheduled is replaced by another one for later, too, that is recorded before it comes: a stretch of a
subscription has one end. A fact is known from when it was recorded, and at the latest when it takes effect: what is
recorded when it happens, or later, is never replaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import heappop, heappush

from domain.billing.subscriptions import ABSENT, HOLDS, STATUS, STOPS, SubscriptionFact

ENDS = frozenset({"canceled", "cancel_scheduled"})
STOP, TERMS, START = range(3)  # kinds of facts that can be replaced


def in_force(history: Sequence[SubscriptionFact]) -> Sequence[SubscriptionFact]:
    """The facts of a history, given in order, without those that were replaced. The same list where none was."""
    if not any(fact.is_ahead for fact in history):
        return history
    replaced: set[int] = set()
    of_subscription: dict[str, list[int]] = {}
    for number, fact in enumerate(history):
        of_subscription.setdefault(fact.subscription_id, []).append(number)
    for numbers in of_subscription.values():
        facts = [history[number] for number in numbers]
        replaced.update(numbers[place] for place in _replaced(facts))
    return [fact for number, fact in enumerate(history) if number not in replaced]


def _replaced(facts: Sequence[SubscriptionFact]) -> Iterator[int]:
    """Which facts of one subscription were replaced. Looks again and again only at those that were recorded ahead."""
    ahead: list[list[tuple[int, int]]] = [[], [], []]  # by kind: heaps of when they were known, and their places
    for place, fact in enumerate(facts):
        if fact.is_ahead:
            heappush(ahead[_kind(fact.event)], (fact.known_at, place))
    replaced: set[int] = set()
    status = ""
    for place, fact in enumerate(facts):
        if place in replaced:
            continue
        later = (facts[number] for number in range(place + 1, len(facts)) if number not in replaced)
        if fact.event in ENDS and fact.is_ahead and _is_put_off(fact, later):
            yield place
            continue
        for kind in _replaces(fact, pays=status == "active"):
            while ahead[kind] and ahead[kind][0][0] < fact.known_at:
                _, older = heappop(ahead[kind])
                if older > place and older not in replaced:
                    replaced.add(older)
                    yield older
        status = STATUS.get(fact.event) or status or "active"


def _kind(event: str) -> int:
    if event in STOPS:
        return STOP
    return START if event in STATUS else TERMS


def _is_put_off(end: SubscriptionFact, later: Iterable[SubscriptionFact]) -> bool:
    """Whether another end of the same stretch was recorded before this one came."""
    for fact in later:
        if STATUS.get(fact.event) == "active":
            return False
        if fact.event in ENDS and end.known_at < fact.known_at < end.effective_at:
            return True
    return False


def _replaces(fact: SubscriptionFact, *, pays: bool) -> Sequence[int]:
    """Which kinds of facts that come after it, and were known before it, a fact replaces."""
    if fact.event in HOLDS:
        return ()
    if fact.event in ENDS:
        return STOP, TERMS, START
    if STATUS.get(fact.event) == "active":
        return (STOP,) if pays else ()
    return (TERMS,) if fact.event not in STATUS and fact.unit_amount != ABSENT else ()
