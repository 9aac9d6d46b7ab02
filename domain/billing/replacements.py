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

from collections.abc import Iterator, Sequence

from domain.billing.subscriptions import ABSENT, HOLDS, STATUS, STOPS, SubscriptionFact

ENDS = frozenset({"canceled", "cancel_scheduled"})


def in_force(history: Sequence[SubscriptionFact]) -> Sequence[SubscriptionFact]:
    """The facts of a history, given in order, without those that were replaced. The same list where none was."""
    if all(fact.known_at == fact.effective_at for fact in history):
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
    """Which facts of one subscription were replaced."""
    replaced: set[int] = set()
    status = ""
    for place, fact in enumerate(facts):
        if place in replaced:
            continue
        ahead = [later for later in range(place + 1, len(facts)) if later not in replaced]
        if fact.event in ENDS and _is_put_off(fact, [facts[later] for later in ahead]):
            yield place
            continue
        older = {later for later in ahead if _replaces(fact, facts[later], pays=status == "active")}
        yield from older
        replaced |= older
        status = STATUS.get(fact.event) or status or "active"


def _is_put_off(end: SubscriptionFact, later: Sequence[SubscriptionFact]) -> bool:
    """Whether another end of the same stretch was recorded before this one came."""
    for fact in later:
        if STATUS.get(fact.event) == "active":
            return False
        if fact.event in ENDS and end.known_at < fact.known_at < end.effective_at:
            return True
    return False


def _replaces(fact: SubscriptionFact, ahead: SubscriptionFact, *, pays: bool) -> bool:
    """Whether a fact, which takes effect first, replaces one that was known before it."""
    if ahead.known_at >= fact.known_at or fact.event in HOLDS:
        return False
    if fact.event in ENDS:
        return True
    if ahead.event in STOPS:
        return pays and STATUS.get(fact.event) == "active"
    return {fact.event, ahead.event}.isdisjoint(STATUS) and fact.unit_amount != ABSENT
