"""What was scheduled and then replaced: by reactivations, other ends, and newer terms."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.billing.policies import PRESETS, read
from domain.billing.replacements import in_force
from domain.billing.subscriptions import SubscriptionFact, ledger, merge_facts
from domain.decimals import ONE
from tests.domain.billing.test_policies import day, moves, on
from tests.domain.billing.test_subscriptions import HISTORIES

START = on(1, "started", 70)
Expected = list[tuple[float, str, float]]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param(
            [on(90, "cancel_scheduled", recorded_at=day(60)), on(75, "reactivated")], [], id="taken back before it came"
        ),
        pytest.param(
            [on(90, "cancel_scheduled", recorded_at=day(60)), on(90, "reactivated", recorded_at=day(80))],
            [],
            id="taken back for the moment when it comes",
        ),
        pytest.param(
            [on(90, "cancel_scheduled", recorded_at=day(60)), on(95, "reactivated", recorded_at=day(80))],
            [(90, "churned", 70), (95, "reactivated", 70)],
            id="a return that was known ahead takes nothing back",
        ),
        pytest.param(
            [on(90, "cancel_scheduled", recorded_at=day(60)), on(75, "upgraded", 100)],
            [(75, "expansion", 30), (90, "churned", 100)],
            id="an upgrade leaves the end",
        ),
        pytest.param(
            [on(90, "cancel_scheduled", recorded_at=day(2)), on(20, "paused"), on(30, "resumed")],
            [(20, "churned", 70), (30, "reactivated", 70), (90, "churned", 70)],
            id="the end of a pause leaves the end of the contract",
        ),
        pytest.param(
            [on(90, "cancel_scheduled", recorded_at=day(60)), on(120, "cancel_scheduled", recorded_at=day(75))],
            [(120, "churned", 70)],
            id="an end that is put off",
        ),
        pytest.param(
            [on(90, "cancel_scheduled", recorded_at=day(60)), on(80, "canceled")],
            [(80, "churned", 70)],
            id="brought forward",
        ),
        pytest.param(
            [on(20, "paused"), on(90, "resumed", recorded_at=day(20)), on(40, "canceled")],
            [(20, "churned", 70)],
            id="what was cancelled does not resume",
        ),
        pytest.param(
            [on(90, "upgraded", 100, recorded_at=day(60)), on(75, "changed", 70)], [], id="an upgrade that is withdrawn"
        ),
        pytest.param(
            [on(90, "upgraded", 100, recorded_at=day(60)), on(90, "upgraded", 80, recorded_at=day(75))],
            [(90, "expansion", 10)],
            id="an upgrade that is replaced by another",
        ),
        pytest.param(
            [on(90, "upgraded", 100, recorded_at=day(60)), on(99, "upgraded", 120, recorded_at=day(61))],
            [(90, "expansion", 30), (99, "expansion", 20)],
            id="steps of a ramp stay",
        ),
        pytest.param(
            [on(90, "upgraded", 100, recorded_at=day(60)), on(75, "quantity_changed", quantity=2 * ONE)],
            [(75, "expansion", 70), (90, "contraction", 40)],
            id="a change that states no price replaces none",
        ),
        pytest.param(
            [on(90, "cancel_scheduled", recorded_at=day(60)), on(75, "reactivated", subscription_id="s2")],
            [(90, "churned", 70)],
            id="of another subscription",
        ),
    ],
)
def test_what_lies_ahead_can_be_replaced(facts: Sequence[SubscriptionFact], expected: Expected) -> None:
    """Of a subscription that pays 70 from the first day on."""
    assert moves(PRESETS["default"], [START, *facts]) == [(1, "new", 70), *expected]


def test_a_cancellation_that_counts_when_it_is_recorded_is_undone_by_reactivation() -> None:
    """MRR went when it was cancelled, and comes back when that is taken back."""
    facts = [START, on(90, "cancel_scheduled", recorded_at=day(60)), on(75, "reactivated")]
    assert moves(PRESETS["stripe"], facts) == [(1, "new", 70), (60, "churned", 70), (75, "reactivated", 70)]


@given(HISTORIES)
def test_what_is_recorded_when_it_happens_is_never_replaced(facts: list[SubscriptionFact]) -> None:
    """Nor what is recorded later: the facts are the very same."""
    history = merge_facts((), facts)
    assert in_force(history) is history
    late = merge_facts((), [replace(fact, recorded_at=fact.effective_at + 1) for fact in facts])
    assert in_force(late) is late


@given(HISTORIES, st.lists(st.integers(0, 5), min_size=25, max_size=25))
def test_what_is_in_force_stays_so(facts: list[SubscriptionFact], ahead: list[int]) -> None:
    """What was replaced is not needed to see what replaces; only what was known ahead goes; an end leaves nothing."""
    history = merge_facts(
        (), [replace(fact, recorded_at=max(1, fact.effective_at - by)) for fact, by in zip(facts, ahead, strict=False)]
    )
    left = in_force(history)
    assert in_force(left) == left
    assert all(fact.known_at < fact.effective_at for fact in history if fact not in left)
    assert read(history, PRESETS["default"]) == ledger(left)
