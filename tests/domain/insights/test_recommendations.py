"""Recommendations: when rules speak, on what evidence, and with which effect."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.insights.recommendations import RULES, Measured, recommendations
from domain.metrics.value import Reason

FAILING = {
    "failed_charge_rate": Measured(0.08, 400),
    "dunning_recovery_rate": Measured(0.3, 32),
    "mrr_at_risk": Measured(5000.0, 40),
}


def test_a_rule_speaks_with_its_evidence_and_its_effect() -> None:
    """8 % of charges fail and 30 % of those are recovered: at half, 20 % of the MRR at risk more would stay."""
    (found,) = recommendations("acme", FAILING)
    assert (found.rule, found.subject) == ("recover_failed_charges", "acme")
    assert [(e.metric, e.value, e.relation, e.bound, e.sample) for e in found.evidence] == [
        ("failed_charge_rate", 0.08, "above", 0.05, 400),
        ("dunning_recovery_rate", 0.3, "below", 0.5, 32),
    ]
    assert found.effect.metric == "mrr"
    assert found.effect.change == pytest.approx(1000.0)
    assert found.links == ("failed_charge_rate", "dunning_recovery_rate", "mrr_at_risk")
    assert (found.basis.sample, found.basis.minimum) == (32, 30)


def test_fees_are_measured_against_gross_profit() -> None:
    """A bound can be a share of another metric; the evidence shows it in the metric's unit."""
    measured = {"gross_profit": Measured(1000.0, 50), "total_fees": Measured(400.0, 50)}
    (found,) = recommendations("strategy 7", measured)
    assert found.rule == "trade_less_for_fees"
    assert found.evidence[1].bound == 300.0
    assert found.effect.change == pytest.approx(100.0)
    assert recommendations("strategy 7", measured | {"total_fees": Measured(300.0, 50)}) == ()


def test_a_losing_strategy_is_named_with_what_it_costs() -> None:
    """What the next period would lose is what stopping it brings."""
    (found,) = recommendations("s", {"profit_factor": Measured(0.7, 45), "total_pnl": Measured(-250.0, 45)})
    assert (found.rule, found.effect.change) == ("stop_a_losing_strategy", 250.0)


@pytest.mark.parametrize(
    "changed",
    [
        {"failed_charge_rate": Measured(0.05, 400)},  # at the bound, not above it
        {"dunning_recovery_rate": Measured(0.3, 29)},  # too small a sample
        {"mrr_at_risk": Measured(Reason.NO_DATA, 0)},  # a number is missing
    ],
)
def test_a_rule_is_mute_where_it_cannot_know(changed: dict[str, Measured]) -> None:
    """At the bound, on too few observations, or without one of its numbers."""
    assert recommendations("acme", FAILING | changed) == ()


KEYS = sorted({key for rule in RULES for key in rule.reads})
VALUES = st.one_of(st.floats(), st.sampled_from(Reason), st.floats(0, 1))


@given(st.dictionaries(st.sampled_from(KEYS), st.builds(Measured, VALUES, st.integers(0, 1000))))
def test_any_metrics_give_finite_effects_of_conditions_that_hold(measured: dict[str, Measured]) -> None:
    """Each piece of advice rests on known values beyond their bounds and on enough of them."""
    for found in recommendations("acme", measured):
        assert math.isfinite(found.effect.change)
        assert found.basis.sample >= found.basis.minimum
        assert set(found.links) <= set(measured)
        for evidence in found.evidence:
            above = evidence.relation == "above"
            assert evidence.value > evidence.bound if above else evidence.value < evidence.bound


def test_rules_have_keys_of_their_own() -> None:
    """A recommendation can be traced to one rule."""
    assert len({rule.key for rule in RULES}) == len(RULES)
