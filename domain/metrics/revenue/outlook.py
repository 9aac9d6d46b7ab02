"""What is known of tomorrow's MRR: committed MRR, and MRR at risk.

cmrr is today's MRR with everything that is recorded and takes effect later: starts and upgrades added, cancels and
downgrades subtracted. mrr_at_risk is the part of today's MRR that is past due or will be cancelled, each subscription
once. revenue_at_risk is the platform's form: MRR × customer churn rate.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from domain.metrics.value import Stat, finite, known
from domain.subscriptions import LOSSES, Movement


def cmrr(mrr: int, later: Iterable[Movement]) -> int:
    """MRR now and all movements that will take effect later, in twelfths of a millionth."""
    return mrr + sum(-m.amount if m.kind in LOSSES else m.amount for m in later)


class Standing(NamedTuple):
    """One subscription today: its MRR, whether its customer owes, whether its end is scheduled."""

    mrr: int
    past_due: bool
    cancels: bool


def mrr_at_risk(subscriptions: Iterable[Standing]) -> int:
    """MRR that is past due or scheduled to end."""
    return sum(s.mrr for s in subscriptions if s.past_due or s.cancels)


def revenue_at_risk(mrr: int, churn_rate: Stat) -> Stat:
    """MRR × churn rate, in the unit of MRR."""
    return finite(mrr * churn_rate) if known(churn_rate) else churn_rate
