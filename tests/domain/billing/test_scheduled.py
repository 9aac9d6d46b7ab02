"""What was scheduled at any time: committed MRR as what was known then comes to, less MRR."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.billing.scheduled import MS_PER_QUARTER, scheduled
from domain.billing.subscriptions import LOSSES, MS_PER_DAY, Cut, Movement, SubscriptionFact, ledger, merge_facts
from tests.domain.billing.test_subscriptions import HISTORIES, MONTH, fact


def spread(facts: list[SubscriptionFact], ahead: list[int]) -> list[SubscriptionFact]:
    """The facts a quarter of an hour apart, each recorded so many before it takes effect, or after."""
    quarters = [
        replace(
            one,
            effective_at=(one.effective_at + 9) * MS_PER_QUARTER,
            recorded_at=(one.effective_at + 9 - by) * MS_PER_QUARTER,
        )
        for one, by in zip(facts, ahead, strict=False)
    ]
    return merge_facts((), quarters)


def by_cut(movements: list[Movement]) -> Counter[Cut]:
    """MRR of each cut after these movements."""
    found: Counter[Cut] = Counter()
    for movement in movements:
        found[movement.cut] += movement.amount * (-1 if movement.kind in LOSSES else 1)
    return found


@given(HISTORIES, st.lists(st.integers(-3, 8), min_size=40, max_size=40))
def test_whenever_a_quarter_of_an_hour_ends_it_is_what_was_known_less_what_took_effect(
    facts: list[SubscriptionFact], ahead: list[int]
) -> None:
    """By cut; the facts known by then are told by themselves, as if nothing had come later."""
    history = spread(facts, ahead)
    changes = scheduled(history)
    for quarter in sorted({at // MS_PER_QUARTER for one in history for at in (one.effective_at, one.recorded_at)}):
        moment = (quarter + 1) * MS_PER_QUARTER
        known = [one for one in history if min(one.recorded_at, one.effective_at) < moment]
        committed = by_cut(ledger(known).movements)
        there = by_cut([m for m in ledger(history).movements if m.at < moment])
        found = Counter[Cut]()
        for (at, cut), change in changes.items():
            found[cut] += change * (at < moment)
        assert {cut: found[cut] for cut in {**committed, **there, **found}} == {
            cut: committed[cut] - there[cut] for cut in {**committed, **there, **found}
        }


def test_a_cancel_counts_from_the_day_it_was_recorded_on() -> None:
    """And what comes in between does not move it: it was not known."""
    recorded, grown, ends = 10 * MS_PER_DAY + 5, 20 * MS_PER_DAY + 5, 30 * MS_PER_DAY + 5
    history = merge_facts(
        (), [fact(5, "started", 50), fact(ends, "cancel_scheduled", recorded_at=recorded), fact(grown, "upgraded", 70)]
    )
    changes = {at // MS_PER_DAY: change / MONTH for (at, _), change in scheduled(history).items()}
    assert changes == {10: -50, 20: -20, 30: 70}
    assert scheduled(merge_facts((), [fact(5, "started", 50), fact(grown, "upgraded", 70)])) == {}
