"""What is known of tomorrow's MRR: MRR at risk.

mrr_at_risk is the part of committed MRR (`domain/billing/scheduled.py`) whose customer owes, or that was scheduled to
end, each customer once. revenue_at_risk is the platform's form: MRR × customer churn rate.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from domain.metrics.value import Stat, finite, has_value


class Standing(NamedTuple):
    """One customer today: MRR now, MRR after all that is scheduled, whether something is owed."""

    mrr: int
    later: int
    past_due: bool


def mrr_at_risk(customers: Iterable[Standing]) -> int:
    """All MRR of those who owe, and what the others are scheduled to lose, in twelfths of a trillionth."""
    return sum(c.mrr if c.past_due else max(0, c.mrr - c.later) for c in customers)


def revenue_at_risk(mrr: int, churn_rate: Stat) -> Stat:
    """MRR × churn rate, in the unit of MRR."""
    return finite(mrr * churn_rate) if has_value(churn_rate) else churn_rate
