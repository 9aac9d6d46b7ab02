"""What was charged and owed at any time: rows of terms and debts, each from a moment on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from domain.billing.monthly_price import charge
from domain.billing.policies import Charge, debts
from domain.billing.replacements import in_force
from domain.billing.subscriptions import Subscription, SubscriptionFact, course
from projections.engine.declare.projection import RowValues

UNCHARGED: RowValues = {"charge": 0, "currency": "", "interval": "", "interval_count": 0, "started_at": None}


def terms(facts: Sequence[SubscriptionFact]) -> Iterator[RowValues]:
    """A row for each moment at which what a subscription is charged changed."""
    of_moments: dict[tuple[str, int], RowValues] = {}
    for subscription_id, state in course(in_force(facts)):
        of_moments[subscription_id, state.since] = _term(state)
    before: dict[str, RowValues] = {}
    for (subscription_id, since), term in of_moments.items():
        if before.get(subscription_id, UNCHARGED) != term:
            yield {"subscription_id": subscription_id, "since": since, **term}
        before[subscription_id] = term


def _term(state: Subscription) -> RowValues:
    if state.status != "active":
        return UNCHARGED
    return {
        "charge": charge(state.price),
        "currency": state.cut.currency,
        "interval": state.price.interval,
        "interval_count": state.price.interval_count,
        "started_at": state.started_at,
    }


def spans_of_debt(charges: Iterable[Charge]) -> list[RowValues]:
    """Of debts that began at one moment the one that lasted longest."""
    longest: dict[int, int | None] = {}
    for since, until in debts(charges):
        other = longest.get(since, until)
        longest[since] = None if until is None or other is None else max(until, other)
    return [{"since": since, "until": until} for since, until in longest.items()]
