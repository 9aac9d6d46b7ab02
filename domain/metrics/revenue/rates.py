"""Rates of MRR flows. S and E: MRR at the period's start and end; N, X, C, K, R: its flows. Undefined where S is zero.

Source: the catalogue's formulas, which follow the SaaS metrics standards board. Growth and churn are of the whole
period, not annualised; what a customer is worth is of months.
"""

from __future__ import annotations

import math

from domain.metrics.revenue.flows import Flows
from domain.metrics.value import Reason, Stat, finite, has_value, ratio


def arr(mrr: int) -> int:
    """Twelve months of MRR, in its unit."""
    return 12 * mrr


def mrr_growth_rate(flows: Flows) -> Stat:
    """E / S − 1."""
    return ratio(flows.end - flows.start, flows.start)


def gross_mrr_churn_rate(flows: Flows) -> Stat:
    """(K + C) / S."""
    return ratio(flows.churned + flows.contraction, flows.start)


def net_mrr_churn_rate(flows: Flows) -> Stat:
    """(K + C − X − R) / S; negative where existing customers brought more than left."""
    lost = flows.churned + flows.contraction - flows.expansion - flows.reactivated
    return ratio(lost, flows.start)


def quick_ratio(flows: Flows) -> Stat:
    """(N + X) / (C + K): won over lost; NO_LOSSES where nothing was lost, NO_DATA where nothing could be."""
    won, nothing = flows.new + flows.expansion, Reason.NO_LOSSES
    if not (flows.start or won or flows.reactivated):
        nothing = Reason.NO_DATA
    return ratio(won, flows.contraction + flows.churned, nothing)


def average_sale_price(flows: Flows) -> Stat:
    """N over new customers, in twelfths of a trillionth."""
    return ratio(flows.new, flows.new_count, Reason.NO_DATA)


def arpa(mrr: int, customers: int) -> Stat:
    """MRR over paying customers, in its unit. With active users of the period instead, it is arpu."""
    return ratio(mrr, customers, Reason.NO_DATA)


def customer_churn_rate(churned: int, at_start: int) -> Stat:
    """Of the customers who paid at the start, the share that does not pay at the end. Who came inside never counts."""
    return ratio(churned, at_start, Reason.NO_DATA)


def customer_retention_rate(churned: int, at_start: int) -> Stat:
    """What customer churn leaves."""
    return ratio(at_start - churned, at_start, Reason.NO_DATA)


def monthly_churn_rate(churn_rate: Stat, months: float | None) -> Stat:
    """The churn that, month after month, comes to the churn of so many months: 1 − (1 − c)^(1/n).

    ARPA is of a month: with the churn of a quarter or a year beside it, what a customer is worth would depend on the
    period that is looked at. The share that stays is what multiplies from month to month, not the share that leaves.
    """
    if not has_value(churn_rate) or months == 1:
        return churn_rate
    if not months:
        return Reason.NO_DATA
    return finite(-math.expm1(math.log1p(-churn_rate) / months)) if 0 < churn_rate < 1 else churn_rate


def mean_customer_life(monthly_churn_rate: Stat) -> Stat:
    """Months that a customer stays: 1 / churn, as if churn were the same at every age. NO_LOSSES without churn."""
    if not has_value(monthly_churn_rate):
        return monthly_churn_rate
    return ratio(1.0, monthly_churn_rate, Reason.NO_LOSSES)


def customer_ltv(arpa: Stat, monthly_churn_rate: Stat, margin: float = 1.0) -> Stat:
    """ARPA / churn, times the gross margin for ltv_margin; both of a month."""
    if not has_value(arpa):
        return arpa
    life = mean_customer_life(monthly_churn_rate)
    return arpa * life * margin if has_value(life) else life


def growth(now: float, before: float) -> Stat:
    """Change against the period before, as a fraction of it: of signups, of anything that is counted."""
    return ratio(now - before, before)
