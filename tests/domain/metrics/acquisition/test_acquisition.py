"""What growth costs: worked out by hand, reasons for the rest."""

from __future__ import annotations

from domain.metrics.acquisition import efficiency
from domain.metrics.value import Reason


def test_costs_of_growth() -> None:
    """1000 for 4 customers who bring 50 a month at a margin of 80 %."""
    assert efficiency.cac(1000, 4) == 250
    assert efficiency.cac_payback_months(250.0, 50.0, 0.8) == 6.25
    assert efficiency.ltv_to_cac(750.0, 250.0) == 3
    assert efficiency.magic_number(100, 800) == 1.5
    assert efficiency.burn_multiple(2400, 100) == 2
    assert efficiency.rule_of_40(0.25, 0.125) == 0.375
    assert efficiency.visitor_to_signup_rate(5, 50) == 0.1


def test_reasons() -> None:
    """Where there is nobody, nothing, or no growth."""
    assert efficiency.cac(5, 0) is Reason.NO_DATA
    assert efficiency.cac_payback_months(Reason.NO_DATA, 5.0) is Reason.NO_DATA
    assert efficiency.cac_payback_months(5.0, Reason.NO_DATA) is Reason.NO_DATA
    assert efficiency.cac_payback_months(5.0, 0.0) is Reason.ZERO_DENOMINATOR
    assert efficiency.ltv_to_cac(Reason.NO_LOSSES, 5.0) is Reason.NO_LOSSES
    assert efficiency.ltv_to_cac(5.0, Reason.NO_DATA) is Reason.NO_DATA
    assert efficiency.magic_number(5, 0) is Reason.ZERO_DENOMINATOR
    assert efficiency.burn_multiple(5, -1) is Reason.ZERO_DENOMINATOR
    assert efficiency.rule_of_40(Reason.NO_DATA, 0.1) is Reason.NO_DATA
    assert efficiency.rule_of_40(0.1, Reason.NO_DATA) is Reason.NO_DATA
    assert efficiency.visitor_to_signup_rate(0, 0) is Reason.NO_DATA
