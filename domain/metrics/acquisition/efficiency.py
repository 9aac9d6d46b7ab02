"""What growth costs. Money in one unit throughout; `margin` is the gross margin as a fraction.

cac: acquisition cost over new paying customers. cac_payback_months: CAC / (ARPA × margin). ltv_to_cac. magic_number:
net new ARR over the acquisition cost of the period before. burn_multiple: net burn over net new ARR. rule_of_40: growth
plus profit margin, as fractions (0.4 is the rule).
"""

from __future__ import annotations

from domain.metrics.value import Reason, Stat, finite, has_value, ratio


def cac(cost: float, new_customers: int) -> Stat:
    """Of everything, or of one channel with the customers that it brought."""
    return ratio(cost, new_customers, Reason.NO_DATA)


def cac_payback_months(cac: Stat, arpa: Stat, margin: float = 1.0) -> Stat:
    """Months until a customer has brought back what it cost."""
    if not has_value(cac):
        return cac
    return ratio(cac, arpa * margin) if has_value(arpa) else arpa


def ltv_to_cac(ltv: Stat, cac: Stat) -> Stat:
    """Lifetime value over cost, a plain number; both in one money."""
    if not has_value(ltv):
        return ltv
    return ratio(ltv, cac) if has_value(cac) else cac


def magic_number(net_new_mrr: float, cost_before: Stat) -> Stat:
    """12 × net new MRR over the cost of the period before."""
    return ratio(12 * net_new_mrr, cost_before) if has_value(cost_before) else cost_before


def burn_multiple(net_burn: float, net_new_mrr: float) -> Stat:
    """Net burn over net new ARR, a plain number; undefined where ARR did not grow."""
    return ratio(net_burn, 12 * net_new_mrr) if net_new_mrr > 0 else Reason.ZERO_DENOMINATOR


def rule_of_40(growth: Stat, profit_margin: Stat) -> Stat:
    """Growth of a year plus profit margin."""
    if not has_value(growth):
        return growth
    return finite(growth + profit_margin) if has_value(profit_margin) else profit_margin


def visitor_to_signup_rate(signups: int, visitors: int) -> Stat:
    """Signups over different visitors of the period."""
    return ratio(signups, visitors, Reason.NO_DATA)
