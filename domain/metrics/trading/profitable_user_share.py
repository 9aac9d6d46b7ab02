"""Share of the users with at least one closed trade whose trades together earned money (Σp > 0), a fraction.

Null: no_trades (nobody traded).
"""

from __future__ import annotations

from domain.metrics.value import Reason, Stat, ratio


def profitable_user_share(profitable: int, users: int) -> Stat:
    """Users with Σp > 0 / users who traded."""
    return ratio(profitable, users, Reason.NO_TRADES)
