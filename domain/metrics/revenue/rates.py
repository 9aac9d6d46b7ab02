"""Rates of MRR flows. S and E: MRR at the period's start and end; N, X, C, K, R: its flows. Undefined where S is zero.

Source: the catalogue's formulas, which follow the SaaS metrics standards board. Growth and churn are of the whole
period, not annualised.
"""

from __future__ import annotations

from domain.metrics.revenue.flows import Flows
from domain.metrics.value import Reason, Stat, known, ratio


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
    """(N + X) / (C + K): won over lost; NO_LOSSES where nothing was lost."""
    return ratio(flows.new + flows.expansion, flows.contraction + flows.churned, Reason.NO_LOSSES)


def average_sale_price(flows: Flows) -> Stat:
    """N over new customers, in twelfths of a millionth."""
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


def mean_customer_life(churn_rate: Stat) -> Stat:
    """Periods that a customer stays: 1 / churn, as if churn were the same at every age. NO_LOSSES without churn."""
    return ratio(1.0, churn_rate, Reason.NO_LOSSES) if known(churn_rate) else churn_rate


def customer_ltv(arpa: Stat, churn_rate: Stat, margin: float = 1.0) -> Stat:
    """ARPA / churn, times the gross margin for ltv_margin; both of the same period."""
    if not known(arpa):
        return arpa
    life = mean_customer_life(churn_rate)
    return arpa * life * margin if known(life) else life


def growth(now: float, before: float) -> Stat:
    """Change against the period before, as a fraction of it: of signups, of anything that is counted."""
    return ratio(now - before, before)
